// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Vectors with operators, so that rules and formats read like their definitions. Only the operations of the bit
// contract are here: no fused multiply-add, no approximations, no min and max (which differ on NaN between instruction
// sets).
//
// GCC gives the attributes of the instruction set neither to friends nor to implicit constructors, which matters where
// they are not inlined (-O0) or may not be (AArch64): hence HWY_ATTR, and constructors written out.
#if defined(ADAMANT_LANES_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_LANES_LANES_INL_H_
#undef ADAMANT_LANES_LANES_INL_H_
#else
#define ADAMANT_LANES_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The largest gradient a rule sees: its square is finite, and so is every second moment. 2^63 for f32, 2^511 for f64.
template <class T>
inline constexpr T kLargestGradient = sizeof(T) == 4 ? static_cast<T>(0x1p63) : static_cast<T>(0x1p511);

template <class D>
struct Floats;

/// Unsigned integers as wide as the floats of D.
template <class D>
struct Bits {
  using DU = hn::RebindToUnsigned<D>;
  using U = hn::TFromD<DU>;
  hn::Vec<DU> v;

  HWY_INLINE Bits() {}
  HWY_INLINE Bits(hn::Vec<DU> v) : v(v) {}

  HWY_INLINE static Bits of(U value) { return {hn::Set(DU(), value)}; }
  HWY_ATTR HWY_INLINE friend Bits operator+(Bits a, Bits b) { return {hn::Add(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Bits operator-(Bits a, Bits b) { return {hn::Sub(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Bits operator&(Bits a, Bits b) { return {hn::And(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Bits operator|(Bits a, Bits b) { return {hn::Or(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Bits operator+(Bits a, U b) { return a + of(b); }
  HWY_ATTR HWY_INLINE friend Bits operator-(Bits a, U b) { return a - of(b); }
  HWY_ATTR HWY_INLINE friend Bits operator&(Bits a, U b) { return a & of(b); }
  HWY_ATTR HWY_INLINE friend Bits operator|(Bits a, U b) { return a | of(b); }
  template <int kBits>
  HWY_INLINE Bits up() const {
    return {hn::ShiftLeft<kBits>(v)};
  }
  template <int kBits>
  HWY_INLINE Bits down() const {
    return {hn::ShiftRight<kBits>(v)};
  }
  /// Copies of the sign bit come in from above.
  template <int kBits>
  HWY_INLINE Bits signed_down() const {
    const hn::RebindToSigned<DU> di;
    return {hn::BitCast(DU(), hn::ShiftRight<kBits>(hn::BitCast(di, v)))};
  }
  HWY_ATTR HWY_INLINE friend Bits larger(Bits a, Bits b) { return {hn::Max(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Bits smaller(Bits a, Bits b) { return {hn::Min(a.v, b.v)}; }
  /// a | (b & mask)
  HWY_ATTR HWY_INLINE friend Bits or_masked(Bits a, Bits b, U mask) { return {hn::OrAnd(a.v, b.v, of(mask).v)}; }
  HWY_ATTR HWY_INLINE friend hn::Mask<DU> operator>(Bits a, U b) { return hn::Gt(a.v, of(b).v); }
  HWY_ATTR HWY_INLINE friend Bits select(hn::Mask<DU> yes, Bits a, Bits b) { return {hn::IfThenElse(yes, a.v, b.v)}; }
};

/// Whether any of them, all below 2^31, is above such a number: x86 compares signed numbers only, before AVX-512.
template <class D>
HWY_INLINE bool any_above(Bits<D> magnitudes, std::uint32_t limit) {
  const hn::RebindToSigned<typename Bits<D>::DU> di;
  return !hn::AllFalse(di, hn::Gt(hn::BitCast(di, magnitudes.v), hn::Set(di, static_cast<std::int32_t>(limit))));
}

template <class D>
struct Floats {
  using T = hn::TFromD<D>;
  using M = hn::Mask<D>;
  hn::Vec<D> v;

  HWY_INLINE Floats() {}
  HWY_INLINE Floats(hn::Vec<D> v) : v(v) {}

  HWY_INLINE static Floats of(T value) { return {hn::Set(D(), value)}; }
  HWY_INLINE static Floats load(const T* from) { return {hn::LoadU(D(), from)}; }
  HWY_INLINE void store(T* to) const { hn::StoreU(v, D(), to); }

  HWY_ATTR HWY_INLINE friend Floats operator+(Floats a, Floats b) { return {hn::Add(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Floats operator-(Floats a, Floats b) { return {hn::Sub(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Floats operator*(Floats a, Floats b) { return {hn::Mul(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Floats operator/(Floats a, Floats b) { return {hn::Div(a.v, b.v)}; }
  HWY_ATTR HWY_INLINE friend Floats operator+(Floats a, T b) { return a + of(b); }
  HWY_ATTR HWY_INLINE friend Floats operator*(Floats a, T b) { return a * of(b); }
  HWY_ATTR HWY_INLINE friend Floats operator*(T a, Floats b) { return of(a) * b; }
  HWY_ATTR HWY_INLINE friend M operator>(Floats a, Floats b) { return hn::Gt(a.v, b.v); }
  HWY_ATTR HWY_INLINE friend M operator>=(Floats a, Floats b) { return hn::Ge(a.v, b.v); }

  HWY_ATTR HWY_INLINE friend Floats sqrt(Floats a) { return {hn::Sqrt(a.v)}; }
  HWY_ATTR HWY_INLINE friend Floats abs(Floats a) { return {hn::Abs(a.v)}; }
  HWY_ATTR HWY_INLINE friend Floats with_sign_of(Floats sign, Floats magnitude) {
    return {hn::CopySignToAbs(magnitude.v, sign.v)};
  }
  HWY_ATTR HWY_INLINE friend Floats select(M yes, Floats a, Floats b) { return {hn::IfThenElse(yes, a.v, b.v)}; }

  /// The larger one; a NaN in b is kept.
  HWY_ATTR HWY_INLINE friend Floats larger(Floats a, Floats b) { return select(a >= b, a, b); }
  /// Zero where negative; NaN is kept.
  HWY_ATTR HWY_INLINE friend Floats not_negative(Floats a) { return larger(of(T(0)), a); }
  /// Limited to ±bound; NaN is kept.
  HWY_ATTR HWY_INLINE friend Floats bounded(Floats a, T bound) {
    return select(abs(a) > of(bound), with_sign_of(a, of(bound)), a);
  }
  /// An overflow becomes the largest finite number; NaN is kept.
  HWY_ATTR HWY_INLINE friend Floats saturated(Floats a) { return bounded(a, std::numeric_limits<T>::max()); }
  /// The gradient as every rule gets it: times factor (sign, unscaling, clipping), limited to ±bound. What is not
  /// finite in memory becomes NaN, so that it stays visible.
  HWY_ATTR HWY_INLINE friend Floats prepared(Floats g, T factor, T bound) {
    const Floats scaled = g * factor;
    const M beyond = abs(scaled) > of(bound);
    if (HWY_LIKELY(hn::AllFalse(D(), beyond))) return scaled;
    return select(beyond, with_sign_of(scaled, of(bound)) + (g - g), scaled);
  }
  /// Weight decay as the gradient of λ/2·‖θ‖².
  HWY_ATTR HWY_INLINE friend Floats decayed(Floats g, T decay, Floats p) {
    return bounded(g + decay * p, kLargestGradient<T>);
  }

  HWY_ATTR HWY_INLINE friend Bits<D> bits_of(Floats a) { return {hn::BitCast(hn::RebindToUnsigned<D>(), a.v)}; }
};

template <class D>
HWY_INLINE Floats<D> floats_of(Bits<D> bits) {
  return {hn::BitCast(D(), bits.v)};
}

/// Calls visit(tag, i) for vectors of elements from `begin` on, then for single ones, up to `end`.
template <class Visit>
HWY_INLINE void for_each_vector(std::size_t begin, std::size_t end, const Visit& visit) {
  const hn::ScalableTag<float> d;
  std::size_t i = begin;
  for (; i + hn::Lanes(d) <= end; i += hn::Lanes(d)) visit(d, i);
  for (; i < end; ++i) visit(hn::CappedTag<float, 1>(), i);
}

/// What a rule shows of an element it has updated, to those who observe: the gradient with its decay, and the update in
/// units of the learning rate. Where the rule divides last, the update is still to be divided by the denominator: those
/// who observe have other work to do during that division.
template <class V>
struct Seen {
  V g, u;
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
