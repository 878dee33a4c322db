// Every update rule as it is observed, in f32, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/observe_f32.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"
// After the rules.
#include "kernel/observe-inl.h"

const ObserveKernels* f32_observe_table() { return observe_table<float>(); }

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f32_observe_table);
const ObserveKernels& f32_observers() { return *HWY_DYNAMIC_DISPATCH(f32_observe_table)(); }

}  // namespace adamant
#endif
