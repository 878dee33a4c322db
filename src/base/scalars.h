// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// f64 scalars of a step, from + - × ÷ √ only: libm's pow differs between systems.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace adamant {

/// base^exponent by repeated squaring: the same bits everywhere, and for a resumed run.
constexpr double integer_power(double base, std::uint64_t exponent) {
  double result = 1.0;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

/// Rounded once; what is too large for T becomes its largest finite number.
template <class T>
constexpr T saturating(double value) {
  constexpr double kLargest = std::numeric_limits<T>::max();
  return static_cast<T>(value > kLargest ? kLargest : value);
}

/// The smallest gradient whose square is not lost in a second moment that adds `fresh`·g². First moments hold far
/// smaller ones.
template <class T>
double smallest_gradient(double fresh) {
  return std::sqrt(static_cast<double>(std::numeric_limits<T>::denorm_min())) / std::sqrt(fresh);
}

/// ε as it is added: at least `least`, so that 0/(0+ε) is 0, and no step is long because what should have divided it
/// was lost.
template <class T>
T positive(double eps, double least = std::numeric_limits<T>::min()) {
  return static_cast<T>(eps > least ? eps : least);
}

}  // namespace adamant
