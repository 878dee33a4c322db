// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A turn of a fused loop: four vectors of elements, which go through each stage together. A stream decodes a turn of
// what it keeps, encodes what has become of it, and stores that when nothing in the turn turned out to be rare.
#if defined(ADAMANT_KERNEL_TURNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_TURNS_INL_H_
#undef ADAMANT_KERNEL_TURNS_INL_H_
#else
#define ADAMANT_KERNEL_TURNS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "format/bf16-inl.h"
#include "format/f16-inl.h"
#include "format/rounding.h"
#include "format/split-inl.h"
#include "kernel/kernels.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR  // one lane has no pairs

using Wide = hn::ScalableTag<float>;
using F = Floats<Wide>;
using B = Bits<Wide>;
using HalfLanes = hn::Repartition<std::uint16_t, Wide>;
using Halves = hn::Vec<HalfLanes>;

constexpr std::size_t kLanes = hn::MaxLanes(Wide());
constexpr int kVectors = 4;
constexpr std::size_t kLoopTurn = kVectors * kLanes;
static_assert(kLoopTurn <= kTurn);

HWY_INLINE Halves halves_of(B words) { return hn::BitCast(HalfLanes(), words.v); }
HWY_INLINE B words_of(Halves halves) { return {hn::BitCast(B::DU(), halves)}; }

// ---- Which elements the lanes of a turn hold. A pair is two vectors: 0 and 1, or 2 and 3.

/// A pair holds the even and the odd elements: codes of 16 bits are taken apart and put together where they are.
struct EvenOdd {
  /// Are all states in 16 bits? Then a NaN of theirs has zeros below the bits of a bf16, since no gradient is one; but
  /// for that of a weight, which decays in the gradient, and then the new weight is a NaN, too, and its stream sees it.
  static constexpr bool kNarrowStates = true;
  static constexpr std::uint32_t kStride = 2;

  HWY_INLINE static void load(const float* from, F (&to)[kVectors]) {
    for (int j = 0; j < kVectors; j += 2) {
      hn::LoadInterleaved2(Wide(), from + j * static_cast<int>(kLanes), to[j].v, to[j + 1].v);
    }
  }
  HWY_INLINE static void store(const F (&from)[kVectors], float* to) {
    for (int j = 0; j < kVectors; j += 2) {
      hn::StoreInterleaved2(from[j].v, from[j + 1].v, Wide(), to + j * static_cast<int>(kLanes));
    }
  }
  /// In the upper halves of words, above zeros.
  HWY_INLINE static void load_upper(const std::uint16_t* from, B (&to)[kVectors]) {
    for (int j = 0; j < kVectors; j += 2) {
      const B both = words_of(hn::LoadU(HalfLanes(), from + j * static_cast<int>(kLanes)));
      to[j] = both.up<16>();
      to[j + 1] = both & 0xFFFF0000u;
    }
  }
  /// In the lower halves, below anything.
  HWY_INLINE static void load_lower(const std::uint16_t* from, B (&to)[kVectors]) {
    for (int j = 0; j < kVectors; j += 2) {
      to[j] = words_of(hn::LoadU(HalfLanes(), from + j * static_cast<int>(kLanes)));
      to[j + 1] = to[j].down<16>();
    }
  }
  template <class Split>
  HWY_INLINE static void load_weights(const std::uint16_t* high, const typename Split::Low* low, F (&to)[kVectors]) {
    const hn::RebindToSigned<HalfLanes> signed_halves;
    for (int j = 0; j < kVectors; j += 2) {
      const int at = j * static_cast<int>(kLanes);
      const Halves below = load_low(low + at);
      // What is below zero borrows from the half above it.
      const Halves borrow = hn::BitCast(HalfLanes(), hn::ShiftRight<15>(hn::BitCast(signed_halves, below)));
      const Halves above = hn::Add(hn::LoadU(HalfLanes(), high + at), borrow);
      to[j] = floats_of(or_masked(words_of(above).template up<16>(), words_of(below), 0xFFFFu));
      to[j + 1] = floats_of(words_of(hn::OddEven(above, halves_of(words_of(below).template down<16>()))));
    }
  }
  /// The upper halves of a pair's words, in the order of the elements.
  HWY_INLINE static Halves upper(B even, B odd) { return hn::OddEven(halves_of(odd), halves_of(even.down<16>())); }
  HWY_INLINE static Halves lower(B even, B odd) { return hn::OddEven(halves_of(odd.up<16>()), halves_of(even)); }
  /// bf16, to nearest even.
  HWY_INLINE static Halves nearest(B even, B odd) {
    const Halves above = upper(even, odd);
    const Halves below = lower(even, odd);
    // Half a unit of the last kept place, less one bit unless that place is odd; and one bit that the average adds.
    const Halves half = hn::Or(hn::And(above, hn::Set(HalfLanes(), 1)), hn::Set(HalfLanes(), 0x7FFE));
    return hn::Add(above, hn::ShiftRight<15>(hn::AverageRound(below, half)));
  }

 private:
  HWY_INLINE static Halves load_low(const std::uint16_t* from) { return hn::LoadU(HalfLanes(), from); }
  HWY_INLINE static Halves load_low(const std::uint8_t* from) {
    const hn::Rebind<std::uint8_t, HalfLanes> bytes;
    return hn::ShiftLeft<8>(hn::PromoteTo(HalfLanes(), hn::LoadU(bytes, from)));
  }
};

/// One vector holds the elements behind those of another: nothing has to be done for f32.
struct InOrder {
  static constexpr bool kNarrowStates = false;
  static constexpr std::uint32_t kStride = 1;

  HWY_INLINE static void load(const float* from, F (&to)[kVectors]) {
    for (int j = 0; j < kVectors; ++j) to[j] = F::load(from + j * static_cast<int>(kLanes));
  }
  HWY_INLINE static void store(const F (&from)[kVectors], float* to) {
    for (int j = 0; j < kVectors; ++j) from[j].store(to + j * static_cast<int>(kLanes));
  }
  HWY_INLINE static void load_upper(const std::uint16_t* from, B (&to)[kVectors]) {
    load_lower(from, to);
    for (B& code : to) code = code.up<16>();
  }
  HWY_INLINE static void load_lower(const std::uint16_t* from, B (&to)[kVectors]) {
    for (int j = 0; j < kVectors; ++j) to[j] = load_short(Wide(), from + j * static_cast<int>(kLanes));
  }
  template <class Split>
  HWY_INLINE static void load_weights(const std::uint16_t* high, const typename Split::Low* low, F (&to)[kVectors]) {
    B above[kVectors];
    load_upper(high, above);
    for (int j = 0; j < kVectors; ++j) {
      to[j] = as_weight<Wide>(above[j], load_low(low + j * static_cast<int>(kLanes)));
    }
  }
  HWY_INLINE static Halves upper(B first, B second) {
    return hn::ConcatOdd(HalfLanes(), halves_of(second), halves_of(first));
  }
  HWY_INLINE static Halves lower(B first, B second) {
    return hn::ConcatEven(HalfLanes(), halves_of(second), halves_of(first));
  }
  HWY_INLINE static Halves nearest(B first, B second) {
    return upper(Bf16Code::rounded(first), Bf16Code::rounded(second));
  }

 private:
  HWY_INLINE static B load_low(const std::uint16_t* from) { return load_short(Wide(), from).template up<16>(); }
  HWY_INLINE static B load_low(const std::uint8_t* from) { return load_byte(Wide(), from).template up<24>(); }
};

/// The words of a rounding, one vector after the other.
template <class Order>
class Words {
 public:
  HWY_INLINE explicit Words(const Rounding& rounding)
      : next_(words(Wide(), rounding, 0, Order::kStride)),
        neighbour_(B::of(rounding.step)),
        behind_(B::of(Order::kStride * static_cast<std::uint32_t>(kLanes) * rounding.step)) {}
  /// Those of vector j; asked for in order, turn after turn.
  HWY_INLINE B next(int j) {
    const bool odd_elements = Order::kStride == 2 && j % 2 == 1;
    const B now = odd_elements ? next_ + neighbour_ : next_;
    if (Order::kStride == 1 || odd_elements) next_ = next_ + behind_;
    return now;
  }

 private:
  B next_, neighbour_, behind_;
};

// ---- Rare numbers

/// All bits of what a turn would store: as codes of 16 bits, or as f32 before rounding.
class Magnitudes {
 public:
  HWY_INLINE Magnitudes() : codes_(hn::Zero(HalfLanes())), numbers_(B::of(0u)) {}
  HWY_INLINE void add(Halves codes) { codes_ = hn::Or(codes_, codes); }
  HWY_INLINE void add(F numbers) { numbers_ = numbers_ | bits_of(numbers); }
  /// Every magnitude is below 2, and none of them a NaN: so for nearly all turns, and quick to say.
  [[nodiscard]] HWY_INLINE bool below_two() const {
    return !any_above((words_of(codes_) & 0x40004000u) | (numbers_ & 0x40000000u), 0u);
  }

 private:
  Halves codes_;
  B numbers_;
};

/// Are all codes, which were rounded without a look at what is rare, those of ordinary numbers? Where a NaN may have
/// any bits, rounding may have brought it to a zero: then the numbers are asked.
HWY_INLINE bool all_ordinary(const Halves (&codes)[kVectors / 2]) {
  // From here on rounding could have reached infinity.
  constexpr std::int16_t kRare = kRareWeight >> 16;
  const hn::RebindToSigned<HalfLanes> signed_halves;
  Halves most = hn::Zero(HalfLanes());
  for (const Halves& code : codes) most = hn::Max(most, hn::And(code, hn::Set(HalfLanes(), 0x7FFF)));
  return hn::AllFalse(signed_halves, hn::Gt(hn::BitCast(signed_halves, most), hn::Set(signed_halves, kRare - 1)));
}
HWY_INLINE bool none_above(const F (&numbers)[kVectors], std::uint32_t limit) {
  B most = B::of(0u);
  for (const F& x : numbers) most = larger(most, bits_of(x) & 0x7FFFFFFFu);
  return !any_above(most, limit);
}

// ---- Streams

HWY_INLINE void store_pairs(const Halves (&from)[kVectors / 2], std::uint16_t* to) {
  for (int k = 0; k < kVectors / 2; ++k) hn::StoreU(from[k], HalfLanes(), to + 2 * k * static_cast<int>(kLanes));
}

template <class T>
HWY_INLINE void ask_ahead(const T* stream, std::size_t i) {
  constexpr std::size_t kLine = 64 / sizeof(T);
  for (std::size_t k = 0; k < kLoopTurn; k += kLine) __builtin_prefetch(stream + i + k + kAhead);
}

/// The gradients as every rule gets them.
template <class Order>
class Gradients {
 public:
  HWY_INLINE Gradients(const void* at, Format format, float factor, float bound)
      : at_(at), format_(format), factor_(factor), bound_(bound) {
    std::memcpy(&bound_bits_, &bound, sizeof(bound));
  }
  /// False where one is not finite.
  HWY_INLINE bool load(std::size_t i, F (&to)[kVectors]) const {
    load_stored(i, to);
    B all = B::of(0u);
    for (F& g : to) {
      g = g * factor_;
      all = all | bits_of(g);
    }
    // All bits of them are at least as large as the largest one.
    if (HWY_LIKELY(!any_above(all & 0x7FFFFFFFu, bound_bits_))) return true;
    F limited[kVectors];
    const bool finite = load_limited(i, limited);
    for (int j = 0; j < kVectors; ++j) to[j] = limited[j];
    return finite;
  }

 private:
  HWY_INLINE void load_stored(std::size_t i, F (&to)[kVectors]) const {
    if (HWY_UNLIKELY(format_ == Format::f16)) {
      F decoded[kVectors];
      load_f16(i, decoded);
      for (int j = 0; j < kVectors; ++j) to[j] = decoded[j];
    } else if (format_ == Format::bf16) {
      B bits[kVectors];
      ask_ahead(static_cast<const std::uint16_t*>(at_), i);
      Order::load_upper(static_cast<const std::uint16_t*>(at_) + i, bits);
      for (int j = 0; j < kVectors; ++j) to[j] = floats_of(bits[j]);
    } else {
      ask_ahead(static_cast<const float*>(at_), i);
      Order::load(static_cast<const float*>(at_) + i, to);
    }
  }
  // What few tensors need is long, and compiled once for all loops.
  HWY_NOINLINE void load_f16(std::size_t i, F (&to)[kVectors]) const {
    B codes[kVectors];
    ask_ahead(static_cast<const std::uint16_t*>(at_), i);
    Order::load_lower(static_cast<const std::uint16_t*>(at_) + i, codes);
    for (int j = 0; j < kVectors; ++j) to[j] = F16Code::decode(codes[j]);
  }
  HWY_NOINLINE bool load_limited(std::size_t i, F (&to)[kVectors]) const {
    load_stored(i, to);
    B all = B::of(0u);
    for (F& g : to) {
      g = prepared(g, factor_, bound_);
      all = larger(all, bits_of(g) & 0x7FFFFFFFu);
    }
    return !any_above(all, bound_bits_);
  }

  const void* at_;
  Format format_;
  float factor_, bound_;
  std::uint32_t bound_bits_;
};

/// f32, as it is.
template <class Order>
class F32Stream {
 public:
  HWY_INLINE F32Stream(void* at, void*, const Rounding&) : at_(static_cast<float*>(at)) {}
  HWY_INLINE void load(std::size_t i, F (&to)[kVectors]) const {
    ask_ahead(at_, i);
    Order::load(at_ + i, to);
  }
  HWY_INLINE void encode(const F (&from)[kVectors], Magnitudes& all) {
    for (int j = 0; j < kVectors; ++j) {
      kept_[j] = from[j];
      // Nothing is rare here, but a NaN may have gone into narrow states with all its bits.
      if constexpr (Order::kNarrowStates) all.add(from[j]);
    }
  }
  [[nodiscard]] HWY_INLINE bool ordinary(const F (&from)[kVectors]) const {
    return !Order::kNarrowStates || none_above(from, 0x7F7FFFFFu);
  }
  HWY_INLINE void store(std::size_t i) const { Order::store(kept_, at_ + i); }

 private:
  float* HWY_RESTRICT at_;
  F kept_[kVectors];
};

/// bf16, to nearest even or dithered.
template <class Order, bool kDithered>
class Bf16Stream {
 public:
  HWY_INLINE Bf16Stream(void* at, void*, const Rounding& rounding)
      : at_(static_cast<std::uint16_t*>(at)), words_(rounding) {}
  HWY_INLINE void load(std::size_t i, F (&to)[kVectors]) const {
    ask_ahead(at_, i);
    B bits[kVectors];
    Order::load_upper(at_ + i, bits);
    for (int j = 0; j < kVectors; ++j) to[j] = floats_of(bits[j]);
  }
  HWY_INLINE void encode(const F (&from)[kVectors], Magnitudes& all) {
    for (int j = 0; j < kVectors; j += 2) {
      Halves& codes = codes_[j / 2];
      if constexpr (kDithered) {
        const B first = DitheredBf16::rounded(from[j], words_.next(j));
        codes = Order::upper(first, DitheredBf16::rounded(from[j + 1], words_.next(j + 1)));
      } else {
        codes = Order::nearest(bits_of(from[j]), bits_of(from[j + 1]));
      }
      if constexpr (kAnyNan) {
        all.add(from[j]);
        all.add(from[j + 1]);
      } else {
        all.add(codes);
      }
    }
  }
  [[nodiscard]] HWY_INLINE bool ordinary(const F (&from)[kVectors]) const {
    if constexpr (kAnyNan) return none_above(from, kRareWeight);
    return all_ordinary(codes_);
  }
  HWY_INLINE void store(std::size_t i) const { store_pairs(codes_, at_ + i); }

 private:
  static constexpr bool kAnyNan = !Order::kNarrowStates;
  std::uint16_t* HWY_RESTRICT at_;
  Words<Order> words_;
  Halves codes_[kVectors / 2];
};

/// f16. Codes do not tell what was rare.
template <class Order>
class F16Stream {
 public:
  HWY_INLINE F16Stream(void* at, void*, const Rounding&) : at_(static_cast<std::uint16_t*>(at)), most_(B::of(0u)) {}
  HWY_INLINE void load(std::size_t i, F (&to)[kVectors]) const {
    ask_ahead(at_, i);
    B codes[kVectors];
    Order::load_lower(at_ + i, codes);
    for (int j = 0; j < kVectors; ++j) to[j] = F16Code::decode(codes[j]);
  }
  HWY_INLINE void encode(const F (&from)[kVectors], Magnitudes& all) {
    most_ = B::of(0u);
    for (int j = 0; j < kVectors; j += 2) {
      codes_[j / 2] = Order::lower(F16Code::encode(bits_of(from[j])), F16Code::encode(bits_of(from[j + 1])));
    }
    for (const F& x : from) {
      most_ = larger(most_, bits_of(x) & 0x7FFFFFFFu);
      all.add(x);
    }
  }
  [[nodiscard]] HWY_INLINE bool ordinary(const F (&)[kVectors]) const {
    return !any_above(most_, F16Code::kLargestCommon);
  }
  HWY_INLINE void store(std::size_t i) const { store_pairs(codes_, at_ + i); }

 private:
  std::uint16_t* HWY_RESTRICT at_;
  Halves codes_[kVectors / 2];
  B most_;
};

/// A bf16 and what is kept below it.
template <class Order, class Split>
class SplitStream {
 public:
  HWY_INLINE SplitStream(void* at, void* low, const Rounding& rounding)
      : at_(static_cast<std::uint16_t*>(at)), low_at_(static_cast<Low*>(low)), words_(rounding) {}
  HWY_INLINE void load(std::size_t i, F (&to)[kVectors]) const {
    ask_ahead(at_, i);
    ask_ahead(low_at_, i);
    Order::template load_weights<Split>(at_ + i, low_at_ + i, to);
  }
  HWY_INLINE void encode(const F (&from)[kVectors], Magnitudes& all) {
    for (int j = 0; j < kVectors; j += 2) {
      const B first = Split::rounded(from[j], words_.next(j));
      const B second = Split::rounded(from[j + 1], words_.next(j + 1));
      codes_[j / 2] = Order::upper(Split::high(first), Split::high(second));
      low_[j / 2] = Order::lower(first, second);
      all.add(from[j]);
      all.add(from[j + 1]);
    }
  }
  [[nodiscard]] HWY_INLINE bool ordinary(const F (&from)[kVectors]) const { return none_above(from, kRareWeight); }
  HWY_INLINE void store(std::size_t i) const {
    store_pairs(codes_, at_ + i);
    if constexpr (sizeof(Low) == 2) {
      store_pairs(low_, low_at_ + i);
    } else {
      // The upper byte of each half.
      const hn::Repartition<std::uint8_t, Wide> bytes;
      hn::StoreU(hn::ConcatOdd(bytes, hn::BitCast(bytes, low_[1]), hn::BitCast(bytes, low_[0])), bytes, low_at_ + i);
    }
  }

 private:
  using Low = typename Split::Low;
  std::uint16_t* HWY_RESTRICT at_;
  Low* HWY_RESTRICT low_at_;
  Words<Order> words_;
  Halves codes_[kVectors / 2], low_[kVectors / 2];
};

#endif

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
