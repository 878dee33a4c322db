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
#if defined(__linux__)
constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
#endif

// What memory of that size is a multiple of.
std::size_t unit_of(std::size_t bytes) noexcept {
#if defined(__linux__)
  if (bytes >= kLargeFrom) return kPage;
#endif
  return kCacheLine;
}

#if defined(__linux__)
// In huge pages as far as these fit into it: it starts with one, and what the system gave before and behind is given
// back. Steps over many pages of 4 KiB wait for the tables of pages: they take up to twice as long.
std::byte* map_zeroed(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kPage;
  const std::size_t spare = alignment > kPage ? alignment : 0;
  if (bytes + spare < bytes) throw std::bad_alloc();
  void* mapped = mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* start = static_cast<std::byte*>(mapped);
  const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(start) % alignment) % alignment;
  if (before > 0) munmap(start, before);
  if (spare > before) munmap(start + before + bytes, spare - before);
  if (bytes >= kHugePage) madvise(start + before, bytes, MADV_HUGEPAGE);
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
  const std::size_t unit = unit_of(bytes);
  return (bytes + unit - 1) / unit * unit;
}

OwnMemory allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t rounded = allocated_bytes(bytes);
  if (rounded < bytes) throw std::bad_alloc();
#if defined(__linux__)
  if (bytes >= kLargeFrom) return {map_zeroed(rounded), FreeMemory{rounded}};
#endif
  OwnMemory memory(static_cast<std::byte*>(std::aligned_alloc(kCacheLine, rounded)));
  if (!memory) throw std::bad_alloc();
  std::memset(memory.get(), 0, rounded);
  return memory;
}

std::vector<SharedMemory> allocate_zeroed(std::span<const std::size_t> sizes) {
  const auto alone = [](std::size_t bytes) { return bytes >= kLargeFrom; };
  std::size_t side_by_side = 0;
  for (const std::size_t bytes : sizes) side_by_side += alone(bytes) ? 0 : allocated_bytes(bytes);
  const SharedMemory all = allocate_zeroed(side_by_side);
  std::vector<SharedMemory> pieces;
  pieces.reserve(sizes.size());
  std::size_t used = 0;
  for (const std::size_t bytes : sizes) {
    if (alone(bytes)) {
      pieces.emplace_back(allocate_zeroed(bytes));
    } else {
      pieces.emplace_back(bytes == 0 ? SharedMemory() : SharedMemory(all, all.get() + used));
      used += allocated_bytes(bytes);
    }
  }
  return pieces;
}

}  // namespace adamant
