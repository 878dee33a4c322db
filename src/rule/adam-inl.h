// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Adam with L2 regularisation. Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.
//
//   g ← g + λ·θ                        the decay goes through both moments, and is divided by √v like the rest
//   then as AdamW without its own decay: m smooths the direction, v holds the scale of each coordinate
//
// Defaults: lr 1e-3, betas (0.9, 0.999), eps 1e-8, weight_decay 0.
#if defined(ADAMANT_RULE_ADAM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_RULE_ADAM_INL_H_
#undef ADAMANT_RULE_ADAM_INL_H_
#else
#define ADAMANT_RULE_ADAM_INL_H_
#endif

#include <adamant/options.hpp>
#include <cstddef>
#include <cstdint>

#include "lanes/lanes-inl.h"
#include "rule/adamw-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <bool kAmsgrad>
struct Adam {
  using Undecayed = AdamW<kAmsgrad>;
  static constexpr std::size_t kStates = Undecayed::kStates;

  template <class T>
  struct Scalars {
    T decay;
    typename Undecayed::template Scalars<T> rest;
  };

  template <class T>
  static Scalars<T> prepare(const Options& o, std::uint64_t t) {
    Options undecayed = o;
    undecayed.weight_decay = 0.0;
    return {T(*o.weight_decay), Undecayed::template prepare<T>(undecayed, t)};
  }

  // The stages of AdamW, whose gradient has the decay.
  static constexpr bool kDecaysGradient = true;
  template <class T, class V>
  HWY_INLINE static void average(const Scalars<T>& k, V g, V (&states)[kStates]) {
    Undecayed::average(k.rest, g, states);
  }
  template <class T, class V>
  HWY_INLINE static V change(const Scalars<T>& k, V g, const V (&states)[kStates]) {
    return Undecayed::change(k.rest, g, states);
  }
  template <class T, class V>
  HWY_INLINE static V moved(const Scalars<T>& k, V p, V change) {
    return Undecayed::moved(k.rest, p, change);
  }

  static constexpr int kFirstMoment = Undecayed::kFirstMoment;
  static constexpr bool kDividesLast = Undecayed::kDividesLast;
  template <class T>
  static double unbias_second(const Scalars<T>& k) {
    return Undecayed::unbias_second(k.rest);
  }
  template <class T, class V>
  HWY_INLINE static V denominator(const Scalars<T>& k, const V (&states)[kStates]) {
    return Undecayed::denominator(k.rest, states);
  }
  template <class T, class V>
  HWY_INLINE static Seen<V> see(const Scalars<T>& k, V p, V g, const V (&states)[kStates]) {
    return Undecayed::see(k.rest, p, decayed(g, k.decay, p), states);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
