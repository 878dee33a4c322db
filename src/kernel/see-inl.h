// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a rule computes without a loop: the scalars of a step, and what a step does to one element.
#if defined(ADAMANT_KERNEL_SEE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_SEE_INL_H_
#undef ADAMANT_KERNEL_SEE_INL_H_
#else
#define ADAMANT_KERNEL_SEE_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernel/kernels.h"
#include "kernel/step-inl.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <class Rule, class T>
struct See {
  static void prepare(const Options& options, std::uint64_t t, StepScalars& scalars) {
    const auto values = Rule::template prepare<T>(options, t);
    std::memcpy(scalars.bytes, &values, sizeof(values));
  }

  static SeenElement see(const StepScalars& packed, double factor, double bound, const void* p, const void* g,
                         const void* const* states, int second_moment) {
    const auto k = Constants<Rule, T>::of(packed, factor, bound);
    V weight = V::load(static_cast<const T*>(p));
    const V before = weight;
    const V grad = prepared(V::load(static_cast<const T*>(g)), k.factor, k.bound);
    V values[kStateSlots<Rule>];
    for (std::size_t s = 0; s < Rule::kStates; ++s) values[s] = V::load(static_cast<const T*>(states[s]));
    update<Rule>(k.scalars, weight, grad, values);
    Seen<V> seen = Rule::see(k.scalars, before, grad, values);
    if constexpr (Rule::kDividesLast) seen.u = seen.u * (V::of(T(1)) / Rule::denominator(k.scalars, values));
    V m = seen.g;
    if constexpr (Rule::kFirstMoment >= 0) m = values[Rule::kFirstMoment];
    return {number(seen.g), number(m), second_moment < 0 ? 0.0 : number(values[second_moment]), number(seen.u)};
  }

  static double unbias_second(const StepScalars& packed) {
    return Rule::unbias_second(Constants<Rule, T>::of(packed).scalars);
  }

 private:
  using V = Floats<hn::CappedTag<T, 1>>;

  HWY_INLINE static double number(V value) {
    T result;
    value.store(&result);
    return static_cast<double>(result);
  }
};

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
