// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Every update rule as it is observed, for every instruction set, and what it computes without a loop.
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/observe.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include "kernel/observe-inl.h"
#include "kernel/rules-inl.h"
#include "kernel/see-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

/// Every rule in arithmetic of T.
template <class T>
const ObserveKernels* observe_table() {
  static constexpr ObserveKernels kTable = {HWY_TARGET,
                                            {
#define ADAMANT_OBSERVE(name, type, ...) &Observe<type, T>::run,
                                                ADAMANT_VARIANTS(ADAMANT_OBSERVE)
#undef ADAMANT_OBSERVE
                                            }};
  return &kTable;
}

const ObserveKernels* f32_observe_table() { return observe_table<float>(); }
const ObserveKernels* f64_observe_table() { return observe_table<double>(); }

#if HWY_ONCE
template <class T>
constexpr RuleFunctions kRuleFunctions = {
    {
#define ADAMANT_PREPARE(name, type, ...) &See<type, T>::prepare,
        ADAMANT_VARIANTS(ADAMANT_PREPARE)
#undef ADAMANT_PREPARE
    },
    {
#define ADAMANT_SEE(name, type, ...) &See<type, T>::see,
        ADAMANT_VARIANTS(ADAMANT_SEE)
#undef ADAMANT_SEE
    },
    {
#define ADAMANT_UNBIAS(name, type, ...) &See<type, T>::unbias_second,
        ADAMANT_VARIANTS(ADAMANT_UNBIAS)
#undef ADAMANT_UNBIAS
    },
};
#endif

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f32_observe_table);
HWY_EXPORT(f64_observe_table);
const ObserveKernels& f32_observers() { return *HWY_DYNAMIC_DISPATCH(f32_observe_table)(); }
const ObserveKernels& f64_observers() { return *HWY_DYNAMIC_DISPATCH(f64_observe_table)(); }
const RuleFunctions& f32_rules() { return HWY_NAMESPACE::kRuleFunctions<float>; }
const RuleFunctions& f64_rules() { return HWY_NAMESPACE::kRuleFunctions<double>; }

}  // namespace adamant
#endif
