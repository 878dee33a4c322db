// Every update rule in f64, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/rules_f64.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"

template <class Rule>
using StepF64 = Step<Rule, double, F64, F64, F64>;

const RuleKernels* f64_table() {
  static constexpr RuleKernels kTable = {HWY_TARGET,
                                         {
#define ADAMANT_PREPARE(name, type, ...) &StepF64<type>::prepare,
                                             ADAMANT_VARIANTS(ADAMANT_PREPARE)
#undef ADAMANT_PREPARE
                                         },
                                         {
#define ADAMANT_STEP(name, type, ...) &StepF64<type>::run,
                                             ADAMANT_VARIANTS(ADAMANT_STEP)
#undef ADAMANT_STEP
                                         }};
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f64_table);
const RuleKernels& f64_kernels() { return *HWY_DYNAMIC_DISPATCH(f64_table)(); }

}  // namespace adamant
#endif
