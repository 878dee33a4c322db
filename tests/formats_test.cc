// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// bf16, f16 and the formats of weights against their definitions, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/support/buffers.h"
#include "tests/support/half_reference.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }
float number(std::uint32_t bits) { return std::bit_cast<float>(bits); }

class Formats : public OnEveryTarget {};
INSTANTIATE_TEST_SUITE_P(On, Formats, ::testing::ValuesIn(targets()), [](const auto& info) { return info.param; });

// ---- bf16 and f16

std::vector<std::uint16_t> encoded(const HalfFormat& half, const std::vector<float>& values) {
  std::vector<std::uint16_t> codes(values.size());
  format_kernels().encode[index_of(half.format)](values.data(), values.size(), codes.data());
  return codes;
}

TEST_P(Formats, EveryHalfCodeDecodesToItsValueAndBack) {
  for (const HalfFormat& half : kHalfFormats) {
    std::vector<std::uint16_t> codes(1 << 16);
    std::iota(codes.begin(), codes.end(), std::uint16_t{0});
    std::vector<float> values(codes.size());
    format_kernels().decode[index_of(half.format)](codes.data(), codes.size(), values.data());
    const std::vector<std::uint16_t> back = encoded(half, values);
    for (std::size_t code = 0; code < codes.size(); ++code) {
      const std::uint32_t magnitude = code & 0x7FFF;
      if (magnitude > half.infinity) {
        ASSERT_TRUE(std::isnan(values[code])) << code;
        ASSERT_EQ(back[code], half.nan) << code;
        continue;
      }
      const float expected = magnitude == half.infinity ? kInfinity : static_cast<float>(half.value(magnitude));
      ASSERT_EQ(bits(values[code]), bits(expected) | static_cast<std::uint32_t>(code & 0x8000) << 16) << code;
      ASSERT_EQ(back[code], code);
    }
  }
}

// Two numbers on either side of every boundary between two codes, and what it must become.
struct Boundaries {
  std::vector<float> values;
  std::vector<std::uint16_t> codes;
  explicit Boundaries(const HalfFormat& half) {
    const auto add = [&](std::uint32_t magnitude, std::uint32_t code) {
      for (const std::uint32_t sign : {0u, 1u}) {
        values.push_back(number(magnitude | sign << 31));
        codes.push_back(static_cast<std::uint16_t>(code | sign << 15));
      }
    };
    add(0, 0);
    for (std::uint32_t code = 1; code <= half.infinity; ++code) {
      const std::uint32_t first = half.first(code);
      add(first - 2, code - 1);
      add(first - 1, code - 1);
      add(first, code);
      if (code < half.infinity) add(first + 1, code);
    }
    for (const std::uint32_t nan : {0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu, 0xFF800001u, 0xFFFFFFFFu}) {
      values.push_back(number(nan));
      codes.push_back(half.nan);
    }
  }
};

TEST_P(Formats, HalvesRoundToNearestEvenAtEveryBoundary) {
  for (const HalfFormat& half : kHalfFormats) {
    const Boundaries boundaries(half);
    ASSERT_EQ(encoded(half, boundaries.values), boundaries.codes) << info(half.format).name;
    // The same in another order, beside numbers that take the rare way: they share vectors with them.
    const float rare[] = {kNan, kInfinity, -kLargest, 65520.0f};
    const std::uint16_t rare_codes[] = {half.nan, half.infinity, static_cast<std::uint16_t>(half.largest | 0x8000),
                                        half.format == Format::f16 ? half.largest : std::uint16_t{0x4780}};
    std::vector<float> values;
    std::vector<std::uint16_t> codes;
    for (std::size_t i = 0; i < boundaries.values.size(); ++i) {
      const std::size_t at = random_bits(i) % boundaries.values.size();
      values.push_back(boundaries.values[at]);
      codes.push_back(boundaries.codes[at]);
      if (i % 3 == 0) {
        values.push_back(rare[i % 4]);
        codes.push_back(rare_codes[i % 4]);
      }
    }
    ASSERT_EQ(encoded(half, values), codes) << info(half.format).name;
    // Short runs: the elements left over by whole vectors.
    for (std::size_t n = 0; n < 40; ++n) {
      ASSERT_EQ(encoded(half, {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n)}),
                std::vector<std::uint16_t>(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(n)));
    }
  }
}

template <class Storage>
void expect_conversions(const HalfFormat& half) {
  for (std::uint32_t code = 0; code < 0x10000; code += 13) {
    const std::uint32_t magnitude = code & 0x7FFF;
    if (magnitude >= half.infinity) continue;
    const float value = std::copysign(static_cast<float>(half.value(magnitude)), code >= 0x8000 ? -1.0f : 1.0f);
    EXPECT_EQ(bits(static_cast<float>(std::bit_cast<Storage>(static_cast<std::uint16_t>(code)))), bits(value));
    EXPECT_EQ(Storage(value).bits, code);
  }
  EXPECT_EQ(Storage(kNan).bits, half.nan);
  EXPECT_EQ(Storage(-kInfinity).bits, half.infinity | 0x8000);
  EXPECT_EQ(Storage(kLargest).bits, half.largest);
  EXPECT_EQ(Storage().bits, 0);
}

TEST_P(Formats, StorageTypesConvertAlike) {
  expect_conversions<bf16>(kHalfFormats[0]);
  expect_conversions<f16>(kHalfFormats[1]);
}

// ---- Weights of a bf16 array and bits below it

struct Split {
  std::vector<std::uint16_t> high, low;  // low in as many bits as it has
  std::vector<float> values;
};
Split split16(const std::vector<float>& from) {
  Split split = {std::vector<std::uint16_t>(from.size()), std::vector<std::uint16_t>(from.size()),
                 std::vector<float>(from.size())};
  compact_kernels().store_split16(from.data(), from.size(), kRoundNearest, split.high.data(), split.low.data());
  compact_kernels().load_split16(split.high.data(), split.low.data(), from.size(), split.values.data());
  return split;
}
Split split8(const std::vector<float>& from, const Rounding& rounding) {
  Split split = {std::vector<std::uint16_t>(from.size()), {}, std::vector<float>(from.size())};
  std::vector<std::uint8_t> low(from.size());
  compact_kernels().store_split8(from.data(), from.size(), rounding, split.high.data(), low.data());
  compact_kernels().load_split8(split.high.data(), low.data(), from.size(), split.values.data());
  split.low.assign(low.begin(), low.end());
  return split;
}
std::vector<std::uint16_t> dithered(const std::vector<float>& from, const Rounding& rounding) {
  std::vector<std::uint16_t> codes(from.size());
  compact_kernels().store_dithered(from.data(), from.size(), rounding, codes.data());
  return codes;
}

// Any bits at all, and every boundary near infinity.
std::vector<float> any_floats() {
  std::vector<float> values;
  for (std::uint64_t i = 0; i < 1 << 18; ++i) values.push_back(number(static_cast<std::uint32_t>(random_bits(i))));
  for (std::uint32_t magnitude = 0x7F7EFF00u; magnitude < 0x7F800200u; ++magnitude) {
    values.push_back(number(magnitude));
    values.push_back(number(magnitude | 0x80000000u));
  }
  return values;
}

TEST_P(Formats, TheSplitIn16And16IsExact) {
  const std::vector<float> values = any_floats();
  const Split split = split16(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t u = bits(values[i]);
    ASSERT_EQ(bits(split.values[i]), std::isnan(values[i]) ? 0x7FC00000u : u);
    if (std::isnan(values[i])) continue;
    ASSERT_EQ(split.high[i], static_cast<std::uint16_t>((u + 0x8000u) >> 16)) << values[i];
    ASSERT_EQ(split.low[i], static_cast<std::uint16_t>(u));
  }
}

TEST_P(Formats, TheSplitIn16And8KeepsThe24BitsItShows) {
  // All 2^24 of them, again to nearest: nothing changes but what lies above the largest.
  constexpr std::uint32_t kChunk = 1u << 16;
  std::vector<float> values(kChunk);
  for (std::uint32_t first = 0; first < 1u << 24; first += kChunk) {
    for (std::uint32_t i = 0; i < kChunk; ++i) values[i] = number((first + i) << 8);
    const Split split = split8(values, kRoundNearest);
    for (std::uint32_t i = 0; i < kChunk; ++i) {
      const std::uint32_t u = (first + i) << 8, magnitude = u & 0x7FFFFFFFu;
      const std::uint32_t expected = magnitude > 0x7F800000u    ? 0x7FC00000u
                                     : magnitude == 0x7F800000u ? u
                                                                : (u & 0x80000000u) | std::min(magnitude, 0x7F7F7F00u);
      ASSERT_EQ(bits(split.values[i]), expected) << std::hex << u;
    }
  }
}

TEST_P(Formats, TheSplitIn16And8IsWithinOneOf24Bits) {
  const std::vector<float> values = any_floats();
  for (const Rounding& rounding : {kRoundNearest, kRoundUp, Rounding{0, 0}, Rounding{0x12345678u, 0x91E10DA5u}}) {
    const Split split = split8(values, rounding);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint32_t u = bits(values[i]), magnitude = u & 0x7FFFFFFFu;
      const std::uint32_t word = rounding.base + static_cast<std::uint32_t>(i) * rounding.step;
      const std::uint32_t kept = (magnitude + (word >> 24)) & 0xFFFFFF00u, sign = u & 0x80000000u;
      const std::uint32_t expected = magnitude > 0x7F800000u    ? 0x7FC00000u
                                     : magnitude == 0x7F800000u ? u
                                                                : sign | std::min(kept, 0x7F7F7F00u);
      ASSERT_EQ(bits(split.values[i]), expected) << values[i];
      if (magnitude >= 0x7F7F7F00u) continue;
      // The bf16 that the forward pass sees is one of the two that are nearest.
      const float shown = number(static_cast<std::uint32_t>(split.high[i]) << 16);
      const double half_unit = std::ldexp(1.0, std::max(std::ilogb(split.values[i]), -126) - 8);
      ASSERT_LE(std::abs(static_cast<double>(shown) - static_cast<double>(split.values[i])), half_unit) << values[i];
    }
  }
}

TEST_P(Formats, SomeWeightsInBothSplits) {
  struct Example {
    std::uint32_t bits;
    std::uint16_t high;
    int low;
  };
  for (const Example& example :
       {Example{0x3F8000FFu, 0x3F80, 1}, Example{0x3F7FFFFFu, 0x3F80, 0}, Example{0x3DCCCCCDu, 0x3DCD, -51},
        Example{0x7F7FFFFFu, 0x7F7F, 127}, Example{0x00000001u, 0x0000, 0}, Example{0xBF80007Fu, 0xBF80, 0}}) {
    const Split split = split8({number(example.bits)}, kRoundNearest);
    EXPECT_EQ(split.high[0], example.high) << std::hex << example.bits;
    EXPECT_EQ(split.low[0], static_cast<std::uint8_t>(example.low)) << std::hex << example.bits;
  }
}

TEST_P(Formats, DitheredWeightsRoundByTheirWord) {
  const std::vector<float> values = any_floats();
  for (const Rounding& rounding : {kRoundNearest, kRoundUp, Rounding{0, 0}, Rounding{0x12345678u, 0x91E10DA5u}}) {
    const std::vector<std::uint16_t> codes = dithered(values, rounding);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint32_t u = bits(values[i]), magnitude = u & 0x7FFFFFFFu, sign = u >> 16 & 0x8000u;
      const std::uint32_t word = rounding.base + static_cast<std::uint32_t>(i) * rounding.step;
      const std::uint32_t rounded = magnitude > 0x7F800000u ? 0x7FC0u
                                    : magnitude == 0x7F800000u
                                        ? sign | 0x7F80u
                                        : sign | std::min((magnitude + (word >> 16)) >> 16, 0x7F7Fu);
      ASSERT_EQ(codes[i], rounded) << values[i];
    }
  }
}

// Every word there is, once: what is rounded up and down adds up to the number itself.
TEST_P(Formats, WeightsAreRightOnAverage) {
  for (const float value : {1.0f / 3, -0x1.fffffep5f, 1e-39f, -12345.678f}) {
    const std::uint32_t u = bits(value);
    std::uint64_t sum8 = 0, sum0 = 0;
    for (const float kept : split8(std::vector<float>(256, value), {0, 1u << 24}).values) sum8 += bits(kept) >> 8;
    for (const std::uint16_t code : dithered(std::vector<float>(1 << 16, value), {0, 1u << 16})) sum0 += code;
    EXPECT_EQ(sum8, u);
    EXPECT_EQ(sum0, u);
  }
}

}  // namespace
}  // namespace adamant::testing
