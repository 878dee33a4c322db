// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Random numbers that are a pure function of (seed, stream, index): no state, no order, the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace adamant::lab {

// What a stream is for; a model's weights take one each from kWeightStream on.
constexpr std::uint64_t kBatchStream = 0;
constexpr std::uint64_t kNoiseStream = 1;
constexpr std::uint64_t kStartStream = 2;
constexpr std::uint64_t kWeightStream = 16;

/// One stream of random numbers, addressed by index. Mixing function: SplitMix64 (Steele, Lea & Flood 2014).
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : key_(mix(mix(seed) + stream)) {}

  /// 64 random bits.
  [[nodiscard]] std::uint64_t bits(std::uint64_t index) const { return mix(key_ + index * 0x9e3779b97f4a7c15); }
  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform(std::uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }
  /// Uniform in {0, ..., bound-1} for a bound up to 2^32; the bias is below bound / 2^32.
  [[nodiscard]] std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    return ((bits(index) >> 32) * bound) >> 32;
  }
  /// Standard normal (Box & Muller 1958).
  [[nodiscard]] double normal(std::uint64_t index) const {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * index)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * index + 1));
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
};

}  // namespace adamant::lab
