// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Four vectors at once: lane l of vector j holds element 4·l + j. So codes of one byte are taken from 32-bit words and
// put back by shifts and masks, without moving anything between lanes.
#if defined(ADAMANT_KERNEL_QUADS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_QUADS_INL_H_
#undef ADAMANT_KERNEL_QUADS_INL_H_
#else
#define ADAMANT_KERNEL_QUADS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR  // one lane has no quads

/// Every word moved up by kBits, or down by -kBits.
template <int kBits, class D>
HWY_INLINE Bits<D> moved(Bits<D> words) {
  if constexpr (kBits > 0) return words.template up<kBits>();
  if constexpr (kBits < 0) return words.template down<-kBits>();
  if constexpr (kBits == 0) return words;
}

/// Each, plus `plus`, in bits kAt to kAt + 7 of its word, between others. Returns them as they are packed.
template <int kAt, class D>
HWY_INLINE Bits<D> load_bytes(D, const std::uint8_t* from, Bits<D> (&to)[4], std::uint8_t plus = 0) {
  const hn::Repartition<std::uint8_t, D> narrow;
  const Bits<D> bytes{hn::BitCast(hn::RebindToUnsigned<D>(), hn::Add(hn::LoadU(narrow, from), hn::Set(narrow, plus)))};
  to[0] = moved<kAt, D>(bytes);
  to[1] = moved<kAt - 8, D>(bytes);
  to[2] = moved<kAt - 16, D>(bytes);
  to[3] = moved<kAt - 24, D>(bytes);
  return bytes;
}

/// Bits kAt to kAt + 7 of each word, whatever is around them, less `minus`.
template <int kAt, class D>
HWY_INLINE void store_bytes(D, const Bits<D> (&from)[4], std::uint8_t* to, std::uint8_t minus = 0) {
  const hn::Repartition<std::uint8_t, D> narrow;
  Bits<D> bytes = moved<-kAt, D>(from[0]) & 0xFFu;
  bytes = or_masked(bytes, moved<8 - kAt, D>(from[1]), 0xFF00u);
  bytes = or_masked(bytes, moved<16 - kAt, D>(from[2]), 0xFF0000u);
  bytes = or_masked(bytes, moved<24 - kAt, D>(from[3]), 0xFF000000u);
  hn::StoreU(hn::Sub(hn::BitCast(narrow, bytes.v), hn::Set(narrow, minus)), narrow, to);
}

/// Bits of `yes` where those of the mask are set, otherwise of `no`.
template <class D>
HWY_INLINE Bits<D> chosen(std::uint32_t mask, Bits<D> yes, Bits<D> no) {
#if HWY_TARGET <= HWY_AVX3  // one instruction, which others have for whole lanes only
  return {hn::IfVecThenElse(Bits<D>::of(mask).v, yes.v, no.v)};
#else
  return or_masked(yes & mask, no, ~mask);
#endif
}
/// Bytes of `lower` in the lower bytes of halves, of `upper` in the upper ones.
template <class D>
HWY_INLINE Bits<D> joined_bytes(Bits<D> lower, Bits<D> upper) {
  const hn::RebindToUnsigned<D> du;
  const hn::Repartition<std::uint8_t, D> bytes;
  return {hn::BitCast(du, hn::IfVecThenElse(hn::BitCast(bytes, hn::Set(du, 0x00FF00FFu)), hn::BitCast(bytes, lower.v),
                                            hn::BitCast(bytes, upper.v)))};
}

/// Every half of a word moved up by kBits, or down by -kBits.
template <int kBits, class D>
HWY_INLINE Bits<D> halves_moved(Bits<D> words) {
  const hn::RebindToUnsigned<D> du;
  const auto halves = hn::BitCast(hn::Repartition<std::uint16_t, D>(), words.v);
  if constexpr (kBits > 0) {
    return {hn::BitCast(du, hn::ShiftLeft<kBits>(halves))};
  } else {
    return {hn::BitCast(du, hn::ShiftRight<-kBits>(halves))};
  }
}

/// The upper halves of the words of a and b, as the lower and the upper half of one word.
template <class D>
HWY_INLINE Bits<D> upper_halves(Bits<D> a, Bits<D> b) {
  const hn::Repartition<std::uint16_t, D> halves;
  return {hn::BitCast(hn::RebindToUnsigned<D>(),
                      hn::OddEven(hn::BitCast(halves, b.v), hn::BitCast(halves, a.template down<16>().v)))};
}
/// The lower ones.
template <class D>
HWY_INLINE Bits<D> lower_halves(Bits<D> a, Bits<D> b) {
  const hn::Repartition<std::uint16_t, D> halves;
  return {hn::BitCast(hn::RebindToUnsigned<D>(),
                      hn::OddEven(hn::BitCast(halves, b.template up<16>().v), hn::BitCast(halves, a.v)))};
}

/// Halves in pairs: the words of `low` hold elements 4·l and 4·l + 1, those of `high` 4·l + 2 and 4·l + 3.
template <class D>
struct HalfPairs {
  Bits<D> low, high;

  HWY_INLINE static HalfPairs load(D d, const std::uint16_t* from) {
    const hn::RebindToUnsigned<D> du;
    const hn::Repartition<std::uint16_t, D> narrow;
    const auto first = hn::BitCast(du, hn::LoadU(narrow, from));
    const auto second = hn::BitCast(du, hn::LoadU(narrow, from + 2 * hn::Lanes(d)));
    return {{hn::ConcatEven(du, second, first)}, {hn::ConcatOdd(du, second, first)}};
  }
  HWY_INLINE void store(D, std::uint16_t* to) const {
    const hn::RebindToUnsigned<D> du;
    const hn::Repartition<std::uint16_t, D> narrow;
    constexpr std::size_t kLanes = hn::MaxLanes(hn::RebindToUnsigned<D>());
    const auto put = [&](auto words, std::size_t at)
                         HWY_ATTR { hn::StoreU(hn::BitCast(narrow, words), narrow, to + at); };
    if constexpr (kLanes == 4) {
      put(hn::InterleaveLower(du, low.v, high.v), 0);
      put(hn::InterleaveUpper(du, low.v, high.v), 2 * kLanes);
    } else {
      std::int32_t order[kLanes];
      for (std::size_t l = 0; l < kLanes; ++l) order[l] = static_cast<std::int32_t>(l % 2 * kLanes / 2 + l / 2);
      const auto zip = hn::SetTableIndices(du, order);
      put(hn::TableLookupLanes(hn::ConcatLowerLower(du, high.v, low.v), zip), 0);
      put(hn::TableLookupLanes(hn::ConcatUpperUpper(du, high.v, low.v), zip), 2 * kLanes);
    }
  }
  /// As the upper halves of words; what lies below is zero.
  HWY_INLINE void split(Bits<D> (&to)[4]) const {
    to[0] = low.template up<16>();
    to[1] = low & 0xFFFF0000u;
    to[2] = high.template up<16>();
    to[3] = high & 0xFFFF0000u;
  }
  /// From the upper halves of words, whatever lies below.
  HWY_INLINE static HalfPairs join(const Bits<D> (&from)[4]) {
    return {upper_halves<D>(from[0], from[1]), upper_halves<D>(from[2], from[3])};
  }
  /// From the lower halves.
  HWY_INLINE static HalfPairs join_lower(const Bits<D> (&from)[4]) {
    return {lower_halves<D>(from[0], from[1]), lower_halves<D>(from[2], from[3])};
  }
  /// Of every half, in either half of each word.
  HWY_INLINE Bits<D> all_bits() const { return low | high; }
  /// No half has a larger magnitude.
  HWY_INLINE bool all_within(std::uint32_t magnitude) const {
    const hn::Repartition<std::int16_t, D> halves;
    const auto limit = hn::Set(halves, static_cast<std::int16_t>(magnitude));
    const auto a = hn::BitCast(halves, (low & 0x7FFF7FFFu).v);
    const auto b = hn::BitCast(halves, (high & 0x7FFF7FFFu).v);
    return hn::AllFalse(halves, hn::Gt(hn::Max(a, b), limit));
  }
};

#endif

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
