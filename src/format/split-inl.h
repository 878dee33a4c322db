// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Weights as a bf16 array that the forward pass reads, and the bits below it in a second array. What the user's array
// shows is the nearest bf16 but for ties; the sum of both is the weight. The low half is signed.
//
// In place: the bf16 is the upper half of a word, a low part is the top of a word of its own.
#if defined(ADAMANT_FORMAT_SPLIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_SPLIT_INL_H_
#undef ADAMANT_FORMAT_SPLIT_INL_H_
#else
#define ADAMANT_FORMAT_SPLIT_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "format/log_linear-inl.h"
#include "format/rounding.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

// The largest sum of halves that is not below a zero: the NaN with the largest payload.
inline constexpr std::uint32_t kLargestWeight = 0x7FFF7FFFu;

template <class D>
HWY_INLINE Floats<D> as_weight(Bits<D> high, Bits<D> low) {
  return floats_of(high + low.template signed_down<16>());
}

/// Where the bf16 is a zero that the user wrote over another number, low bits below 0 would make it a NaN: they do not
/// count.
template <class D>
HWY_INLINE Floats<D> as_written_weight(Bits<D> high, Bits<D> low) {
  const Bits<D> bits = bits_of(as_weight<D>(high, low));
  return floats_of(select((bits & 0x7FFFFFFFu) > kLargestWeight, high, bits));
}

/// In the low bits.
template <class D>
HWY_INLINE Bits<D> load_short(D, const std::uint16_t* from) {
  const hn::Rebind<std::uint16_t, D> narrow;
  return {hn::PromoteTo(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))};
}

/// The low bits; those above are ignored.
template <class D>
HWY_INLINE void store_short(D, Bits<D> codes, std::uint16_t* to) {
  const hn::Rebind<std::uint16_t, D> narrow;
  hn::StoreU(hn::TruncateTo(narrow, codes.v), narrow, to);
}

// From here on a sum of halves could reach infinity; also what is not finite.
inline constexpr std::uint32_t kRareWeight = 0x7F7F0000u;

/// All 32 bits: 16 and 16. The weight is exact.
struct Split16 {
  using Low = std::uint16_t;
  static constexpr std::size_t kLowBytes = 2;
  template <class D>
  HWY_INLINE static Floats<D> load(D d, const std::uint16_t* high, const Low* low) {
    return as_written_weight<D>(load_short(d, high).template up<16>(), load_short(d, low).template up<16>());
  }
  /// The bits of a finite weight rounded to what is kept, and its high half in place.
  template <class D>
  HWY_INLINE static Bits<D> rounded(Floats<D> value, Bits<D>) {
    return bits_of(value);
  }
  template <class D>
  HWY_INLINE static Bits<D> high(Bits<D> rounded) {
    return rounded + 0x8000u;
  }
  template <class D>
  HWY_INLINE static void store(D d, Floats<D> value, const Rounding&, std::size_t, std::uint16_t* high, Low* low) {
    const Bits<D> bits = bits_of(value);
    const Bits<D> code = Split16::high(bits).template down<16>();
    const Bits<D> magnitude = bits & 0x7FFFFFFFu;
    // A NaN with a full payload would show as -0: it becomes the one NaN.
    const auto nan = magnitude > 0x7F800000u;
    store_short(d, select(nan, Bits<D>::of(0x7FC0u), code), high);
    store_short(d, select(nan, Bits<D>::of(0u), bits), low);
  }
};

/// 24 bits: 16 and 8, dithered.
struct Split8 {
  using Low = std::uint8_t;
  static constexpr std::size_t kLowBytes = 1;
  template <class D>
  HWY_INLINE static Floats<D> load(D d, const std::uint16_t* high, const Low* low) {
    return as_written_weight<D>(load_short(d, high).template up<16>(), load_byte(d, low).template up<24>());
  }
  /// The low byte is the second lowest one of the rounded bits.
  template <class D>
  HWY_INLINE static Bits<D> rounded(Floats<D> value, Bits<D> word) {
    return bits_of(value) + word.template down<24>();
  }
  template <class D>
  HWY_INLINE static Bits<D> high(Bits<D> rounded) {
    return rounded + 0x8000u;
  }
  template <class D>
  HWY_INLINE static void store(D d, Floats<D> value, const Rounding& rounding, std::size_t i, std::uint16_t* high,
                               Low* low) {
    const Bits<D> bits = bits_of(value);
    const Bits<D> kept = rounded(value, words(d, rounding, i));
    Bits<D> code = Split8::high(kept).template down<16>();
    Bits<D> rest = kept.template down<8>();
    const Bits<D> magnitude = bits & 0x7FFFFFFFu;
    if (HWY_UNLIKELY(any_above(magnitude, kRareWeight))) {
      const auto rare = magnitude > kRareWeight;
      const Bits<D> sign = (bits & 0x80000000u).template down<16>();
      code = select(rare, sign | 0x7F7Fu, code);
      // Between the largest bf16 and infinity the low byte counts up to its largest value.
      const Bits<D> above = ((kept & 0x7FFFFFFFu) - kRareWeight).template down<8>();
      rest = select(rare, smaller(above, Bits<D>::of(127u)), rest);
      const auto infinite = magnitude > 0x7F7FFFFFu;
      code = select(infinite, sign | 0x7F80u, code);
      rest = select(infinite, Bits<D>::of(0u), rest);
      code = select(magnitude > 0x7F800000u, Bits<D>::of(0x7FC0u), code);
    }
    store_short(d, code, high);
    store_byte(d, rest & 0xFFu, low);
  }
};

/// bf16 alone, dithered.
struct DitheredBf16 {
  static constexpr std::size_t kLowBytes = 0;
  template <class D>
  HWY_INLINE static Bits<D> rounded(Floats<D> value, Bits<D> word) {
    return bits_of(value) + word.template down<16>();
  }
  template <class D>
  HWY_INLINE static Bits<D> high(Bits<D> rounded) {
    return rounded;
  }
  template <class D>
  HWY_INLINE static void store(D d, Floats<D> value, const Rounding& rounding, std::size_t i, std::uint16_t* to) {
    const Bits<D> bits = bits_of(value);
    Bits<D> code = rounded(value, words(d, rounding, i)).template down<16>();
    const Bits<D> magnitude = bits & 0x7FFFFFFFu;
    if (HWY_UNLIKELY(any_above(magnitude, kRareWeight))) {
      const auto rare = magnitude > kRareWeight;
      const Bits<D> sign = (bits & 0x80000000u).template down<16>();
      code = select(rare, sign | 0x7F7Fu, code);
      code = select(magnitude > 0x7F7FFFFFu, sign | 0x7F80u, code);
      code = select(magnitude > 0x7F800000u, Bits<D>::of(0x7FC0u), code);
    }
    store_short(d, code, to);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
