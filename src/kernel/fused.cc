// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Steps that take narrow streams as they are in memory, for every instruction set: what the block pipeline does, with
// the same bits, but without its way through the cache, and without a look at each vector for numbers that hardly any
// has. A turn that does hold one of them is left to the pipeline.
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/fused.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include "kernel/step-inl.h"
#include "kernel/turns-inl.h"
#include "lanes/lanes-inl.h"
#include "rule/adam-inl.h"
#include "rule/adamw-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

template <class Order>
using Nearest = Bf16Stream<Order, false>;
template <class Order>
using Dithered = Bf16Stream<Order, true>;
template <class Order>
using WithSplit16 = SplitStream<Order, Split16>;
template <class Order>
using WithSplit8 = SplitStream<Order, Split8>;

/// A rule that averages gradients and their squares, in the stages of AdamW.
template <class Rule, class Order, template <class> class Param, template <class> class First,
          template <class> class Second>
std::size_t step_turns(const StepScalars& packed, double factor, double bound, const TurnStreams& streams,
                       std::size_t n) {
  constexpr bool kKeepsLargest = Rule::kStates == 3;
  const auto constants = Constants<Rule, float>::of(packed, factor, bound);
  const auto& k = constants.scalars;
  const Gradients<Order> gradients(streams.grad, streams.grad_format, constants.factor, constants.bound);
  Param<Order> param(streams.param, streams.low, streams.param_rounding);
  First<Order> first(streams.states[0], nullptr, streams.state_roundings[0]);
  Second<Order> second(streams.states[1], nullptr, streams.state_roundings[1]);
  Second<Order> largest(streams.states[2], nullptr, streams.state_roundings[2]);
  std::size_t i = 0;
  for (; i + kLoopTurn <= n; i += kLoopTurn) {
    F g[kVectors];
    F p[kVectors];
    F m[kVectors];
    F v[kVectors];
    F most[kVectors];
    if (HWY_UNLIKELY(!gradients.load(i, g))) break;
    if constexpr (Rule::kDecaysGradient) {
      param.load(i, p);
      for (int j = 0; j < kVectors; ++j) g[j] = decayed(g[j], k.decay, p[j]);
    }
    first.load(i, m);
    second.load(i, v);
    if constexpr (kKeepsLargest) largest.load(i, most);

    F states[kVectors][Rule::kStates];
    for (int j = 0; j < kVectors; ++j) {
      states[j][0] = m[j];
      states[j][1] = v[j];
      if constexpr (kKeepsLargest) states[j][2] = most[j];
      Rule::average(k, g[j], states[j]);
      m[j] = states[j][0];
      v[j] = states[j][1];
      if constexpr (kKeepsLargest) most[j] = states[j][2];
    }
    Magnitudes all;
    first.encode(m, all);
    second.encode(v, all);
    if constexpr (kKeepsLargest) largest.encode(most, all);

    F change[kVectors];
    for (int j = 0; j < kVectors; ++j) change[j] = Rule::change(k, states[j]);
    param.load(i, p);
    for (int j = 0; j < kVectors; ++j) p[j] = Rule::moved(k, p[j], change[j]);
    param.encode(p, all);

    if (HWY_UNLIKELY(!all.below_two())) {
      bool ordinary = param.ordinary() && first.ordinary() && second.ordinary();
      if constexpr (kKeepsLargest) ordinary = ordinary && largest.ordinary();
      if (!ordinary) break;
    }
    first.store(i);
    second.store(i);
    if constexpr (kKeepsLargest) largest.store(i);
    param.store(i);
  }
  return i;
}

// X(parameter, weights, states, order, streams of the parameter, of a first moment and of others): those that a loop of
// their own makes at least a tenth faster in cache, on one instruction set or more, and slower on none.
#define ADAMANT_FUSED_MIXTURES(X)                                   \
  X(bf16, plain, bf16, EvenOdd, Nearest, Nearest, Nearest)          \
  X(bf16, split16, b16, EvenOdd, WithSplit16, Nearest, Dithered)    \
  X(bf16, split8, b16, EvenOdd, WithSplit8, Nearest, Dithered)      \
  X(bf16, dithered, b16, EvenOdd, Dithered, Nearest, Dithered)      \
  X(bf16, plain, b16, EvenOdd, Nearest, Nearest, Dithered)          \
  X(f32, plain, b16, EvenOdd, F32Stream, Nearest, Dithered)         \
  X(f16, plain, b16, EvenOdd, F16Stream, Nearest, Dithered)         \
  X(f16, plain, f16, EvenOdd, F16Stream, F16Stream, F16Stream)      \
  X(f16, plain, f32, InOrder, F16Stream, F32Stream, F32Stream)      \
  X(bf16, plain, f32, InOrder, Nearest, F32Stream, F32Stream)       \
  X(bf16, split16, f32, InOrder, WithSplit16, F32Stream, F32Stream) \
  X(bf16, split8, f32, InOrder, WithSplit8, F32Stream, F32Stream)   \
  X(bf16, dithered, f32, InOrder, Dithered, F32Stream, F32Stream)   \
  X(f32, plain, f32, InOrder, F32Stream, F32Stream, F32Stream)

constexpr FusedKernels make_fused_table() {
  FusedKernels table = {};
  table.target = HWY_TARGET;
  const auto add = [&]<class Rule>(Variant variant, Rule) {
    auto& of_rule = table.step[index_of(variant)];
#define ADAMANT_ADD(param, weights, states, Order, Param, First, Others)                             \
  of_rule[index_of(Format::param)][index_of(WeightFormat::weights)][index_of(StateFormat::states)] = \
      &step_turns<Rule, Order, Param, First, Others>;
    ADAMANT_FUSED_MIXTURES(ADAMANT_ADD)
#undef ADAMANT_ADD
  };
  add(Variant::adamw, AdamW<false>());
  add(Variant::adamw_amsgrad, AdamW<true>());
  add(Variant::adam, Adam<false>());
  add(Variant::adam_amsgrad, Adam<true>());
  return table;
}

#else

// One lane has no pairs.
constexpr FusedKernels make_fused_table() { return {HWY_TARGET, {}}; }

#endif

const FusedKernels* fused_table() {
  static constexpr FusedKernels kTable = make_fused_table();
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(fused_table);
const FusedKernels& fused_kernels() { return *HWY_DYNAMIC_DISPATCH(fused_table)(); }

}  // namespace adamant
#endif
