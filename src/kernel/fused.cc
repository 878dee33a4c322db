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
#include "kernel/rules-inl.h"
#include "kernel/step-inl.h"
#include "kernel/turns-inl.h"
#include "lanes/lanes-inl.h"

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

/// The states of a rule, each in a stream of its own: those that may be below zero, which are rounded to nearest, in
/// Signed ones.
template <Variant kVariant, class Signed, class Unsigned>
class States {
 public:
  static constexpr std::size_t kCount = info(kVariant).state_count;
  using Values = F[kCount == 0 ? 1 : kCount][kVectors];

  HWY_INLINE explicit States(const TurnStreams& streams)
      : first_(streams.states[0], nullptr, streams.state_roundings[0]),
        second_(streams.states[1], nullptr, streams.state_roundings[1]),
        third_(streams.states[2], nullptr, streams.state_roundings[2]) {}
  HWY_INLINE void load(std::size_t i, Values& to) const {
    if constexpr (kCount > 0) first_.load(i, to[0]);
    if constexpr (kCount > 1) second_.load(i, to[1]);
    if constexpr (kCount > 2) third_.load(i, to[2]);
  }
  HWY_INLINE void encode(const Values& from, Magnitudes& all) {
    if constexpr (kCount > 0) first_.encode(from[0], all);
    if constexpr (kCount > 1) second_.encode(from[1], all);
    if constexpr (kCount > 2) third_.encode(from[2], all);
  }
  [[nodiscard]] HWY_INLINE bool ordinary(const Values& from) const {
    if constexpr (kCount == 0) return true;
    if constexpr (kCount == 1) return first_.ordinary(from[0]);
    if constexpr (kCount == 2) return first_.ordinary(from[0]) && second_.ordinary(from[1]);
    if constexpr (kCount == 3) return first_.ordinary(from[0]) && second_.ordinary(from[1]) && third_.ordinary(from[2]);
  }
  HWY_INLINE void store(std::size_t i) const {
    if constexpr (kCount > 0) first_.store(i);
    if constexpr (kCount > 1) second_.store(i);
    if constexpr (kCount > 2) third_.store(i);
  }

 private:
  static_assert(kMaxStates == 3);
  template <std::size_t kState>
  using Stream = std::conditional_t<info(kVariant).state_infos[kState].negative, Signed, Unsigned>;
  Stream<0> first_;
  Stream<1> second_;
  Stream<2> third_;
};

template <class Rule, Variant kVariant, class Order, template <class> class Param, template <class> class Signed,
          template <class> class Unsigned>
std::size_t step_turns(const StepScalars& packed, double factor, double bound, const TurnStreams& streams,
                       std::size_t n) {
  using Kept = States<kVariant, Signed<Order>, Unsigned<Order>>;
  const auto constants = Constants<Rule, float>::of(packed, factor, bound);
  const auto& k = constants.scalars;
  const Gradients<Order> gradients(streams.grad, streams.grad_format, constants.factor, constants.bound);
  Param<Order> param(streams.param, streams.low, streams.param_rounding);
  Kept kept(streams);
  std::size_t i = 0;
  for (; i + kLoopTurn <= n; i += kLoopTurn) {
    F g[kVectors];
    F p[kVectors];
    typename Kept::Values values;
    if (HWY_UNLIKELY(!gradients.load(i, g))) break;
    if constexpr (Rule::kDecaysGradient) {
      param.load(i, p);
      for (int j = 0; j < kVectors; ++j) g[j] = decayed(g[j], k.decay, p[j]);
    }
    kept.load(i, values);

    F states[kVectors][kStateSlots<Rule>];
    for (int j = 0; j < kVectors; ++j) {
      for (std::size_t s = 0; s < Kept::kCount; ++s) states[j][s] = values[s][j];
      Rule::average(k, g[j], states[j]);
      for (std::size_t s = 0; s < Kept::kCount; ++s) values[s][j] = states[j][s];
    }
    Magnitudes all;
    kept.encode(values, all);

    F change[kVectors];
    for (int j = 0; j < kVectors; ++j) change[j] = Rule::change(k, g[j], states[j]);
    param.load(i, p);
    for (int j = 0; j < kVectors; ++j) p[j] = Rule::moved(k, p[j], change[j]);
    param.encode(p, all);

    if (HWY_UNLIKELY(!all.below_two())) {
      if (!param.ordinary(p) || !kept.ordinary(values)) break;
    }
    kept.store(i);
    param.store(i);
  }
  return i;
}

// X(parameter, weights, states, order, streams of the parameter, of states that may be below zero and of others): those
// that a loop of their own makes at least a tenth faster in cache, on one instruction set or more, and slower on none.
#define ADAMANT_FUSED_MIXTURES(X)                                   \
  X(bf16, plain, bf16, EvenOdd, Nearest, Nearest, Nearest)          \
  X(bf16, split16, b16, EvenOdd, WithSplit16, Nearest, Dithered)    \
  X(bf16, split8, b16, EvenOdd, WithSplit8, Nearest, Dithered)      \
  X(bf16, dithered, b16, EvenOdd, Dithered, Nearest, Dithered)      \
  X(bf16, plain, b16, EvenOdd, Nearest, Nearest, Dithered)          \
  X(f32, plain, b16, EvenOdd, F32Stream, Nearest, Dithered)         \
  X(bf16, plain, f32, InOrder, Nearest, F32Stream, F32Stream)       \
  X(bf16, split16, f32, InOrder, WithSplit16, F32Stream, F32Stream) \
  X(bf16, split8, f32, InOrder, WithSplit8, F32Stream, F32Stream)   \
  X(bf16, dithered, f32, InOrder, Dithered, F32Stream, F32Stream)   \
  X(f32, plain, f32, InOrder, F32Stream, F32Stream, F32Stream)
// Of Adam and AdamW only: other rules do too little arithmetic between decoding f16 and encoding it.
#define ADAMANT_FUSED_ADAM_MIXTURES(X)                         \
  X(f16, plain, b16, EvenOdd, F16Stream, Nearest, Dithered)    \
  X(f16, plain, f16, EvenOdd, F16Stream, F16Stream, F16Stream) \
  X(f16, plain, f32, InOrder, F16Stream, F32Stream, F32Stream)

constexpr FusedKernels make_fused_table() {
  FusedKernels table = {};
  table.target = HWY_TARGET;
#define ADAMANT_ADD(param, weights, states, ...)                                                     \
  of_rule[index_of(Format::param)][index_of(WeightFormat::weights)][index_of(StateFormat::states)] = \
      &step_turns<Rule, kVariant, __VA_ARGS__>;
  const auto add = [&]<class Rule, Variant kVariant>() {
    auto& of_rule = table.step[index_of(kVariant)];
    ADAMANT_FUSED_MIXTURES(ADAMANT_ADD)
    if constexpr (info(kVariant).rule == adamant::Rule::adam || info(kVariant).rule == adamant::Rule::adamw) {
      ADAMANT_FUSED_ADAM_MIXTURES(ADAMANT_ADD)
    }
  };
#define ADAMANT_RULE(name, type, ...) add.template operator()<type, Variant::name>();
  ADAMANT_VARIANTS(ADAMANT_RULE)
#undef ADAMANT_RULE
#undef ADAMANT_ADD
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
