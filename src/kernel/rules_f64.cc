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

const RuleKernels* f64_table() { return rule_table<double, F64>(); }

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f64_table);
const RuleKernels& f64_kernels() { return *HWY_DYNAMIC_DISPATCH(f64_table)(); }

}  // namespace adamant
#endif
