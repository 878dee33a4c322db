// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The sums of a step's statistics, as arrays.
#pragma once

#include <adamant/statistics.hpp>
#include <array>
#include <bit>
#include <cstddef>

namespace adamant {

inline constexpr std::size_t kSums = kMomentSums.size();
using Sums = std::array<double, kSums>;
static_assert(sizeof(Sums) == sizeof(MomentSums), "a field of MomentSums without its row in kMomentSums");

/// The place of a field.
constexpr std::size_t index_of(double MomentSums::* field) {
  MomentSums only{};
  only.*field = 1.0;
  const auto sums = std::bit_cast<Sums>(only);
  std::size_t index = 0;
  while (sums[index] == 0.0) ++index;
  return index;
}

static_assert(
    [] {
      for (std::size_t j = 0; j < kSums; ++j) {
        if (index_of(kMomentSums[j].field) != j) return false;
      }
      return true;
    }(),
    "kMomentSums is not in the order of the fields");

/// Those of two sets of elements together.
constexpr Sums joined(Sums a, const Sums& b) {
  for (std::size_t j = 0; j < kSums; ++j) {
    if (kMomentSums[j].largest) {
      a[j] = a[j] >= b[j] ? a[j] : b[j];
    } else {
      a[j] += b[j];
    }
  }
  return a;
}

/// Every sum times factor; the largest is none.
constexpr Sums scaled(Sums sums, double factor) {
  for (std::size_t j = 0; j < kSums; ++j) sums[j] *= kMomentSums[j].largest ? 1.0 : factor;
  return sums;
}

}  // namespace adamant
