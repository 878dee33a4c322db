// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The floating-point environment that the bit contract needs, for the length of a scope.
//
// Loading any library built with -ffast-math sets flush-to-zero in the thread that loads it and in threads made later,
// and a program may have changed the rounding mode. So every piece of work sets round to nearest even, denormals kept
// and exceptions masked, and puts back what it found.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

namespace adamant {

class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : saved_(get()) {
    if (saved_ != wanted(saved_)) set(wanted(saved_));
  }
  ~FloatEnvironment() {
    // Also restores the exception flags, which are the caller's.
    if (get() != saved_) set(saved_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__SSE2__)
  using Word = std::uint32_t;
  static Word get() noexcept { return _mm_getcsr(); }
  static void set(Word word) noexcept { _mm_setcsr(word); }
  // All exceptions masked (bits 7-12), round to nearest (13-14 zero), no flush to zero (15), denormals are not zero
  // (6).
  static Word wanted(Word word) noexcept { return (word & 0x3Fu) | 0x1F80u; }
#elif defined(__aarch64__)
  // The control register FPCR, and above it the status register FPSR, which holds the exception flags: 32 bits each.
  using Word = std::uint64_t;
  static Word get() noexcept {
    std::uint64_t control, status;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    asm volatile("mrs %0, fpsr" : "=r"(status));
    return control | status << 32;
  }
  static void set(Word word) noexcept {
    asm volatile("msr fpcr, %0" : : "r"(word & 0xFFFFFFFF));
    asm volatile("msr fpsr, %0" : : "r"(word >> 32));
  }
  // Clears rounding mode (22-23), flush to zero (24, and 19 for f16), default NaN (25) and trap enables (8-12, 15).
  static Word wanted(Word word) noexcept { return word & ~Word{0x03C89F00}; }
#else
  struct Word {
    std::fenv_t environment;
    bool operator==(const Word&) const noexcept { return false; }
  };
  static Word get() noexcept {
    Word word;
    std::fegetenv(&word.environment);
    return word;
  }
  static void set(const Word& word) noexcept { std::fesetenv(&word.environment); }
  static Word wanted(const Word&) noexcept {
    Word word;
    const Word now = get();
    std::fesetenv(FE_DFL_ENV);
    word = get();
    set(now);
    return word;
  }
#endif
  const Word saved_;
};

}  // namespace adamant
