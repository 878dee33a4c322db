// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/landscapes.h"

#include <cmath>

namespace adamant::lab {

double ravine_curvature(std::size_t i, std::size_t n) {
  return std::pow(1000.0, static_cast<double>(i) / static_cast<double>(n - 1));
}

double ravine(std::span<const double> x, std::span<double> grad) {
  double loss = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    grad[i] = ravine_curvature(i, x.size()) * (x[i] - 1.0);
    loss += 0.5 * grad[i] * (x[i] - 1.0);
  }
  return loss;
}

double rosenbrock(std::span<const double> x, std::span<double> grad) {
  double loss = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    const double a = x[i], b = x[i + 1];
    const double across = b - a * a;
    loss += 100.0 * across * across + (1.0 - a) * (1.0 - a);
    grad[i] = -400.0 * a * across - 2.0 * (1.0 - a);
    grad[i + 1] = 200.0 * across;
  }
  return loss;
}

}  // namespace adamant::lab
