// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a run remembers of its losses.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <optional>

namespace adamant::lab {

struct Losses {
  std::optional<double> first{};
  double latest = 0.0;
  std::array<double, 20> recent{};  ///< the last few, in turn
  std::uint64_t count = 0;

  void add(double loss) {
    if (!first) first = loss;
    latest = loss;
    recent[count++ % recent.size()] = loss;
  }
  /// Whether they have grown beyond all bounds. One that is not finite comes late or never: the engine keeps states
  /// finite.
  [[nodiscard]] bool diverged() const { return first && !(latest <= 1000.0 * *first); }
  /// Whether the last few are on average this low.
  [[nodiscard]] bool below(double target) const {
    return count >= recent.size() &&
           std::accumulate(recent.begin(), recent.end(), 0.0) <= target * static_cast<double>(recent.size());
  }
};

}  // namespace adamant::lab
