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

// ---- The codes of q8: 16 to a binade, against an offset of 2^(exponent - 127) that makes them reach zero.

constexpr int kTopUnsigned = 255, kTopSigned = 127;
// Exponent bytes under which every code is a finite number; and what the exponents mean for relative codes.
constexpr int kUnsignedExponents = 239, kSignedExponents = 247;
constexpr int kRelativeExponent = 123;  // 1/16

double level(int code, int exponent) {
  return std::ldexp(std::ldexp(1.0 + code % 16 / 16.0, code / 16) - 1.0, exponent - 127);
}

/// Where a number lies between the codes: 2.5 is half-way from code 2 to code 3. The sum is one in f32.
double position(float magnitude, int exponent) {
  int binade;
  const double fraction = std::frexp(static_cast<double>(magnitude + std::ldexp(1.0f, exponent - 127)), &binade);
  return 16.0 * (binade - 1 - (exponent - 127)) + 16.0 * (2.0 * fraction - 1.0);
}

/// The exponent byte for a group whose largest magnitude is this: the smallest that leaves two codes free.
int exponent_for(float largest, int binades) {
  int binade;
  const double fraction = std::frexp(static_cast<double>(largest), &binade);
  const bool up = 2.0 * fraction - 1.0 >= 14.0 / 16.0;
  return std::max(1, binade + 127 + (up ? 1 : 0) - binades);
}

/// How many of its 2^19 steps between two codes a word adds: its upper 19 bits.
double share(std::uint32_t word) { return std::ldexp(word >> 13, -19); }

std::uint32_t word_at(const Rounding& rounding, std::size_t i) {
  return rounding.base + static_cast<std::uint32_t>(i) * rounding.step;
}

/// A block of v or m in 8 bits and back.
struct Coded {
  std::vector<std::uint8_t> codes, exponents;
  std::vector<float> values;  // what the codes say
};
Coded encode_unsigned(std::vector<float> v, const Rounding& rounding) {
  Coded coded = {std::vector<std::uint8_t>(v.size()), std::vector<std::uint8_t>((v.size() + 127) / 128), {}};
  std::vector<float> decoded(v.size());
  compact_kernels().encode_unsigned(v.data(), v.size(), rounding, coded.codes.data(), coded.exponents.data());
  compact_kernels().decode_unsigned(coded.codes.data(), coded.exponents.data(), v.size(), decoded.data());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_EQ(bits(v[i]), bits(decoded[i])) << "what stays is what the codes say";
  coded.values = decoded;
  return coded;
}
Coded encode_signed(const std::vector<float>& m, const Rounding& rounding) {
  Coded coded = {std::vector<std::uint8_t>(m.size()), std::vector<std::uint8_t>((m.size() + 127) / 128),
                 std::vector<float>(m.size())};
  compact_kernels().encode_signed(m.data(), m.size(), rounding, coded.codes.data(), coded.exponents.data());
  compact_kernels().decode_signed(coded.codes.data(), coded.exponents.data(), m.size(), coded.values.data());
  return coded;
}

// All codes up to `top`, in two groups that both hold it.
std::vector<std::uint8_t> two_groups(int top) {
  std::vector<std::uint8_t> codes(256);
  for (std::size_t i = 0; i < 256; ++i) codes[i] = static_cast<std::uint8_t>(std::min<int>(static_cast<int>(i), top));
  codes[127] = static_cast<std::uint8_t>(top);
  return codes;
}

TEST_P(Formats, EveryUnsignedCodeDecodesToItsLevel) {
  const std::vector<std::uint8_t> codes = two_groups(kTopUnsigned);
  for (int exponent = 1; exponent <= kUnsignedExponents; ++exponent) {
    const std::vector<std::uint8_t> exponents(2, static_cast<std::uint8_t>(exponent));
    std::vector<float> v(codes.size());
    compact_kernels().decode_unsigned(codes.data(), exponents.data(), v.size(), v.data());
    for (std::size_t i = 0; i < v.size(); ++i)
      ASSERT_EQ(static_cast<double>(v[i]), level(codes[i], exponent)) << exponent;
  }
}

TEST_P(Formats, EverySignedCodeDecodesToItsLevel) {
  std::vector<std::uint8_t> codes(256);
  std::iota(codes.begin(), codes.end(), std::uint8_t{0});
  for (int exponent = 1; exponent <= kSignedExponents; ++exponent) {
    const std::vector<std::uint8_t> exponents(2, static_cast<std::uint8_t>(exponent));
    std::vector<float> m(codes.size());
    compact_kernels().decode_signed(codes.data(), exponents.data(), m.size(), m.data());
    for (std::size_t i = 0; i < m.size(); ++i) {
      const double magnitude = level(codes[i] & 0x7F, exponent);
      ASSERT_EQ(bits(m[i]), bits(static_cast<float>(codes[i] >= 0x80 ? -magnitude : magnitude))) << exponent;
    }
  }
}

// Where the group keeps its exponent, to nearest: the largest code lies in the top binade and leaves two free, or the
// exponent is the least there is.
TEST_P(Formats, EveryCodeOfAGroupSurvivesToNearest) {
  for (int exponent = 1; exponent <= kUnsignedExponents; ++exponent) {
    for (const int top : {kTopUnsigned - 16, kTopUnsigned - 8, kTopUnsigned - 1, 1, 100}) {
      if (top < kTopUnsigned - 16 && exponent > 1) continue;
      const std::vector<std::uint8_t> codes = two_groups(top);
      std::vector<float> v;
      for (const std::uint8_t code : codes) v.push_back(static_cast<float>(level(code, exponent)));
      const Coded again = encode_unsigned(v, kRoundNearest);
      ASSERT_EQ(again.codes, codes) << "exponent " << exponent << ", top code " << top;
      ASSERT_EQ(again.exponents, std::vector<std::uint8_t>(2, static_cast<std::uint8_t>(exponent)));
      ASSERT_EQ(again.values, v);
    }
  }
  for (int exponent = 1; exponent <= kSignedExponents; ++exponent) {
    for (const int top : {kTopSigned - 16, kTopSigned - 8, kTopSigned - 1, 1, 100}) {
      if (top < kTopSigned - 16 && exponent > 1) continue;
      std::vector<std::uint8_t> codes = two_groups(top);
      std::vector<float> m;
      for (std::size_t i = 0; i < codes.size(); ++i) {
        const double magnitude = level(codes[i], exponent);
        m.push_back(static_cast<float>(i % 2 == 0 ? magnitude : -magnitude));
        if (i % 2 != 0) codes[i] |= 0x80;
      }
      const Coded again = encode_signed(m, kRoundNearest);
      ASSERT_EQ(again.codes, codes) << "exponent " << exponent << ", top code " << top;
      ASSERT_EQ(again.exponents, std::vector<std::uint8_t>(2, static_cast<std::uint8_t>(exponent)));
    }
  }
}

TEST_P(Formats, EveryRelativeCodeIsAMultipleOfTheRootsBinadeAndSurvives) {
  std::vector<std::uint8_t> codes(256), again(256);
  std::iota(codes.begin(), codes.end(), std::uint8_t{0});
  for (std::uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (const std::uint32_t mantissa : {0x000001u, 0x355555u, 0x7FFFFFu}) {
      const std::vector<float> v(256, number(exponent << 23 | mantissa));
      std::vector<float> m(256);
      compact_kernels().decode_relative(codes.data(), v.data(), 256, m.data());
      const int half = static_cast<int>(std::floor((static_cast<double>(exponent) - 127.0) / 2.0));
      for (std::size_t i = 0; i < 256; ++i) {
        const double magnitude = std::ldexp(level(codes[i] & 0x7F, kRelativeExponent), half);
        ASSERT_EQ(bits(m[i]), bits(static_cast<float>(codes[i] >= 0x80 ? -magnitude : magnitude))) << v[0];
      }
      compact_kernels().encode_relative(m.data(), v.data(), 256, kRoundNearest, again.data());
      ASSERT_EQ(again, codes) << v[0];
    }
  }
  // Without a second moment there is no first one.
  const std::vector<float> zeros(256), ones(256, 1.0f);
  compact_kernels().encode_relative(ones.data(), zeros.data(), 256, kRoundNearest, again.data());
  EXPECT_EQ(again, std::vector<std::uint8_t>(256));
}

// Groups as training makes them, and some it should not.
std::vector<std::vector<float>> groups() {
  std::vector<std::vector<float>> all;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    // Of any length up to two groups, at any scale, spread over few or many binades.
    std::vector<float> group(1 + random_bits(seed) % 256);
    const int scale = static_cast<int>(random_bits(seed + 1000) % 240) - 125;
    const int spread = 1 + static_cast<int>(random_bits(seed + 2000) % 40);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::uint64_t r = random_bits(seed << 32 | i);
      group[i] =
          static_cast<float>(std::ldexp(random_number(r), scale - static_cast<int>(r % static_cast<unsigned>(spread))));
    }
    all.push_back(group);
  }
  // Just below and above each power of two, where the exponent of the group changes.
  for (int binade = -126; binade < 120; binade += 5) {
    for (const double largest : {1.0, 0x1.fffffep0, 0x1.bffffep0, 0x1.cp0, 0x1.dffffep0, 0x1.ep0}) {
      all.push_back({static_cast<float>(std::ldexp(largest, binade)), static_cast<float>(std::ldexp(0.3, binade)), 0.0f,
                     std::numeric_limits<float>::denorm_min(), static_cast<float>(std::ldexp(1.0, binade - 9))});
    }
  }
  std::vector<float> huge(128, 1e-20f);
  huge[77] = 1e30f;
  all.push_back(huge);
  return all;
}

const Rounding kRoundings[] = {kRoundNearest, kRoundUp, {0, 0}, {0x12345678u, 0x9E3779B9u}};

TEST_P(Formats, UnsignedCodesFollowTheirDefinition) {
  for (std::vector<float> v : groups()) {
    for (float& x : v) x = std::abs(x);
    for (const Rounding& rounding : kRoundings) {
      const Coded coded = encode_unsigned(v, rounding);
      for (std::size_t first = 0; first < v.size(); first += 128) {
        const std::size_t end = std::min(v.size(), first + 128);
        const int exponent = coded.exponents[first / 128];
        ASSERT_EQ(exponent, exponent_for(*std::max_element(&v[first], &v[end - 1] + 1), 16));
        for (std::size_t i = first; i < end; ++i) {
          const double at = std::floor(position(v[i], exponent) + share(word_at(rounding, i)));
          // Above zero never becomes zero; and the free codes suffice: nothing is limited at the top.
          ASSERT_EQ(coded.codes[i], v[i] > 0.0f ? std::max(1.0, at) : 0.0) << v[i] << " beside " << exponent;
          ASSERT_LE(at, kTopUnsigned);
        }
      }
    }
  }
}

TEST_P(Formats, SignedCodesFollowTheirDefinition) {
  for (const std::vector<float>& m : groups()) {
    for (const Rounding& rounding : kRoundings) {
      const Coded coded = encode_signed(m, rounding);
      for (std::size_t first = 0; first < m.size(); first += 128) {
        const std::size_t end = std::min(m.size(), first + 128);
        const int exponent = coded.exponents[first / 128];
        float largest = 0.0f;
        for (std::size_t i = first; i < end; ++i) largest = std::max(largest, std::abs(m[i]));
        ASSERT_EQ(exponent, exponent_for(largest, 8));
        for (std::size_t i = first; i < end; ++i) {
          const double at = std::floor(position(std::abs(m[i]), exponent) + share(word_at(rounding, i)));
          ASSERT_EQ(coded.codes[i] & 0x7F, at) << m[i] << " beside " << exponent;
          ASSERT_EQ(coded.codes[i] >= 0x80, std::signbit(m[i]));
          ASSERT_LE(at, kTopSigned);
        }
      }
    }
  }
}

TEST_P(Formats, RelativeCodesFollowTheirDefinition) {
  std::vector<float> v, m;
  for (std::uint64_t i = 0; i < 20001; ++i) {
    const int scale = static_cast<int>(random_bits(i) % 150) - 75;
    v.push_back(i % 50 == 0 ? 0.0f : static_cast<float>(std::ldexp(std::abs(random_number(i)), scale)));
    m.push_back(static_cast<float>(std::ldexp(random_number(i + 77777), scale / 2)));
  }
  std::vector<std::uint8_t> codes(v.size());
  for (const Rounding& rounding : kRoundings) {
    compact_kernels().encode_relative(m.data(), v.data(), v.size(), rounding, codes.data());
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (v[i] == 0.0f) {
        ASSERT_EQ(codes[i], 0);
        continue;
      }
      const float scaled = std::ldexp(std::abs(m[i]), -static_cast<int>(std::floor(std::ilogb(v[i]) / 2.0)));
      const double at = std::floor(position(scaled, kRelativeExponent) + share(word_at(rounding, i)));
      ASSERT_EQ(codes[i], std::min<double>(at, kTopSigned) + (std::signbit(m[i]) ? 128 : 0)) << m[i] << " " << v[i];
    }
  }
}

TEST_P(Formats, WordsThatAreEvenlySpreadRoundRightOnAverage) {
  constexpr std::size_t kWords = std::size_t{1} << 19;
  for (const float x : {1.0f, 0.0123f, 3.999f, 0.001f}) {
    // Groups of one element that keeps the exponent and 127 equal ones.
    std::uint64_t sum = 0;
    int exponent = 0;
    for (std::size_t first = 0; first < kWords; first += 127) {
      std::vector<float> v(128, x);
      v[127] = 4.0f;
      const Coded coded = encode_unsigned(v, Rounding{static_cast<std::uint32_t>(first) << 13, 1u << 13});
      exponent = coded.exponents[0];
      for (std::size_t i = 0; i < std::min<std::size_t>(127, kWords - first); ++i) sum += coded.codes[i];
    }
    EXPECT_EQ(static_cast<double>(sum), position(x, exponent) * static_cast<double>(kWords)) << x;
  }
}

TEST_P(Formats, GroupsOfZerosAndOfNumbersThatAreNot) {
  const auto both = [](const std::vector<float>& values) {
    return std::pair(encode_unsigned(values, kRoundUp), encode_signed(values, kRoundUp));
  };
  for (const std::size_t size : {1u, 127u, 128u, 129u, 255u}) {
    const auto [zero_v, zero_m] = both(std::vector<float>(size));
    EXPECT_EQ(zero_v.values, std::vector<float>(size));
    EXPECT_EQ(zero_m.values, std::vector<float>(size));
    EXPECT_EQ(zero_v.exponents, std::vector<std::uint8_t>((size + 127) / 128, kAllZero));
    EXPECT_EQ(zero_m.exponents, std::vector<std::uint8_t>((size + 127) / 128, kAllZero));
    for (const float bad : {kInfinity, kNan}) {
      // In the last group only.
      std::vector<float> values(size);
      values.back() = bad;
      Coded coded = encode_signed(values, kRoundUp);
      EXPECT_EQ(coded.exponents.back(), kNotFinite);
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(std::isnan(coded.values[i]), i / 128 == (size - 1) / 128);
    }
  }
}

// A state may be as large as a f32 can be: saturated, but finite. It must not become infinite by being written down.
TEST_P(Formats, FiniteStaysFinite) {
  for (const float largest : {kLargest, 0x1.fp127f, 0x1.effffep127f, 0x1p127f}) {
    for (const Rounding& rounding : kRoundings) {
      for (const Coded& coded :
           {encode_unsigned({largest, 1.0f}, rounding), encode_signed({-largest, 1.0f}, rounding)}) {
        EXPECT_TRUE(std::isfinite(coded.values[0])) << largest;
        EXPECT_GE(std::abs(coded.values[0]), 0.9f * largest);
      }
    }
  }
}

TEST_P(Formats, AStateThatSaturatesStaysFinite) {
  constexpr std::size_t kSize = 4096;
  const std::vector<float> g(kSize, 0x1p63f);
  for (const auto& [rule, options] :
       {std::pair(Rule::adagrad, Options{}), std::pair(Rule::sgd, Options{.momentum = 3.0})}) {
    std::vector<float> w(kSize);
    Optimizer optimizer(rule, {{"w", w, g}}, options, {.state = StateFormat::q8});
    for (int t = 0; t < 80; ++t) optimizer.step();
    for (const float state : optimizer.export_state("w", rule == Rule::sgd ? "momentum_buffer" : "sum")) {
      ASSERT_TRUE(std::isfinite(state));
      ASSERT_GE(state, 0x1p126f);
    }
  }
}

}  // namespace
}  // namespace adamant::testing
