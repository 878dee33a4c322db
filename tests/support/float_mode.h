// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The floating-point environment of a thread, as a caller may have left it.
#pragma once

#include <cfenv>
#include <cstdint>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace adamant::testing {

/// The control and status word of the arithmetic that the engine uses.
inline std::uint64_t float_word() {
#if defined(__SSE2__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  std::uint64_t control, status;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("mrs %0, fpsr" : "=r"(status));
  return control | status << 32;
#else
  return static_cast<std::uint64_t>(std::fegetround());
#endif
}

/// Another rounding mode, denormals flushed to zero, exceptions that trap: for a scope.
class FloatMode {
 public:
  FloatMode(int rounding, bool flush, bool trap) {
    std::feholdexcept(&saved_);
    std::fesetround(rounding);
#if defined(__SSE2__)
    constexpr std::uint32_t kFlush = 0x8040, kMasks = 0x1F80;
    std::uint32_t word = _mm_getcsr();
    if (flush) word |= kFlush;
    if (trap) word &= ~kMasks;
    _mm_setcsr(word);
#elif defined(__aarch64__)
    constexpr std::uint64_t kFlush = std::uint64_t{1} << 24, kTraps = 0x9F00;
    std::uint64_t word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    if (flush) word |= kFlush;
    if (trap) word |= kTraps;
    asm volatile("msr fpcr, %0" : : "r"(word));
#endif
  }
  ~FloatMode() { std::fesetenv(&saved_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace adamant::testing
