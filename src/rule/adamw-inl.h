// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// AdamW: Adam with decoupled weight decay. Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2019),
// algorithm 2 with schedule multiplier 1 and decay scaled by the learning rate, as in torch.optim.AdamW.
//
//   m ← β1·m + (1-β1)·g                first moment, exp_avg: the smoothed gradient, the direction
//   v ← β2·v + (1-β2)·g²               second moment, exp_avg_sq: the mean square of each coordinate, its scale
//   θ ← θ - η·λ·θ - η·m̂/(√v̂ + ε)       m̂ = m/(1-β1^t), v̂ = v/(1-β2^t): bias correction
//
// Defaults: lr 1e-3, betas (0.9, 0.999), eps 1e-8, weight_decay 1e-2.
// amsgrad (Reddi, Kale & Kumar 2018) divides by the root of the largest v seen so far.
#if defined(ADAMANT_RULE_ADAMW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_RULE_ADAMW_INL_H_
#undef ADAMANT_RULE_ADAMW_INL_H_
#else
#define ADAMANT_RULE_ADAMW_INL_H_
#endif

#include <adamant/options.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/scalars.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <bool kAmsgrad>
struct AdamW {
  static constexpr std::size_t kStates = kAmsgrad ? 3 : 2;

  template <class T>
  struct Scalars {
    T b1, c1, b2, c2, keep, step, scale, eps, unbias;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t t) {
    const auto [beta1, beta2] = *o.betas;
    const double correction1 = 1.0 - integer_power(beta1, t);
    const double correction2 = 1.0 - integer_power(beta2, t);
    return {T(beta1),
            T(1.0 - beta1),
            T(beta2),
            T(1.0 - beta2),
            T(1.0 - *o.lr * *o.weight_decay),
            saturating<T>(*o.lr / correction1),
            T(1.0 / std::sqrt(correction2)),
            positive<T>(*o.eps, smallest_gradient<T>(1.0 - beta2)),
            static_cast<T>(1.0 / correction1)};
  }

  static constexpr bool kDecaysGradient = false;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>& k, V g, V (&states)[kStates]) {
    V& m = states[0];
    V& v = states[1];
    m = k.b1 * m + k.c1 * g;
    v = k.b2 * v + k.c2 * (g * g);
    if constexpr (kAmsgrad) states[2] = larger(states[2], v);
  }
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V, const V (&states)[kStates]) {
    return (k.step * states[0]) / denominator(k, states);
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>& k, V p, V change) {
    return k.keep * p - change;
  }

  static constexpr int kFirstMoment = 0;
  static constexpr bool kDividesLast = true;
  template <class T>
  static double unbias_second(const Scalars<T>& k) {
    return static_cast<double>(k.scale) * static_cast<double>(k.scale);
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>& k, const V (&states)[kStates]) {
    return sqrt(states[kStates - 1]) * k.scale + k.eps;
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V, V g, const V (&states)[kStates]) {
    return {g, k.unbias * states[0]};
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
