// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Replaces the program's operator new by one that fails on request. Include it in one file of a program.
#pragma once

#include <cstdlib>
#include <new>

namespace adamant::testing {

constexpr long kEnough = -1;
inline thread_local long left = kEnough;  // allocations until one fails

}  // namespace adamant::testing

// Not inlined, or GCC takes malloc and operator delete for a pair that does not belong together.
[[gnu::noinline]] void* operator new(std::size_t size) {
  using namespace adamant::testing;
  if (left != kEnough && left-- == 0) {
    left = kEnough;
    throw std::bad_alloc();
  }
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// Does not fail: whoever asks so goes on without, as std::stable_sort does, and then what comes after it would not be
// tried, for only one allocation of a call fails.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
