// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A power law through points.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace adamant::lab {

/// y = exp(mean_y)·(x/exp(mean_x))^slope
struct PowerLaw {
  double slope, mean_x, mean_y;  ///< the means of the logarithms
};

/// Least squares between the logarithms. All numbers are above 0.
[[nodiscard]] inline PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y) {
  double mean_x = 0.0, mean_y = 0.0, xx = 0.0, xy = 0.0;
  const auto count = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) mean_x += std::log(x[i]) / count, mean_y += std::log(y[i]) / count;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double away = std::log(x[i]) - mean_x;
    xx += away * away, xy += away * (std::log(y[i]) - mean_y);
  }
  return {xy / xx, mean_x, mean_y};
}

}  // namespace adamant::lab
