// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The 16-bit formats by their definition, without any of the engine's code: which f32 numbers round to which code.
#pragma once

#include <adamant/format.hpp>
#include <bit>
#include <cmath>
#include <cstdint>

namespace adamant::testing {

struct HalfFormat {
  Format format;
  int mantissa_bits;
  int least_exponent;  // of a normal number
  std::uint16_t largest, infinity, nan;

  /// The magnitude that a code without sign stands for, if it is finite.
  [[nodiscard]] double value(std::uint32_t code) const {
    const std::uint32_t exponent = code >> mantissa_bits, mantissa = code & ((1u << mantissa_bits) - 1);
    const double fraction = std::ldexp(mantissa, -mantissa_bits);
    return exponent == 0 ? std::ldexp(fraction, least_exponent)
                         : std::ldexp(1.0 + fraction, least_exponent + static_cast<int>(exponent) - 1);
  }

  /// The bits of the least f32 >= 0 that becomes this code: to nearest, from half-way to even; what is finite stays
  /// finite.
  [[nodiscard]] std::uint32_t first(std::uint32_t code) const {
    if (code == 0) return 0;
    if (code == infinity) return 0x7F800000u;
    const double middle = (value(code - 1) + value(code)) / 2;  // a f32: it has one bit more than the format
    return std::bit_cast<std::uint32_t>(static_cast<float>(middle)) + code % 2;
  }
};

inline constexpr HalfFormat kHalfFormats[] = {{Format::bf16, 7, -126, 0x7F7F, 0x7F80, 0x7FC0},
                                              {Format::f16, 10, -14, 0x7BFF, 0x7C00, 0x7E00}};

}  // namespace adamant::testing
