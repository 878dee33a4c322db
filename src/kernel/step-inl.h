// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The one loop: load every stream, run the rule, store what the rule changes.
#if defined(ADAMANT_KERNEL_STEP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_STEP_INL_H_
#undef ADAMANT_KERNEL_STEP_INL_H_
#else
#define ADAMANT_KERNEL_STEP_INL_H_
#endif

#include <cstddef>
#include <cstring>

#include "kernel/kernels.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

/// What is the same for all elements of a step.
template <class Rule, class T>
struct Constants {
  using Scalars = typename Rule::template Scalars<T>;
  static_assert(sizeof(Scalars) <= sizeof(StepScalars));

  Scalars scalars;
  T factor, bound;

  static Constants of(const StepScalars& packed, double factor = 1.0, double bound = 1.0) {
    Constants constants{{}, static_cast<T>(factor), static_cast<T>(bound)};
    std::memcpy(&constants.scalars, packed.bytes, sizeof(Scalars));
    return constants;
  }
};

/// An array with a place for each state of a rule, and for one where it has none.
template <class Rule>
inline constexpr std::size_t kStateSlots = Rule::kStates == 0 ? 1 : Rule::kStates;

/// One element or vector of each stream, in the stages that every rule has: `average` takes the gradient into the
/// states, `change` is what they make of it, and `moved` is the parameter after that.
template <class Rule, class Scalars, class V>
HWY_INLINE void update(const Scalars& k, V& p, V g, V (&states)[kStateSlots<Rule>]) {
  if constexpr (Rule::kDecaysGradient) g = decayed(g, k.decay, p);
  Rule::average(k, g, states);
  p = Rule::moved(k, p, Rule::change(k, g, states));
}

/// The streams of a step whose parameter, gradient and states are kept as P, G and S.
template <class Rule, class P, class G, class S>
struct Operands {
  typename P::Stored* HWY_RESTRICT p;
  const typename G::Stored* HWY_RESTRICT g;
  typename S::Stored* HWY_RESTRICT states[kStateSlots<Rule>];

  HWY_INLINE static Operands of(void* p, const void* g, void* const* states) {
    Operands operands{static_cast<typename P::Stored*>(p), static_cast<const typename G::Stored*>(g), {}};
    for (std::size_t s = 0; s < Rule::kStates; ++s) {
      operands.states[s] = static_cast<typename S::Stored*>(states[s]);
    }
    return operands;
  }
};

template <class Rule, class T, class P, class G, class S>
struct Step {
  static void run(const StepScalars& packed, double factor, double bound, void* p, const void* g, void* const* states,
                  std::size_t n) {
    const auto constants = Constants<Rule, T>::of(packed, factor, bound);
    const auto streams = Streams::of(p, g, states);
    std::size_t i = 0;
    for (; i + kTurn <= n; i += kTurn) {
      ask_ahead(streams, i);
      for (std::size_t u = 0; u < kTurn; u += kLanes) one(D(), constants, streams, i + u);
    }
    for (; i < n; ++i) one(hn::CappedTag<T, 1>(), constants, streams, i);
  }

 private:
  using D = hn::ScalableTag<T>;
  using Streams = Operands<Rule, P, G, S>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  // What is done between two requests for memory.
  static constexpr std::size_t kTurn = 4 * kLanes;

  // Every line of each stream, once.
  HWY_INLINE static void ask_ahead(const Streams& streams, std::size_t i) {
    const auto ask = [i](const auto* stream) HWY_ATTR {
      constexpr std::size_t kLine = 64 / sizeof(*stream);
      for (std::size_t k = 0; k < kTurn; k += kLine) __builtin_prefetch(stream + i + k + kAhead);
    };
    ask(streams.p);
    ask(streams.g);
    for (std::size_t s = 0; s < Rule::kStates; ++s) ask(streams.states[s]);
  }

  template <class Tag>
  HWY_INLINE static void one(Tag d, const Constants<Rule, T>& k, const Streams& streams, std::size_t i) {
    using V = Floats<Tag>;
    V states[kStateSlots<Rule>];
    V p = P::load(d, streams.p + i);
    const V g = prepared(G::load(d, streams.g + i), k.factor, k.bound);
    for (std::size_t s = 0; s < Rule::kStates; ++s) states[s] = S::load(d, streams.states[s] + i);
    update<Rule>(k.scalars, p, g, states);
    P::store(d, p, streams.p + i);
    for (std::size_t s = 0; s < Rule::kStates; ++s) S::store(d, states[s], streams.states[s] + i);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
