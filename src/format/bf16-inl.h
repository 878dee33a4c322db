// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// bfloat16: the upper half of a f32. All of it is integer arithmetic: hardware conversions flush denormals on some
// CPUs.
#if defined(ADAMANT_FORMAT_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_BF16_INL_H_
#undef ADAMANT_FORMAT_BF16_INL_H_
#else
#define ADAMANT_FORMAT_BF16_INL_H_
#endif

#include <cstdint>

#include "format/half-inl.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

struct Bf16Code {
  static constexpr std::uint32_t kLargestCommon = 0x7F7F7FFFu;  // the largest f32 that rounds to a finite number
  static constexpr std::uint32_t kLargestFinite = 0x7F7Fu;
  static constexpr std::uint32_t kInfinity = 0x7F80u;
  static constexpr std::uint32_t kNan = 0x7FC0u;

  template <class D>
  HWY_INLINE static Floats<D> decode(Bits<D> code) {
    return floats_of(code.template up<16>());
  }

  /// Nearest even, in the low 16 bits.
  template <class D>
  HWY_INLINE static Bits<D> encode(Bits<D> bits) {
    return rounded(bits).template down<16>();
  }

  /// The same in the upper 16 bits, above anything.
  template <class D>
  HWY_INLINE static Bits<D> rounded(Bits<D> bits) {
    // Half a unit of the last kept place, less one bit unless that place is odd.
    return bits + (bits.template down<16>() & 1u) + 0x7FFFu;
  }
};
using BF16 = Half<Bf16Code>;

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
