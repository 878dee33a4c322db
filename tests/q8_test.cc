// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The 8-bit states against their definition, on every instruction set: codes, and a whole step.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/support/buffers.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }
float number(std::uint32_t bits) { return std::bit_cast<float>(bits); }

class Q8 : public OnEveryTarget {};
INSTANTIATE_TEST_SUITE_P(On, Q8, ::testing::ValuesIn(targets()), [](const auto& info) { return info.param; });

// Codes: 16 to a binade, against an offset of 2^(exponent - 127) that makes them reach zero.

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

/// The exponent byte for a group whose largest magnitude is this: the smallest under which it lies at the last code but
/// one, or below.
int exponent_for(float largest, int binades) {
  int exponent = 1;
  while (position(largest, exponent) > 16 * binades - 2) ++exponent;
  return exponent;
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
    EXPECT_TRUE(bits(v[i]) == bits(decoded[i]) || (std::isnan(v[i]) && std::isnan(decoded[i])))
        << "what stays is what the codes say";
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

TEST_P(Q8, EveryUnsignedCodeDecodesToItsLevel) {
  // The last one is not a number.
  const std::vector<std::uint8_t> codes = two_groups(kTopUnsigned - 1);
  for (int exponent = 1; exponent <= kUnsignedExponents; ++exponent) {
    const std::vector<std::uint8_t> exponents(2, static_cast<std::uint8_t>(exponent));
    std::vector<float> v(codes.size());
    compact_kernels().decode_unsigned(codes.data(), exponents.data(), v.size(), v.data());
    for (std::size_t i = 0; i < v.size(); ++i)
      ASSERT_EQ(static_cast<double>(v[i]), level(codes[i], exponent)) << exponent;
  }
}

TEST_P(Q8, EverySignedCodeDecodesToItsLevel) {
  std::vector<std::uint8_t> codes(256);
  std::iota(codes.begin(), codes.end(), std::uint8_t{0});
  for (int exponent = 1; exponent <= kSignedExponents; ++exponent) {
    const std::vector<std::uint8_t> exponents(2, static_cast<std::uint8_t>(exponent));
    std::vector<float> m(codes.size());
    compact_kernels().decode_signed(codes.data(), exponents.data(), m.size(), m.data());
    for (std::size_t i = 0; i < m.size(); ++i) {
      if (codes[i] == 255) continue;  // not a number
      const double magnitude = level(codes[i] & 0x7F, exponent);
      ASSERT_EQ(bits(m[i]), bits(static_cast<float>(codes[i] >= 0x80 ? -magnitude : magnitude))) << exponent;
    }
  }
}

// Where the group keeps its exponent, to nearest: the largest code lies in the top binade, below the last one, or the
// exponent is the least there is.
TEST_P(Q8, EveryCodeOfAGroupSurvivesToNearest) {
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

TEST_P(Q8, EveryRelativeCodeIsAMultipleOfTheRootsBinadeAndSurvives) {
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

TEST_P(Q8, UnsignedCodesFollowTheirDefinition) {
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

TEST_P(Q8, SignedCodesFollowTheirDefinition) {
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

TEST_P(Q8, RelativeCodesFollowTheirDefinition) {
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

TEST_P(Q8, WordsThatAreEvenlySpreadRoundRightOnAverage) {
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

TEST_P(Q8, GroupsOfZeros) {
  const auto both = [](const std::vector<float>& values) {
    return std::pair(encode_unsigned(values, kRoundUp), encode_signed(values, kRoundUp));
  };
  for (const std::size_t size : {1u, 127u, 128u, 129u, 255u}) {
    const auto [zero_v, zero_m] = both(std::vector<float>(size));
    EXPECT_EQ(zero_v.values, std::vector<float>(size));
    EXPECT_EQ(zero_m.values, std::vector<float>(size));
    EXPECT_EQ(zero_v.exponents, std::vector<std::uint8_t>((size + 127) / 128, kAllZero));
    EXPECT_EQ(zero_m.exponents, std::vector<std::uint8_t>((size + 127) / 128, kAllZero));
  }
}

// The codes of the others are those that they have without it.
TEST_P(Q8, WhatIsNotFiniteIsMarkedAlone) {
  for (std::vector<float> numbers : groups()) {
    const std::size_t at = random_bits(numbers.size()) % numbers.size();
    for (const float bad : {kInfinity, -kInfinity, kNan, -kNan}) {
      for (const Rounding& rounding : kRoundings) {
        numbers[at] = 0.0f;
        std::vector<float> magnitudes = numbers;
        for (float& x : magnitudes) x = std::abs(x);
        Coded without = encode_unsigned(magnitudes, rounding), without_m = encode_signed(numbers, rounding);
        magnitudes[at] = numbers[at] = bad;
        const Coded with = encode_unsigned(magnitudes, rounding), with_m = encode_signed(numbers, rounding);
        for (auto [marked, plain] : {std::pair(&with, &without), std::pair(&with_m, &without_m)}) {
          EXPECT_TRUE(std::isnan(marked->values[at]));
          ASSERT_EQ(marked->codes[at], 255);
          plain->codes[at] = 255;
          // A group of zeros has an offset where it holds a mark.
          plain->exponents[at / 128] = std::max(plain->exponents[at / 128], std::uint8_t{1});
          ASSERT_EQ(marked->codes, plain->codes);
          ASSERT_EQ(marked->exponents, plain->exponents);
        }
        // Relative to it, neither is the other.
        std::vector<float> m(numbers.size(), 1.0f);
        std::vector<std::uint8_t> codes(m.size());
        compact_kernels().encode_relative(m.data(), with.values.data(), m.size(), rounding, codes.data());
        EXPECT_EQ(codes[at], 0);
        compact_kernels().decode_relative(codes.data(), with.values.data(), m.size(), m.data());
        for (std::size_t i = 0; i < m.size(); ++i) ASSERT_EQ(std::isfinite(m[i]), i != at);
      }
    }
  }
}

// A state may be as large as a f32 can be: saturated, but finite. It must not become infinite by being written down.
TEST_P(Q8, FiniteStaysFinite) {
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

TEST_P(Q8, AStateThatSaturatesStaysFinite) {
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

// A maximum is rounded up, or it would sink a little in each step.
TEST_P(Q8, TheLargestSecondMomentNeverFalls) {
  constexpr std::size_t kSize = 4500;
  for (const StateFormat format : {StateFormat::q8, StateFormat::b16}) {
    std::vector<float> w(kSize), g(kSize);
    Optimizer optimizer(Rule::adamw, {{"w", w, g}}, {.amsgrad = true}, {.state = format});
    std::vector<float> before(kSize);
    for (std::uint64_t t = 1; t <= 40; ++t) {
      for (std::size_t i = 0; i < kSize; ++i) {
        g[i] = static_cast<float>(std::ldexp(random_number(t << 32 | i), -static_cast<int>(random_bits(t) % 9)));
      }
      optimizer.step();
      const std::vector<float> now = optimizer.export_state("w", "max_exp_avg_sq");
      for (std::size_t i = 0; i < kSize; ++i) ASSERT_GE(now[i], before[i]) << "element " << i << ", step " << t;
      before = now;
    }
  }
}

// ---- A whole step of AdamW, one element after the other, from the definitions alone

constexpr std::uint32_t kElements = 0x9E3779B9u;  // 2^32 over the golden ratio
enum Stream : std::uint64_t { kFirstMoment, kSecondMoment, kWeight };

std::uint64_t split_mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// The dither of a step: its bits, the last one first, each flipped as a hash of those above it says.
Rounding dither_of(Stream stream, std::uint32_t seed, std::uint64_t t) {
  const std::uint64_t key = split_mix(4 * std::uint64_t{seed} + stream);
  const auto hash = [&](std::uint64_t six) {
    return split_mix((key + (t >> (6 * six + 6)) * 0x9E3779B97F4A7C15u) ^ six);
  };
  std::uint32_t word = 0;
  for (std::uint64_t bit = 0; bit < 12; ++bit) {
    // The bits of the six above this one; a one before them.
    const std::uint64_t above = 5 - bit % 6;
    const std::uint64_t place = (t >> (bit + 1)) % (1u << above) + (1u << above);
    const std::uint64_t flipped = (t >> bit & 1) != (hash(bit / 6) >> place & 1) ? 1 : 0;
    word |= static_cast<std::uint32_t>(flipped << (31 - bit));
  }
  return {word + static_cast<std::uint32_t>(split_mix(hash(1)) >> 44), kElements};
}

std::uint32_t fold_name(std::uint64_t seed, const std::string& name) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (int byte = 0; byte < 8; ++byte) hash = (hash ^ (seed >> 8 * byte & 255)) * 1099511628211u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return static_cast<std::uint32_t>(hash >> 32 ^ hash);
}

double power(double base, int exponent) {
  const double half = exponent > 1 ? power(base, exponent / 2) : 1.0;
  return exponent % 2 == 1 ? half * half * base : half * half;
}

/// bf16 weights with 8 bits below them or without, and both moments in 8 bits.
struct ScalarStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01;
  bool low = true;
  std::uint32_t seed = 0;
  std::vector<std::uint16_t> weights;
  std::vector<std::uint8_t> below, m, v, exponents;

  [[nodiscard]] float weight(std::size_t i) const {
    const auto high = static_cast<std::uint32_t>(weights[i]) << 16;
    return number(low ? high + (static_cast<std::uint32_t>(static_cast<std::int8_t>(below[i])) << 8) : high);
  }
  [[nodiscard]] float second(std::size_t i) const {
    const int exponent = exponents[i / 128];
    return exponent == 0 ? 0.0f : static_cast<float>(level(v[i], exponent));
  }
  static int root_binade(float second_moment) { return static_cast<int>(std::floor(std::ilogb(second_moment) / 2.0)); }
  [[nodiscard]] float first(std::size_t i) const {
    if (second(i) == 0.0f) return 0.0f;
    const double magnitude = std::ldexp(level(m[i] % 128, kRelativeExponent), root_binade(second(i)));
    return static_cast<float>(m[i] >= 128 ? -magnitude : magnitude);
  }

  void step(const std::vector<float>& g, int t) {
    const double correction1 = 1.0 - power(beta1, t), correction2 = 1.0 - power(beta2, t);
    const auto b1 = static_cast<float>(beta1), c1 = static_cast<float>(1.0 - beta1);
    const auto b2 = static_cast<float>(beta2), c2 = static_cast<float>(1.0 - beta2);
    const auto keep = static_cast<float>(1.0 - lr * weight_decay), rate = static_cast<float>(lr / correction1);
    const auto scale = static_cast<float>(1.0 / std::sqrt(correction2)), epsilon = static_cast<float>(eps);
    const auto time = static_cast<std::uint64_t>(t);
    const Rounding of_m = dither_of(kFirstMoment, seed, time);
    const Rounding of_v = dither_of(kSecondMoment, seed, time);
    const Rounding of_weight = dither_of(kWeight, seed, time);

    std::vector<float> new_m(g.size()), new_v(g.size());
    for (std::size_t i = 0; i < g.size(); ++i) {
      const float square = g[i] * g[i];
      new_m[i] = b1 * first(i) + c1 * g[i];
      new_v[i] = b2 * second(i) + c2 * square;
      const float denominator = std::sqrt(new_v[i]) * scale + epsilon;
      const float updated = keep * weight(i) - rate * new_m[i] / denominator;
      const std::uint32_t word = word_at(of_weight, i);
      if (low) {
        const std::uint32_t kept = (bits(updated) + (word >> 24)) >> 8;
        weights[i] = static_cast<std::uint16_t>((kept + 128) >> 8);
        below[i] = static_cast<std::uint8_t>(kept);
      } else {
        weights[i] = static_cast<std::uint16_t>((bits(updated) + (word >> 16)) >> 16);
      }
    }
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (i % 128 == 0) {
        const auto end = new_v.begin() + static_cast<std::ptrdiff_t>(std::min(i + 128, g.size()));
        const float largest = *std::max_element(new_v.begin() + static_cast<std::ptrdiff_t>(i), end);
        exponents[i / 128] = largest == 0.0f ? 0 : static_cast<std::uint8_t>(exponent_for(largest, 16));
      }
      const int exponent = exponents[i / 128];
      v[i] = m[i] = 0;
      if (new_v[i] == 0.0f) continue;
      v[i] =
          static_cast<std::uint8_t>(std::max(1.0, std::floor(position(new_v[i], exponent) + share(word_at(of_v, i)))));
      const float relative = std::ldexp(std::abs(new_m[i]), -root_binade(second(i)));
      const double at = std::floor(position(relative, kRelativeExponent) + share(word_at(of_m, i)));
      m[i] = static_cast<std::uint8_t>(std::min(127.0, at) + (std::signbit(new_m[i]) ? 128 : 0));
    }
  }
};

TEST_P(Q8, AWholeStepFollowsItsDefinition) {
  constexpr std::size_t kSize = 5003;
  constexpr std::uint64_t kSeed = 20240607;
  // With the last β2, and the same gradients, none of them zero, in every step, first moments grow beyond their last
  // code.
  for (const auto& [format, beta2] : {std::pair(WeightFormat::split8, 0.999), std::pair(WeightFormat::dithered, 0.999),
                                      std::pair(WeightFormat::split8, 0.9999)}) {
    const bool limited = beta2 > 0.999;
    Buffer param = Buffer(Format::bf16, kSize).fill(3);
    std::vector<float> g(kSize);
    Optimizer optimizer(Rule::adamw, {{"block.7.weight", param.view(), g}}, {.betas = {{0.9, beta2}}},
                        {.state = StateFormat::q8, .weights = format, .seed = kSeed});
    ScalarStep expected;
    expected.beta2 = beta2;
    expected.low = format == WeightFormat::split8;
    expected.seed = fold_name(kSeed, "block.7.weight");
    expected.weights.resize(kSize);
    std::memcpy(expected.weights.data(), param.data(), kSize * sizeof(std::uint16_t));
    for (auto* bytes : {&expected.below, &expected.m, &expected.v}) bytes->resize(kSize);
    expected.exponents.resize((kSize + 127) / 128);
    for (int t = 1; t <= 8; ++t) {
      for (std::size_t i = 0; i < kSize; ++i) {
        const std::uint64_t counter = static_cast<std::uint64_t>(limited ? 1 : t) << 32 | i;
        // Some groups get nothing at first, some elements never; scales differ by many binades.
        const bool none = !limited && (i % 17 == 5 || (i / 128 % 5 == 2 && t < 4));
        g[i] = none ? 0.0f : static_cast<float>(std::ldexp(random_number(counter), -static_cast<int>(i % 31)));
      }
      optimizer.step();
      expected.step(g, t);
      const StateDict dict = optimizer.state_dict();
      const StateDict::Entry& entry = dict.tensors.at("block.7.weight");
      const auto same = [](const std::vector<std::byte>& found, const std::vector<std::uint8_t>& wanted) {
        return found.size() == wanted.size() && std::memcmp(found.data(), wanted.data(), found.size()) == 0;
      };
      ASSERT_TRUE(same(entry.states.at("exp_avg_sq").exponents, expected.exponents)) << "step " << t;
      ASSERT_TRUE(same(entry.states.at("exp_avg_sq").bytes, expected.v)) << "step " << t;
      ASSERT_TRUE(same(entry.states.at("exp_avg").bytes, expected.m)) << "step " << t;
      ASSERT_TRUE(!expected.low || same(entry.weight_bits, expected.below)) << "step " << t;
      ASSERT_EQ(std::memcmp(param.data(), expected.weights.data(), kSize * sizeof(std::uint16_t)), 0) << "step " << t;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
