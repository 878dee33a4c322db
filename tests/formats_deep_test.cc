// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// All 2^32 f32 numbers through every narrowing to 16 bits and through the exact split, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "tests/support/half_reference.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr std::size_t kChunk = std::size_t{1} << 20;  // of one sign

// The codes of kChunk numbers whose bits count up from `begin`.
void expect_codes(const HalfFormat& half, std::uint64_t begin, std::vector<std::uint16_t>& codes) {
  const auto sign = static_cast<std::uint16_t>(begin >> 31 << 15);
  const std::uint64_t first = begin & 0x7FFFFFFF, end = first + kChunk;
  std::fill(codes.begin(), codes.end(), half.nan);
  // The last code that begins at or before the first number.
  std::uint32_t code = 0;
  for (std::uint32_t step = 0x4000; step > 0; step /= 2) {
    if (code + step <= half.infinity && half.first(code + step) <= first) code += step;
  }
  for (; code <= half.infinity && half.first(code) < end; ++code) {
    const std::uint64_t from = std::max<std::uint64_t>(first, half.first(code));
    const std::uint64_t to = std::min<std::uint64_t>(end, code < half.infinity ? half.first(code + 1) : 0x7F800001u);
    // Nothing is left of infinity among the NaN.
    for (std::uint64_t at = from; at < to; ++at) codes[at - first] = static_cast<std::uint16_t>(code | sign);
  }
}

class AllFloats : public ::testing::TestWithParam<HalfFormat> {};

TEST_P(AllFloats, RoundAsDefined) {
  const HalfFormat& half = GetParam();
  std::vector<std::uint32_t> bits(kChunk);
  std::vector<float> values(kChunk);
  std::vector<std::uint16_t> expected(kChunk), codes(kChunk);
  for (const std::string& name : targets()) {
    const ForcedTarget target(name);
    for (std::uint64_t begin = 0; begin < kAll; begin += kChunk) {
      std::iota(bits.begin(), bits.end(), static_cast<std::uint32_t>(begin));
      std::memcpy(values.data(), bits.data(), kChunk * sizeof(float));
      expect_codes(half, begin, expected);
      format_kernels().encode[index_of(half.format)](values.data(), kChunk, codes.data());
      ASSERT_EQ(codes, expected) << name << ", from bits " << begin;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(To, AllFloats, ::testing::ValuesIn(kHalfFormats),
                         [](const auto& info) { return std::string(adamant::info(info.param.format).name); });

TEST(Split16, KeepsEveryFloat) {
  std::vector<std::uint32_t> bits(kChunk), back(kChunk);
  std::vector<float> values(kChunk);
  std::vector<std::uint16_t> high(kChunk), low(kChunk);
  for (const std::string& name : targets()) {
    const ForcedTarget target(name);
    for (std::uint64_t begin = 0; begin < kAll; begin += kChunk) {
      std::iota(bits.begin(), bits.end(), static_cast<std::uint32_t>(begin));
      std::memcpy(values.data(), bits.data(), kChunk * sizeof(float));
      compact_kernels().store_split16(values.data(), kChunk, {}, high.data(), low.data());
      compact_kernels().load_split16(high.data(), low.data(), kChunk, values.data());
      std::memcpy(back.data(), values.data(), kChunk * sizeof(float));
      for (std::uint32_t& word : bits) {
        if ((word & 0x7FFFFFFF) > 0x7F800000) word = 0x7FC00000;
      }
      ASSERT_EQ(back, bits) << name << ", from bits " << begin;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
