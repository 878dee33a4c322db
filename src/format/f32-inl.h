// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// f32 and f64 as they are.
#if defined(ADAMANT_FORMAT_F32_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_FORMAT_F32_INL_H_
#undef ADAMANT_FORMAT_F32_INL_H_
#else
#define ADAMANT_FORMAT_F32_INL_H_
#endif

#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <class Element>
struct Plain {
  using Stored = Element;
  template <class D>
  HWY_INLINE static Floats<D> load(D, const Stored* from) {
    return Floats<D>::load(from);
  }
  template <class D>
  HWY_INLINE static void store(D, Floats<D> value, Stored* to) {
    value.store(to);
  }
};
using F32 = Plain<float>;
using F64 = Plain<double>;

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
