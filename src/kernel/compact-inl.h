// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The compact formats of states and weights, in blocks.
#if defined(ADAMANT_KERNEL_COMPACT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ADAMANT_KERNEL_COMPACT_INL_H_
#undef ADAMANT_KERNEL_COMPACT_INL_H_
#else
#define ADAMANT_KERNEL_COMPACT_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "format/group.h"
#include "format/log_linear-inl.h"
#include "format/rounding.h"
#include "format/split-inl.h"
#include "kernel/kernels.h"
#include "lanes/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace adamant::HWY_NAMESPACE {

using Wide = hn::ScalableTag<float>;

constexpr std::uint32_t kLargestFinite = 0x7F7FFFFFu;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The bits of the largest magnitude; more than those of infinity where one is NaN.
HWY_INLINE std::uint32_t largest_bits(const float* x, std::size_t n) {
  const Wide d;
  const hn::RebindToUnsigned<Wide> du;
  Bits<Wide> most = Bits<Wide>::of(0u);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    most = larger(most, bits_of(Floats<Wide>::load(x + i)) & 0x7FFFFFFFu);
  }
  alignas(64) std::uint32_t lanes[hn::MaxLanes(Wide())];
  hn::Store(most.v, du, lanes);
  std::uint32_t result = *std::max_element(lanes, lanes + hn::Lanes(d));
  for (; i < n; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    result = std::max(result, bits & 0x7FFFFFFFu);
  }
  return result;
}

// Codes in place, from memory and to it.
template <class D>
HWY_INLINE Bits<D> load_code(D d, const std::uint8_t* from) {
  return load_byte(d, from).template up<kCodeAt>();
}
template <class D>
HWY_INLINE void store_code(D d, Bits<D> code, std::uint8_t* to) {
  store_byte(d, code.template down<kCodeAt>() & 0xFFu, to);
}

// Finds what is not finite in a group, and returns the bits of the largest magnitude of the others.
HWY_NOINLINE std::uint32_t largest_finite_bits(const float* x, std::size_t n, bool* not_finite) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    not_finite[i] = !std::isfinite(x[i]);
    std::uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    if (!not_finite[i]) largest = std::max(largest, bits & 0x7FFFFFFFu);
  }
  return largest;
}

template <template <class> class Code>
HWY_INLINE void encode_groups(float* x, std::size_t n, const Rounding& rounding, std::uint8_t* codes,
                              std::uint8_t* exponents, bool back) {
  for (std::size_t first = 0; first < n; first += kGroup) {
    const std::size_t end = std::min(n, first + kGroup);
    std::uint32_t largest = largest_bits(x + first, end - first);
    bool not_finite[kGroup];
    const bool marks = largest > kLargestFinite;
    if (HWY_UNLIKELY(marks)) largest = largest_finite_bits(x + first, end - first, not_finite);
    std::uint8_t exponent = group_exponent(largest, Code<Wide>::kBinades);
    if (marks) exponent = std::max(exponent, std::uint8_t{1});
    exponents[first / kGroup] = exponent;
    if (exponent == kAllZero) {
      std::fill(codes + first, codes + end, std::uint8_t{0});
      if (back) std::fill(x + first, x + end, 0.0f);
      continue;
    }
    const float offset = offset_of(exponent);
    for_each_vector(first, end, [&](auto d, std::size_t i) HWY_ATTR {
      using D = decltype(d);
      const Floats<D> a = Floats<D>::of(offset);
      const Bits<D> code = Code<D>::encode(Floats<D>::load(x + i), a, words(d, rounding, i));
      store_code(d, code, codes + i);
      if (back) Code<D>::decode(code, a).store(x + i);
    });
    if (HWY_LIKELY(!marks)) continue;
    for (std::size_t i = first; i < end; ++i) {
      if (!not_finite[i - first]) continue;
      codes[i] = kNotFinite;
      if (back) x[i] = kNan;
    }
  }
}

// What is marked in a group; mostly nothing.
HWY_INLINE void decode_marks(const std::uint8_t* codes, std::size_t n, float* x) {
  const void* mark = nullptr;
  for (std::size_t i = 0; (mark = std::memchr(codes + i, kNotFinite, n - i)) != nullptr; ++i) {
    i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(mark) - codes);
    x[i] = kNan;
  }
}

template <template <class> class Code>
HWY_INLINE void decode_groups(const std::uint8_t* codes, const std::uint8_t* exponents, std::size_t n, float* x) {
  for (std::size_t first = 0; first < n; first += kGroup) {
    const std::size_t end = std::min(n, first + kGroup);
    const std::uint8_t exponent = exponents[first / kGroup];
    if (exponent == kAllZero) {
      std::fill(x + first, x + end, 0.0f);
      continue;
    }
    const float offset = offset_of(exponent);
    for_each_vector(first, end, [&](auto d, std::size_t i) HWY_ATTR {
      using D = decltype(d);
      __builtin_prefetch(codes + i + kAhead);
      Code<D>::decode(load_code(d, codes + i), Floats<D>::of(offset)).store(x + i);
    });
    decode_marks(codes + first, end - first, x + first);
  }
}

void encode_unsigned(float* v, std::size_t n, Rounding rounding, std::uint8_t* codes, std::uint8_t* exponents) {
  encode_groups<Q8Unsigned>(v, n, rounding, codes, exponents, true);
}
void decode_unsigned(const std::uint8_t* codes, const std::uint8_t* exponents, std::size_t n, float* v) {
  decode_groups<Q8Unsigned>(codes, exponents, n, v);
}
void encode_signed(const float* m, std::size_t n, Rounding rounding, std::uint8_t* codes, std::uint8_t* exponents) {
  encode_groups<Q8Signed>(const_cast<float*>(m), n, rounding, codes, exponents, false);
}
void decode_signed(const std::uint8_t* codes, const std::uint8_t* exponents, std::size_t n, float* m) {
  decode_groups<Q8Signed>(codes, exponents, n, m);
}

void encode_relative(const float* m, const float* v, std::size_t n, Rounding rounding, std::uint8_t* codes) {
  for_each_vector(0, n, [&](auto d, std::size_t i) HWY_ATTR {
    using D = decltype(d);
    store_code(d, Q8Relative<D>::encode(Floats<D>::load(m + i), Floats<D>::load(v + i), words(d, rounding, i)),
               codes + i);
  });
}
void decode_relative(const std::uint8_t* codes, const float* v, std::size_t n, float* m) {
  for_each_vector(0, n, [&](auto d, std::size_t i) HWY_ATTR {
    using D = decltype(d);
    __builtin_prefetch(codes + i + kAhead);
    Q8Relative<D>::decode(load_code(d, codes + i), Floats<D>::load(v + i)).store(m + i);
  });
}

void store_dithered(const float* from, std::size_t n, Rounding rounding, std::uint16_t* to) {
  for_each_vector(0, n, [&](auto d, std::size_t i) HWY_ATTR {
    DitheredBf16::store(d, Floats<decltype(d)>::load(from + i), rounding, i, to + i);
  });
}

template <class Split>
void store_split(const float* from, std::size_t n, Rounding rounding, std::uint16_t* high, void* low) {
  auto* below = static_cast<typename Split::Low*>(low);
  for_each_vector(0, n, [&](auto d, std::size_t i) HWY_ATTR {
    Split::store(d, Floats<decltype(d)>::load(from + i), rounding, i, high + i, below + i);
  });
}
template <class Split>
void load_split(const std::uint16_t* high, const void* low, std::size_t n, float* to) {
  const auto* below = static_cast<const typename Split::Low*>(low);
  for_each_vector(0, n, [&](auto d, std::size_t i) HWY_ATTR {
    __builtin_prefetch(high + i + kAhead);
    __builtin_prefetch(below + i + kAhead);
    Split::load(d, high + i, below + i).store(to + i);
  });
}

}  // namespace adamant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
