// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The step of every update rule, for every instruction set: with all streams in f32, with all in f64, and fused with
// the narrow formats of a few mixtures.
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/steps.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include "format/bf16-inl.h"
#include "format/f32-inl.h"
#include "kernel/rules-inl.h"
#include "kernel/step-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

/// Every rule in arithmetic of T, on parameters, gradients and states that are kept so.
template <class T, class Kept>
const RuleKernels* rule_table() {
  static constexpr RuleKernels kTable = {HWY_TARGET,
                                         {
#define ADAMANT_STEP(name, type, ...) &Step<type, T, Kept, Kept, Kept>::run,
                                             ADAMANT_VARIANTS(ADAMANT_STEP)
#undef ADAMANT_STEP
                                         }};
  return &kTable;
}

const RuleKernels* f32_table() { return rule_table<float, F32>(); }
const RuleKernels* f64_table() { return rule_table<double, F64>(); }

// X(variant, type, parameter, gradient, states): those that a loop of their own makes at least a tenth faster in cache.
#define ADAMANT_FUSED(X)                                     \
  X(adamw, AdamW<false>, bf16, bf16, bf16, BF16, BF16, BF16) \
  X(adamw, AdamW<false>, bf16, bf16, f32, BF16, BF16, F32)   \
  X(adamw, AdamW<false>, f32, bf16, f32, F32, BF16, F32)

constexpr FusedKernels make_fused_table() {
  FusedKernels table = {};
  table.target = HWY_TARGET;
#define ADAMANT_ENTRY(variant, type, p, g, s, P, G, S)                                                    \
  table.step[index_of(Variant::variant)][index_of(Format::p)][index_of(Format::g)][index_of(Format::s)] = \
      &Step<type, float, P, G, S>::run;
  ADAMANT_FUSED(ADAMANT_ENTRY)
#undef ADAMANT_ENTRY
  return table;
}

const FusedKernels* fused_table() {
  static constexpr FusedKernels kTable = make_fused_table();
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f32_table);
HWY_EXPORT(f64_table);
HWY_EXPORT(fused_table);
const RuleKernels& f32_kernels() { return *HWY_DYNAMIC_DISPATCH(f32_table)(); }
const RuleKernels& f64_kernels() { return *HWY_DYNAMIC_DISPATCH(f64_table)(); }
const FusedKernels& fused_kernels() { return *HWY_DYNAMIC_DISPATCH(fused_table)(); }

}  // namespace adamant
#endif
