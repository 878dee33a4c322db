// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// f64 scalars of a step, from + - × ÷ √ only: libm's pow differs between systems.
#pragma once

#include <cstdint>

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

}  // namespace adamant
