// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A 16-bit format: a Code says how 16 bits become the bits of a f32 and back, and which of them its fast encoding gets
// right: `rare` holds for magnitudes (bits without the sign) that need encode_rare.
#if defined(ADAMANT_FORMAT_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_HALF_INL_H_
#undef ADAMANT_FORMAT_HALF_INL_H_
#else
#define ADAMANT_FORMAT_HALF_INL_H_
#endif

#include <cstdint>

#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <class Code>
struct Half {
  using Stored = std::uint16_t;

  template <class D>
  HWY_INLINE static Floats<D> load(D, const Stored* from) {
    const hn::Rebind<std::uint16_t, D> narrow;
    return Code::decode(Bits<D>{hn::PromoteTo(hn::RebindToUnsigned<D>(), hn::LoadU(narrow, from))});
  }

  template <class D>
  HWY_INLINE static void store(D, Floats<D> value, Stored* to) {
    const hn::Rebind<std::uint16_t, D> narrow;
    const Bits<D> bits = bits_of(value);
    Bits<D> code = Code::encode(bits);
    if (HWY_UNLIKELY(any_above(bits & kMagnitude, Code::kLargestCommon))) code = encode_rare(bits, code);
    hn::StoreU(hn::TruncateTo(narrow, code.v), narrow, to);
  }

 private:
  static constexpr std::uint32_t kMagnitude = 0x7FFFFFFFu;

  // What would round to infinity stays finite, infinity is infinity, every NaN is the one NaN.
  template <class D>
  static HWY_NOINLINE Bits<D> encode_rare(Bits<D> bits, Bits<D> common) {
    const Bits<D> magnitude = bits & kMagnitude;
    const Bits<D> sign = (bits & 0x80000000u).template down<16>();
    Bits<D> code = select(magnitude > Code::kLargestCommon, sign | Code::kLargestFinite, common);
    code = select(magnitude > 0x7F7FFFFFu, sign | Code::kInfinity, code);
    return select(magnitude > 0x7F800000u, Bits<D>::of(Code::kNan), code) & 0xFFFFu;
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
