// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// RMSProp: Hinton, lecture 6e of "Neural Networks for Machine Learning" (2012); centered: Graves (2013), eq. 38-45.
//
//   g ← g + λ·θ
//   v ← α·v + (1-α)·g²                   square_avg: the scale of each coordinate, as in Adam, without bias correction
//   centered: a ← α·a + (1-α)·g          grad_avg; the scale becomes √(v - a²), the standard deviation of g
//   θ ← θ - η·g/(√v + ε)                 there is no m: the direction is today's gradient
//   momentum μ: b ← μ·b + g/(√v + ε), θ ← θ - η·b     momentum_buffer: a sum of past steps
//
// v - a² can fall below 0 by rounding; it counts as 0 then (torch gives NaN).
// Defaults: lr 1e-2, alpha 0.99, eps 1e-8, weight_decay 0, momentum 0, centered false.
#if defined(ADAMANT_RULE_RMSPROP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_RULE_RMSPROP_INL_H_
#undef ADAMANT_RULE_RMSPROP_INL_H_
#else
#define ADAMANT_RULE_RMSPROP_INL_H_
#endif

#include <adamant/options.hpp>
#include <cstddef>
#include <cstdint>

#include "base/scalars.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <bool kCentered, bool kMomentum>
struct RmsPropOf {
  static constexpr std::size_t kStates = 1 + kCentered + kMomentum;

  template <class T>
  struct Scalars {
    T decay, lr, alpha, fresh, eps, momentum;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t) {
    const double fresh = 1.0 - *o.alpha;
    return {T(*o.weight_decay), T(*o.lr), T(*o.alpha), T(fresh), positive<T>(*o.eps, smallest_gradient<T>(fresh)),
            T(*o.momentum)};
  }

  static constexpr bool kDecaysGradient = true;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>& k, V g, V (&states)[kStates]) {
    V& v = states[0];
    v = k.alpha * v + k.fresh * (g * g);
    if constexpr (kCentered) states[1] = k.alpha * states[1] + k.fresh * g;
    if constexpr (kMomentum) {
      V& buffer = states[kStates - 1];
      buffer = saturated(k.momentum * buffer + g / denominator(k, states));
    }
  }
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V g, const V (&states)[kStates]) {
    if constexpr (kMomentum) return k.lr * states[kStates - 1];
    return k.lr * (g / denominator(k, states));
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>&, V p, V change) {
    return p - change;
  }

  static constexpr int kFirstMoment = -1;
  static constexpr bool kDividesLast = !kMomentum;
  template <class T>
  static double unbias_second(const Scalars<T>&) {
    return 1.0;
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>& k, const V (&states)[kStates]) {
    if constexpr (kCentered) return sqrt(not_negative(states[0] - states[1] * states[1])) + k.eps;
    return sqrt(states[0]) + k.eps;
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V p, V g, const V (&states)[kStates]) {
    g = decayed(g, k.decay, p);
    return {g, kMomentum ? states[kStates - 1] : g};
  }
};

using RmsProp = RmsPropOf<false, false>;
using RmsPropMomentum = RmsPropOf<false, true>;
using RmsPropCentered = RmsPropOf<true, false>;
using RmsPropCenteredMomentum = RmsPropOf<true, true>;

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
