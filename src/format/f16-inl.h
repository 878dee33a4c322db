// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// IEEE-754 binary16: 5 exponent bits, 10 mantissa bits. The arithmetic is exact or rounds to nearest even, without the
// hardware's own conversions.
#if defined(ADAMANT_FORMAT_F16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_F16_INL_H_
#undef ADAMANT_FORMAT_F16_INL_H_
#else
#define ADAMANT_FORMAT_F16_INL_H_
#endif

#include <cstdint>

#include "format/half-inl.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

struct F16Code {
  static constexpr std::uint32_t kLargestCommon = 0x477FEFFFu;  // just below 65520, which would round to infinity
  static constexpr std::uint32_t kLargestFinite = 0x7BFFu;
  static constexpr std::uint32_t kInfinity = 0x7C00u;
  static constexpr std::uint32_t kNan = 0x7E00u;

  template <class D>
  HWY_INLINE static Floats<D> decode(Bits<D> code) {
    const Bits<D> sign = (code & 0x8000u).template up<16>();
    const Bits<D> magnitude = code & 0x7FFFu;
    const Bits<D> shifted = magnitude.template up<13>();
    Bits<D> bits = shifted + kRebias;
    bits = select(magnitude > 0x7BFFu, bits + kRebias, bits);  // infinity and NaN: the exponent field is all ones
    // A subnormal is its mantissa in units of 2^-24: give it the exponent of 2^-14, then take 2^-14 away.
    const Bits<D> smallest = Bits<D>::of(kSmallestNormal);
    const Bits<D> subnormal = bits_of(floats_of(shifted + smallest) - floats_of(smallest));
    return floats_of(select(magnitude > 0x03FFu, bits, subnormal) | sign);
  }

  /// Nearest even, in the low 16 bits.
  template <class D>
  HWY_INLINE static Bits<D> encode(Bits<D> bits) {
    const Bits<D> magnitude = bits & 0x7FFFFFFFu;
    const Bits<D> sign = (bits & 0x80000000u).template down<16>();
    const Bits<D> normal = (magnitude + (magnitude.template down<13>() & 1u) + 0x0FFFu - kRebias).template down<13>();
    // In the sum with 0.5 the last place is 2^-24, that of a subnormal f16: the addition does the rounding.
    const Bits<D> half = Bits<D>::of(0x3F000000u);
    const Bits<D> subnormal = bits_of(floats_of(magnitude) + floats_of(half)) - half;
    return select(magnitude > kSmallestNormal - 1u, normal, subnormal) | sign;
  }

 private:
  // Distance of the two exponent biases, 127 - 15, in a f32's exponent field.
  static constexpr std::uint32_t kRebias = 112u << 23;
  // The smallest normal f16, 2^-14, as a f32.
  static constexpr std::uint32_t kSmallestNormal = 113u << 23;
};
using F16 = Half<F16Code>;

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
