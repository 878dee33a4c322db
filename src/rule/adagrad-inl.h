// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// AdaGrad: Duchi, Hazan & Singer, "Adaptive Subgradient Methods" (2011), the diagonal form of figure 1.
//
//   g ← g + λ·θ
//   v ← v + g²                          sum: a second moment without forgetting, so steps only ever get smaller
//   θ ← θ - η_t·g/(√v + ε)              η_t = η/(1+(t-1)·lr_decay); there is no m
//
// Defaults: lr 1e-2, lr_decay 0, weight_decay 0, initial_accumulator_value 0, eps 1e-10.
#if defined(ADAMANT_RULE_ADAGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_RULE_ADAGRAD_INL_H_
#undef ADAMANT_RULE_ADAGRAD_INL_H_
#else
#define ADAMANT_RULE_ADAGRAD_INL_H_
#endif

#include <adamant/options.hpp>
#include <cstddef>
#include <cstdint>

#include "base/scalars.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

struct AdaGrad {
  static constexpr std::size_t kStates = 1;

  template <class T>
  struct Scalars {
    T decay, lr, eps;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t t) {
    return {T(*o.weight_decay), T(*o.lr / (1.0 + static_cast<double>(t - 1) * *o.lr_decay)),
            positive<T>(*o.eps, smallest_gradient<T>(1.0))};
  }

  static constexpr bool kDecaysGradient = true;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>&, V g, V (&states)[kStates]) {
    V& v = states[0];
    v = saturated(v + g * g);
  }
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V g, const V (&states)[kStates]) {
    return k.lr * (g / denominator(k, states));
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>&, V p, V change) {
    return p - change;
  }

  static constexpr int kFirstMoment = -1;
  static constexpr bool kDividesLast = true;
  template <class T>
  static double unbias_second(const Scalars<T>&) {
    return 1.0;
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>& k, const V (&states)[kStates]) {
    return sqrt(states[0]) + k.eps;
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V p, V g, const V (&)[kStates]) {
    g = decayed(g, k.decay, p);
    return {g, g};
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
