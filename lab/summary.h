// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Mean and spread over seeds.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace adamant::lab {

struct Summary {
  std::size_t count = 0;
  double mean = 0.0;
  double deviation = 0.0;  ///< sample standard deviation; 0 for fewer than two values
};

[[nodiscard]] inline Summary summarize(std::span<const double> values) {
  Summary summary{.count = values.size()};
  if (values.empty()) return summary;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) summary.mean += value / count;
  if (values.size() < 2) return summary;
  double squares = 0.0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = std::sqrt(squares / (count - 1.0));
  return summary;
}

/// Of so many values, at least two, how many standard errors their mean lies from zero at most in 95 of 100 cases if it
/// is zero: Student's t.
[[nodiscard]] inline double student(std::size_t values) {
  constexpr std::array kAt = {12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};
  return kAt[std::min(values - 2, kAt.size() - 1)];
}

}  // namespace adamant::lab
