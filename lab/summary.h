// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Mean and spread over seeds.
#pragma once

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

}  // namespace adamant::lab
