// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Formats in blocks: decoding, encoding and sums of squares, for every instruction set.
#include <cstddef>
#include <cstdint>

#include "kernel/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/formats.cc"
#include <hwy/foreach_target.h>
// After foreach_target.
#include "format/bf16-inl.h"
#include "format/f16-inl.h"
#include "format/f32-inl.h"
#include "kernel/compact-inl.h"
#include "kernel/squares-inl.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

template <class F>
void decode(const void* from, std::size_t n, float* to) {
  const auto* stored = static_cast<const typename F::Stored*>(from);
  for_each_vector(0, n, [=](auto d, std::size_t i) HWY_ATTR {
    __builtin_prefetch(stored + i + kAhead);
    F::load(d, stored + i).store(to + i);
  });
}

template <class F>
void encode(const float* from, std::size_t n, void* to) {
  auto* stored = static_cast<typename F::Stored*>(to);
  for_each_vector(
      0, n, [=](auto d, std::size_t i) HWY_ATTR { F::store(d, Floats<decltype(d)>::load(from + i), stored + i); });
}

// X(format, type): every enum class Format.
#define ADAMANT_FORMATS(X) X(f32, F32) X(f64, F64) X(bf16, BF16) X(f16, F16)

constexpr FormatKernels make_format_table() {
  FormatKernels table = {};
  table.target = HWY_TARGET;
  std::size_t count = 0;
  const auto add = [&]<class F>(Format format, F) {
    const std::size_t index = index_of(format);
    if constexpr (sizeof(typename F::Stored) <= sizeof(float)) {
      table.decode[index] = &decode<F>;
      table.encode[index] = &encode<F>;
    }
    table.squares[index] = &squares<F>;
    ++count;
  };
#define ADAMANT_ADD(format, type) add(Format::format, type());
  ADAMANT_FORMATS(ADAMANT_ADD)
#undef ADAMANT_ADD
  if (count != kFormatCount) throw "a format is missing in the list";
  return table;
}

const FormatKernels* format_table() {
  static constexpr FormatKernels kTable = make_format_table();
  return &kTable;
}

const CompactKernels* compact_table() {
  static constexpr CompactKernels kTable = {HWY_TARGET,           &encode_unsigned,     &decode_unsigned,
                                            &encode_signed,       &decode_signed,       &encode_relative,
                                            &decode_relative,     &store_dithered,      &store_split<Split16>,
                                            &load_split<Split16>, &store_split<Split8>, &load_split<Split8>};
  return &kTable;
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace adamant {

HWY_EXPORT(format_table);
HWY_EXPORT(compact_table);
std::int64_t compiled_targets() { return HWY_TARGETS; }

const FormatKernels& format_kernels() { return *HWY_DYNAMIC_DISPATCH(format_table)(); }
const CompactKernels& compact_kernels() { return *HWY_DYNAMIC_DISPATCH(compact_table)(); }

}  // namespace adamant
#endif
