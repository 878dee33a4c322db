// Every number format against its definition, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
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

class Formats : public ::testing::TestWithParam<std::string> {
  ForcedTarget target_{GetParam()};
};
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

}  // namespace
}  // namespace adamant::testing
