// Every update rule as it is observed, in f64, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/observe_f64.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"
// After the rules.
#include "kernel/observe-inl.h"

const ObserveKernels* f64_observe_table() { return observe_table<double>(); }

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f64_observe_table);
const ObserveKernels& f64_observers() { return *HWY_DYNAMIC_DISPATCH(f64_observe_table)(); }

}  // namespace adamant
#endif
