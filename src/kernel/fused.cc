// Fused steps for mixed formats, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/fused.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"

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

HWY_EXPORT(fused_table);
const FusedKernels& fused_kernels() { return *HWY_DYNAMIC_DISPATCH(fused_table)(); }

}  // namespace adamant
#endif
