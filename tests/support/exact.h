// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Numbers that are exact for every purpose here: MPFR with 200 bits.
#pragma once

#include <mpfr.h>

#include <cmath>
#include <cstdint>

namespace adamant::testing {

class Exact {
 public:
  Exact(double value = 0.0) {
    mpfr_init2(x_, kBits);
    mpfr_set_d(x_, value, MPFR_RNDN);
  }
  Exact(const Exact& other) {
    mpfr_init2(x_, kBits);
    mpfr_set(x_, other.x_, MPFR_RNDN);
  }
  Exact& operator=(const Exact& other) {
    mpfr_set(x_, other.x_, MPFR_RNDN);
    return *this;
  }
  ~Exact() { mpfr_clear(x_); }

  friend Exact operator+(Exact a, const Exact& b) { return a.apply(mpfr_add, b); }
  friend Exact operator-(Exact a, const Exact& b) { return a.apply(mpfr_sub, b); }
  friend Exact operator*(Exact a, const Exact& b) { return a.apply(mpfr_mul, b); }
  friend Exact operator/(Exact a, const Exact& b) { return a.apply(mpfr_div, b); }
  friend Exact sqrt(Exact a) {
    mpfr_sqrt(a.x_, a.x_, MPFR_RNDN);
    return a;
  }
  friend Exact abs(Exact a) {
    mpfr_abs(a.x_, a.x_, MPFR_RNDN);
    return a;
  }
  friend Exact power(Exact base, std::uint64_t exponent) {
    mpfr_pow_ui(base.x_, base.x_, exponent, MPFR_RNDN);
    return base;
  }
  /// Rounded once.
  explicit operator double() const { return mpfr_get_d(x_, MPFR_RNDN); }
  explicit operator float() const { return mpfr_get_flt(x_, MPFR_RNDN); }

 private:
  static constexpr mpfr_prec_t kBits = 200;
  template <class Operation>
  Exact& apply(Operation operation, const Exact& b) {
    operation(x_, x_, b.x_, MPFR_RNDN);
    return *this;
  }
  mpfr_t x_;
};

/// Distance in units of the last place that numbers of the size of `at` have as f32 (24 bits) or f64 (53).
inline double ulps_f32(const Exact& value, const Exact& exact, const Exact& at) {
  return static_cast<double>(abs(value - exact)) / std::ldexp(1.0, std::ilogb(static_cast<double>(at)) - 23);
}
inline double ulps_f64(const Exact& value, const Exact& exact) {
  return static_cast<double>(abs(value - exact)) / std::ldexp(1.0, std::ilogb(static_cast<double>(exact)) - 52);
}

}  // namespace adamant::testing
