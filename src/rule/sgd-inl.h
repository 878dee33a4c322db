// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Stochastic gradient descent (Robbins & Monro 1951), and with momentum (Polyak 1964; Sutskever et al. 2013).
//
//   g ← g + λ·θ
//   θ ← θ - η·g                                      no moments at all
//
// with momentum μ and dampening τ, as in torch.optim.SGD:
//   m ← μ·m + (1-τ)·g    (m ← g at a tensor's first step)    momentum_buffer: a sum of past gradients, the direction
//   θ ← θ - η·m          (nesterov: θ ← θ - η·(g + μ·m))     there is no v: every coordinate has the same scale
//
// Defaults: lr 1e-3, momentum 0, dampening 0, weight_decay 0, nesterov false.
#if defined(ADAMANT_RULE_SGD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_RULE_SGD_INL_H_
#undef ADAMANT_RULE_SGD_INL_H_
#else
#define ADAMANT_RULE_SGD_INL_H_
#endif

#include <adamant/options.hpp>
#include <cstddef>
#include <cstdint>

#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

struct Sgd {
  static constexpr std::size_t kStates = 0;

  template <class T>
  struct Scalars {
    T decay, lr;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t) {
    return {T(*o.weight_decay), T(*o.lr)};
  }

  static constexpr bool kDecaysGradient = true;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>&, V, V*) {}
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V g, const V*) {
    return k.lr * g;
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>&, V p, V change) {
    return p - change;
  }

  static constexpr int kFirstMoment = -1;
  static constexpr bool kDividesLast = false;
  template <class T>
  static double unbias_second(const Scalars<T>&) {
    return 1.0;
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>&, const V*) {
    return V::of(T(1));
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V p, V g, const V*) {
    g = decayed(g, k.decay, p);
    return {g, g};
  }
};

template <bool kNesterov>
struct SgdMomentum {
  static constexpr std::size_t kStates = 1;

  template <class T>
  struct Scalars {
    T decay, lr, momentum, old, fresh;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t t) {
    const bool first = t == 1;
    return {T(*o.weight_decay), T(*o.lr), T(*o.momentum), T(first ? 0.0 : *o.momentum),
            T(first ? 1.0 : 1.0 - *o.dampening)};
  }

  static constexpr bool kDecaysGradient = true;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>& k, V g, V (&states)[kStates]) {
    V& m = states[0];
    m = saturated(k.old * m + k.fresh * g);
  }
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V g, const V (&states)[kStates]) {
    return k.lr * direction(k, g, states[0]);
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>&, V p, V change) {
    return p - change;
  }

  static constexpr int kFirstMoment = 0;
  static constexpr bool kDividesLast = false;
  template <class T>
  static double unbias_second(const Scalars<T>&) {
    return 1.0;
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>&, const V (&)[kStates]) {
    return V::of(T(1));
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V p, V g, const V (&states)[kStates]) {
    g = decayed(g, k.decay, p);
    return {g, direction(k, g, states[0])};
  }

 private:
  template <class T, class V>
  HWY_INLINE static V direction(const Scalars<T>& k, V g, V m) {
    return kNesterov ? g + k.momentum * m : m;
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
