// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Timing things against each other on a machine that is not quiet: turn by turn, and medians.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace adamant::bench {

/// Something whose speed is measured. Every call does the same work.
struct Contestant {
  std::string name;
  std::function<void()> call;
  std::function<void()> prepare{};  ///< called before every turn; not timed
};

/// Times of one call in nanoseconds, one for each round.
struct Times {
  std::vector<double> ns;
  [[nodiscard]] double min() const;
  [[nodiscard]] double median() const;
  [[nodiscard]] double max() const;
};

struct Budget {
  double seconds = 1.0;  ///< in all, for all contestants
  int rounds = 0;        ///< 0: as many as fit in `seconds`, and at least kMinRounds
  static constexpr int kMinRounds = 5;
};

/// Median time of a ÷ median time of b.
[[nodiscard]] double ratio(const Times& a, const Times& b);

/// Times the contestants in rounds: in each round every contestant has its turn, in the other order every second round,
/// so that what slows the machine for a while slows all of them. A turn has as many calls as take two milliseconds,
/// after calls that are not timed and bring its memory back into cache.
[[nodiscard]] std::vector<Times> measure(const std::vector<Contestant>& contestants, const Budget& budget);

}  // namespace adamant::bench
