// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Memory of a measurement: aligned to huge pages, and in them where it is large, as the library's own states are.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace adamant::bench {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct FreeMemory {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
using Memory = std::unique_ptr<std::byte[], FreeMemory>;

/// Not touched yet, so that it lies near the thread that does it first. Throws std::bad_alloc.
inline Memory allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(kHugePage, rounded)));
  if (!memory && rounded > 0) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  madvise(memory.get(), rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace adamant::bench
