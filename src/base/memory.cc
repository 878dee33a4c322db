// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "base/memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace adamant {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Below this, rounding up to whole huge pages would waste a noticeable share.
constexpr std::size_t kHugeFrom = 32 * kHugePage;
#if defined(__linux__)
constexpr std::size_t kPage = 4096;
// From here on memory is asked of the system page by page: rounding up wastes little, and zeros need no writing.
constexpr std::size_t kMappedFrom = std::size_t{1} << 20;
#endif

std::size_t alignment_for(std::size_t bytes) noexcept {
  if (bytes >= kHugeFrom) return kHugePage;
#if defined(__linux__)
  if (bytes >= kMappedFrom) return kPage;
#endif
  return kCacheLine;
}

#if defined(__linux__)
// Starts at a multiple of the alignment: what lies before and behind is given back.
std::byte* map_zeroed(std::size_t bytes, std::size_t alignment) {
  const std::size_t spare = alignment > kPage ? alignment : 0;
  if (bytes + spare < bytes) throw std::bad_alloc();
  void* mapped = mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* start = static_cast<std::byte*>(mapped);
  const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(start) % alignment) % alignment;
  if (before > 0) munmap(start, before);
  if (spare > before) munmap(start + before + bytes, spare - before);
  return start + before;
}
#endif

}  // namespace

void FreeMemory::operator()(std::byte* memory) const noexcept {
#if defined(__linux__)
  if (mapped > 0) {
    munmap(memory, mapped);
    return;
  }
#endif
  std::free(memory);
}

std::size_t allocated_bytes(std::size_t bytes) noexcept {
  const std::size_t alignment = alignment_for(bytes);
  return (bytes + alignment - 1) / alignment * alignment;
}

OwnMemory allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t rounded = allocated_bytes(bytes);
  if (rounded < bytes) throw std::bad_alloc();
#if defined(__linux__)
  if (bytes >= kMappedFrom) {
    OwnMemory memory(map_zeroed(rounded, alignment_for(bytes)), FreeMemory{rounded});
    if (bytes >= kHugeFrom) madvise(memory.get(), rounded, MADV_HUGEPAGE);
    return memory;
  }
#endif
  OwnMemory memory(static_cast<std::byte*>(std::aligned_alloc(alignment_for(bytes), rounded)));
  if (!memory) throw std::bad_alloc();
  std::memset(memory.get(), 0, rounded);
  return memory;
}

}  // namespace adamant
