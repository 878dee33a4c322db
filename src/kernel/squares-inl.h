// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Sums of squares, for norms.
#if defined(ADAMANT_KERNEL_SQUARES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_SQUARES_INL_H_
#undef ADAMANT_KERNEL_SQUARES_INL_H_
#else
#define ADAMANT_KERNEL_SQUARES_INL_H_
#endif

#include <cstddef>

#include "kernel/kernels.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

// A format's elements as f64.
template <class F, class D>
HWY_INLINE Floats<D> load_wide(D d, const typename F::Stored* from) {
  if constexpr (sizeof(typename F::Stored) == sizeof(double)) {
    return F::load(d, from);
  } else {
    const hn::Rebind<float, D> narrow;
    return {hn::PromoteTo(d, F::load(narrow, from).v)};
  }
}

template <class F>
double squares(const void* from, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  const auto* stored = static_cast<const typename F::Stored*>(from);
  const hn::CappedTag<double, kLanes> d;
  using V = Floats<hn::CappedTag<double, kLanes>>;
  constexpr std::size_t kVectors = kLanes / hn::MaxLanes(decltype(d)());
  const std::size_t lanes = kLanes / kVectors;
  V sums[kVectors];
  for (V& sum : sums) sum = V::of(0.0);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    __builtin_prefetch(stored + i + kAhead);
    for (std::size_t k = 0; k < kVectors; ++k) {
      const V x = load_wide<F>(d, stored + i + k * lanes);
      sums[k] = sums[k] + x * x;
    }
  }
  alignas(64) double folded[kLanes];
  if (i == n) {
    // The fold of the lanes, as far as it is a fold of whole vectors.
    std::size_t vectors = kVectors;
    for (; vectors > 1; vectors /= 2) {
      for (std::size_t k = 0; k < vectors / 2; ++k) sums[k] = sums[k] + sums[k + vectors / 2];
    }
    sums[0].store(folded);
    for (std::size_t width = lanes / 2; width > 0; width /= 2) {
      for (std::size_t l = 0; l < width; ++l) folded[l] += folded[l + width];
    }
    return folded[0];
  }
  for (std::size_t k = 0; k < kVectors; ++k) sums[k].store(folded + k * lanes);
  const hn::CappedTag<double, 1> single;
  for (std::size_t l = 0; i < n; ++i, ++l) {
    double x;
    load_wide<F>(single, stored + i).store(&x);
    folded[l] += x * x;
  }
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t l = 0; l < width; ++l) folded[l] += folded[l + width];
  }
  return folded[0];
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
