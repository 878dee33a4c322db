// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Figures that are means over seeds.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lab/claims/claims.h"
#include "lab/summary.h"

namespace adamant::lab {

/// one[i] - other[i]
[[nodiscard]] inline std::vector<double> minus(std::vector<double> one, const std::vector<double>& other) {
  std::ranges::transform(one, other, one.begin(), std::minus<>());
  return one;
}

/// Told for its own sake.
[[nodiscard]] inline Figure told(std::string id, std::string what, std::span<const double> of_seeds) {
  const Summary summary = summarize(of_seeds);
  return {.id = std::move(id),
          .what = std::move(what),
          .measured = summary.mean,
          .check = Check::none,
          .standard_error = summary.deviation / std::sqrt(static_cast<double>(summary.count))};
}
[[nodiscard]] inline Figure told(std::string id, std::string what, double value) {
  return told(std::move(id), std::move(what), {&value, 1});
}

/// That the mean of two values or more is above `theory`: by Student's t at 95 %, and by `least`.
[[nodiscard]] inline Figure above(double theory, std::string id, std::string what, std::span<const double> of_seeds,
                                  double least = 0.0) {
  Figure figure =
      told(std::move(id), std::move(what) + ", mean over " + std::to_string(of_seeds.size()) + " seeds", of_seeds);
  figure.theory = theory;
  figure.tolerance = std::max(student(of_seeds.size()) * figure.standard_error, least);
  figure.check = Check::at_least;
  return figure;
}

}  // namespace adamant::lab
