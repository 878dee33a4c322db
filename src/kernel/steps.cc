// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The step of every update rule, for every instruction set: with all streams in f32, and with all in f64.
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/steps.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
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

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f32_table);
HWY_EXPORT(f64_table);
const RuleKernels& f32_kernels() { return *HWY_DYNAMIC_DISPATCH(f32_table)(); }
const RuleKernels& f64_kernels() { return *HWY_DYNAMIC_DISPATCH(f64_table)(); }

}  // namespace adamant
#endif
