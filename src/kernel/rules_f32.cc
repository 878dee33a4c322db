// Every update rule in f32, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/rules_f32.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"

template <class Rule>
using StepF32 = Step<Rule, float, F32, F32, F32>;

const RuleKernels* f32_table() {
  static constexpr RuleKernels kTable = {HWY_TARGET,
                                         {
#define ADAMANT_PREPARE(name, type, ...) &StepF32<type>::prepare,
                                             ADAMANT_VARIANTS(ADAMANT_PREPARE)
#undef ADAMANT_PREPARE
                                         },
                                         {
#define ADAMANT_STEP(name, type, ...) &StepF32<type>::run,
                                             ADAMANT_VARIANTS(ADAMANT_STEP)
#undef ADAMANT_STEP
                                         }};
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f32_table);
const RuleKernels& f32_kernels() { return *HWY_DYNAMIC_DISPATCH(f32_table)(); }

}  // namespace adamant
#endif
