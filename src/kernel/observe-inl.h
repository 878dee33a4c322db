// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A step that adds up what it sees. First the update, then the sums: in one loop they would be too long, for a
// processor that waits for a root looks only so many operations ahead for other work. What the sums need is kept in
// cache meanwhile, so that they are the same code for all rules. They divide by the denominator: the additions take no
// longer than that.
#if defined(ADAMANT_KERNEL_OBSERVE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_OBSERVE_INL_H_
#undef ADAMANT_KERNEL_OBSERVE_INL_H_
#else
#define ADAMANT_KERNEL_OBSERVE_INL_H_
#endif

#include <cstddef>

#include "format/f32-inl.h"
#include "kernel/kernels.h"
#include "kernel/step-inl.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

/// What the sums are made of, for the elements of a block.
template <class T>
struct Kept {
  const T* m;  // the rule's own, or g
  alignas(64) T g[kBlock], m_old[kBlock], u[kBlock], denominator[kBlock], w[kBlock];
};

/// The sums of some elements that are scaled, or those that are not: each part fits into the registers that every
/// instruction set has. kDividesLast: u is still to be divided.
template <class T, bool kScaled, bool kDividesLast = false>
class BlockSums {
 public:
  /// Of n elements, put where they belong among all sums.
  static HWY_NOINLINE void add_up(const Kept<T>& kept, std::size_t n, double* out) {
    alignas(64) T lanes[kCount][kLanes];
    const std::size_t whole = n - n % kLanes;
    // One vector's worth of lanes after the other, so that their sums stay in registers.
    for (std::size_t first = 0; first < kLanes; first += kWidth) {
      Floats<Wide> sums[kCount];
      for (Floats<Wide>& sum : sums) sum = Floats<Wide>::of(T(0));
      for (std::size_t i = first; i < whole; i += kLanes) add(kept, i, sums);
      for (std::size_t j = 0; j < kCount; ++j) sums[j].store(lanes[j] + first);
    }
    for (std::size_t i = whole; i < n; ++i) {
      Floats<Single> sums[kCount];
      for (std::size_t j = 0; j < kCount; ++j) sums[j] = Floats<Single>::load(lanes[j] + (i - whole));
      add(kept, i, sums);
      for (std::size_t j = 0; j < kCount; ++j) sums[j].store(lanes[j] + (i - whole));
    }
    for (std::size_t j = 0; j < kSums; ++j) {
      if (kMomentSums[j].scaled != kScaled) continue;
      const T* sum = lanes[place(j)];
      out[j] = static_cast<double>(kMomentSums[j].largest ? fold<true>(sum) : fold<false>(sum));
    }
  }

 private:
  static constexpr std::size_t kLanes = 16;
  using Single = hn::CappedTag<T, 1>;
  using Wide = hn::CappedTag<T, kLanes>;
  static constexpr std::size_t kWidth = hn::MaxLanes(Wide());

  // How many sums of this part come before sum j.
  static constexpr std::size_t place(std::size_t j) {
    std::size_t before = 0;
    for (std::size_t other = 0; other < j; ++other) before += kMomentSums[other].scaled == kScaled ? 1u : 0u;
    return before;
  }
  static constexpr std::size_t kCount = place(kSums);

  template <class D>
  HWY_INLINE static void add(const Kept<T>& kept, std::size_t i, Floats<D> (&sums)[kCount]) {
    using V = Floats<D>;
    const V g = V::load(kept.g + i), m = V::load(kept.m + i), w = V::load(kept.w + i);
    if constexpr (kScaled) {
      const V r = V::of(T(1)) / V::load(kept.denominator + i), gr = g * r;
      V u = V::load(kept.u + i);
      if constexpr (kDividesLast) u = u * r;
      join<&MomentSums::uu>(sums, u * u);
      join<&MomentSums::max_u>(sums, abs(u));
      join<&MomentSums::gu>(sums, g * u);
      join<&MomentSums::mu>(sums, m * u);
      join<&MomentSums::wu>(sums, w * u);
      join<&MomentSums::grgr>(sums, gr * gr);
      join<&MomentSums::r>(sums, r);
    } else {
      join<&MomentSums::gg>(sums, g * g);
      join<&MomentSums::mm>(sums, m * m);
      join<&MomentSums::mg>(sums, V::load(kept.m_old + i) * g);
      join<&MomentSums::ww>(sums, w * w);
    }
  }

  template <auto kField, class V>
  HWY_INLINE static void join(V (&sums)[kCount], V term) {
    constexpr std::size_t kIndex = index_of(kField);
    static_assert(kMomentSums[kIndex].scaled == kScaled);
    constexpr std::size_t kPlace = place(kIndex);
    V& sum = sums[kPlace];
    sum = joined<kMomentSums[kIndex].largest>(sum, term);
  }
  template <bool kLargest, class V>
  HWY_INLINE static V joined(V a, V b) {
    return kLargest ? larger(a, b) : a + b;
  }

  // Lane l and lane l + 8 become lane l, then l and l + 4, down to one.
  template <bool kLargest>
  HWY_INLINE static T fold(const T* lanes) {
    using V = Floats<Wide>;
    V parts[kLanes / kWidth];
    for (std::size_t l = 0; l < kLanes; l += kWidth) parts[l / kWidth] = V::load(lanes + l);
    for (std::size_t count = kLanes / kWidth / 2; count > 0; count /= 2) {
      for (std::size_t l = 0; l < count; ++l) parts[l] = joined<kLargest>(parts[l], parts[l + count]);
    }
    return halved<kLargest>(parts[0]);
  }
  template <bool kLargest, class D>
  HWY_INLINE static T halved(Floats<D> a) {
#if HWY_TARGET != HWY_SCALAR  // whose vectors have no halves
    if constexpr (hn::MaxLanes(D()) > 1) {
      using Half = hn::Half<D>;
      const Floats<Half> low(hn::LowerHalf(Half(), a.v)), high(hn::UpperHalf(Half(), a.v));
      return halved<kLargest>(joined<kLargest>(low, high));
    }
#endif
    return hn::GetLane(a.v);
  }
};

template <class Rule, class T>
struct Observe {
  static void run(const StepScalars& packed, double factor, double bound, void* p, const void* g, void* const* states,
                  std::size_t n, double* out) {
    const auto constants = Constants<Rule, T>::of(packed, factor, bound);
    Kept<T> kept;
    kept.m = kept.g;
    if constexpr (Rule::kFirstMoment >= 0) kept.m = static_cast<const T*>(states[Rule::kFirstMoment]);
    const auto streams = Streams::of(p, g, states);
    std::size_t i = 0;
    for (; i + kWidth <= n; i += kWidth) {
      __builtin_prefetch(streams.p + i + kAhead);
      __builtin_prefetch(streams.g + i + kAhead);
      for (std::size_t s = 0; s < Rule::kStates; ++s) __builtin_prefetch(streams.states[s] + i + kAhead);
      one<Floats<Wide>>(constants, streams, i, kept);
    }
    for (; i < n; ++i) one<Floats<hn::CappedTag<T, 1>>>(constants, streams, i, kept);
    BlockSums<T, false>::add_up(kept, n, out);
    BlockSums<T, true, Rule::kDividesLast>::add_up(kept, n, out);
  }

 private:
  using Wide = hn::ScalableTag<T>;
  static constexpr std::size_t kWidth = hn::MaxLanes(Wide());
  using Streams = Operands<Rule, Plain<T>, Plain<T>, Plain<T>>;

  template <class V>
  HWY_INLINE static void one(const Constants<Rule, T>& k, const Streams& streams, std::size_t i, Kept<T>& kept) {
    V states[kStateSlots<Rule>];
    V p = V::load(streams.p + i);
    const V w = p;
    const V g = prepared(V::load(streams.g + i), k.factor, k.bound);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = V::load(streams.states[s] + i);
    w.store(kept.w + i);
    V m_old = V::of(T(0));
    if constexpr (Rule::kFirstMoment >= 0) m_old = states[Rule::kFirstMoment];
    m_old.store(kept.m_old + i);
    update<Rule>(k.scalars, p, g, states);
    p.store(streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s].store(streams.states[s] + i);
    const Seen<V> seen = Rule::see(k.scalars, w, g, states);
    seen.g.store(kept.g + i);
    seen.u.store(kept.u + i);
    Rule::denominator(k.scalars, states).store(kept.denominator + i);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
