// Decoding and encoding of blocks, and sums over them, for every instruction set.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/scalars.h"
#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/formats.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

#include "kernel/rules-inl.h"

template <class F>
void decode(const void* from, std::size_t n, float* to) {
  const auto* stored = static_cast<const typename F::Stored*>(from);
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    __builtin_prefetch(stored + i + kAhead);
    F::load(d, stored + i).store(to + i);
  }
  const hn::CappedTag<float, 1> single;
  for (; i < n; ++i) F::load(single, stored + i).store(to + i);
}

template <class F>
void encode(const float* from, std::size_t n, void* to) {
  auto* stored = static_cast<typename F::Stored*>(to);
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) F::store(d, Floats<hn::ScalableTag<float>>::load(from + i), stored + i);
  const hn::CappedTag<float, 1> single;
  for (; i < n; ++i) F::store(single, Floats<hn::CappedTag<float, 1>>::load(from + i), stored + i);
}

// A format's elements as f64.
template <class F, class D>
HWY_INLINE Floats<D> load_wide(D d, const typename F::Stored* from) {
  if constexpr (sizeof(typename F::Stored) == sizeof(double)) {
    return F::load(d, from);
  } else {
    const hn::Rebind<float, D> narrow;
    return {hn::PromoteTo(d, F::load(narrow, from).v)};
  }
}

template <class F>
double squares(const void* from, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  const auto* stored = static_cast<const typename F::Stored*>(from);
  const hn::CappedTag<double, kLanes> d;
  using V = Floats<hn::CappedTag<double, kLanes>>;
  constexpr std::size_t kVectors = kLanes / hn::MaxLanes(decltype(d)());
  const std::size_t lanes = kLanes / kVectors;
  V sums[kVectors];
  for (V& sum : sums) sum = V::of(0.0);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    __builtin_prefetch(stored + i + kAhead);
    for (std::size_t k = 0; k < kVectors; ++k) {
      const V x = load_wide<F>(d, stored + i + k * lanes);
      sums[k] = sums[k] + x * x;
    }
  }
  alignas(64) double folded[kLanes];
  if (i == n) {
    // The fold of the lanes, as far as it is a fold of whole vectors.
    std::size_t vectors = kVectors;
    for (; vectors > 1; vectors /= 2) {
      for (std::size_t k = 0; k < vectors / 2; ++k) sums[k] = sums[k] + sums[k + vectors / 2];
    }
    sums[0].store(folded);
    for (std::size_t width = lanes / 2; width > 0; width /= 2) {
      for (std::size_t l = 0; l < width; ++l) folded[l] += folded[l + width];
    }
    return folded[0];
  }
  for (std::size_t k = 0; k < kVectors; ++k) sums[k].store(folded + k * lanes);
  const hn::CappedTag<double, 1> single;
  for (std::size_t l = 0; i < n; ++i, ++l) {
    double x;
    load_wide<F>(single, stored + i).store(&x);
    folded[l] += x * x;
  }
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t l = 0; l < width; ++l) folded[l] += folded[l + width];
  }
  return folded[0];
}

const FormatKernels* format_table() {
  // In the order of enum class Format.
  static constexpr FormatKernels kTable = {HWY_TARGET,
                                           {&decode<F32>, nullptr, &decode<BF16>, &decode<F16>},
                                           {&encode<F32>, nullptr, &encode<BF16>, &encode<F16>},
                                           {&squares<F32>, &squares<F64>, &squares<BF16>, &squares<F16>}};
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(format_table);
std::int64_t compiled_targets() { return HWY_TARGETS; }

const FormatKernels& format_kernels() { return *HWY_DYNAMIC_DISPATCH(format_table)(); }

}  // namespace adamant
#endif
