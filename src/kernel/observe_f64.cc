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

const ObserveKernels* f64_observe_table() {
  static constexpr ObserveKernels kTable = {HWY_TARGET,
                                            {
#define ADAMANT_OBSERVE(name, type, ...) &Observe<type, double>::run,
                                                ADAMANT_VARIANTS(ADAMANT_OBSERVE)
#undef ADAMANT_OBSERVE
                                            },
                                            {
#define ADAMANT_SEE(name, type, ...) &Observe<type, double>::see,
                                                ADAMANT_VARIANTS(ADAMANT_SEE)
#undef ADAMANT_SEE
                                            },
                                            {
#define ADAMANT_UNBIAS(name, type, ...) &Observe<type, double>::unbias_second,
                                                ADAMANT_VARIANTS(ADAMANT_UNBIAS)
#undef ADAMANT_UNBIAS
                                            }};
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(f64_observe_table);
const ObserveKernels& f64_observers() { return *HWY_DYNAMIC_DISPATCH(f64_observe_table)(); }

}  // namespace adamant
#endif
