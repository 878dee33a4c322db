// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Two classic test functions with known minimum, in f64.
#pragma once

#include <cstddef>
#include <span>

namespace adamant::lab {

/// How curved the ravine is along axis i of n: from 1 to 1000, evenly on a logarithmic scale.
[[nodiscard]] double ravine_curvature(std::size_t i, std::size_t n);

/// The quadratic ½ Σ c_i (x_i - 1)² with those curvatures: steep across, shallow along. Minimum 0 at all ones.
double ravine(std::span<const double> x, std::span<double> grad);

/// The valley Σ 100 (b - a²)² + (1 - a)² over pairs (a, b) of coordinates (Rosenbrock 1960). Minimum 0 at all ones.
double rosenbrock(std::span<const double> x, std::span<double> grad);

}  // namespace adamant::lab
