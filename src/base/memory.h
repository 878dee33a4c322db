// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Memory of the optimizer's own: zeroed, aligned to a cache line, in huge pages where it is large.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace adamant {

struct FreeMemory {
  std::size_t mapped = 0;  // bytes that came from mmap; 0: from aligned_alloc
  void operator()(std::byte* memory) const noexcept;
};
/// From so many bytes on, memory is large: asked of the system page by page, for rounding up wastes little then, and
/// zeros need no writing.
inline constexpr std::size_t kLargeFrom = std::size_t{1} << 20;
using OwnMemory = std::unique_ptr<std::byte[], FreeMemory>;
/// A piece of memory that others may have parts of; the last of them gives it back.
using SharedMemory = std::shared_ptr<std::byte[]>;

/// Rounded up to what allocate_zeroed really takes from the system.
[[nodiscard]] std::size_t allocated_bytes(std::size_t bytes) noexcept;
/// Throws std::bad_alloc. Zero bytes give no memory. Pages of large memory are taken from the system when they are
/// first written, so they lie near the processor of the thread that does so.
[[nodiscard]] OwnMemory allocate_zeroed(std::size_t bytes);
/// Pieces of these sizes. Small ones lie side by side, so that who goes over many of them meets few pages.
[[nodiscard]] std::vector<SharedMemory> allocate_zeroed(std::span<const std::size_t> sizes);

}  // namespace adamant
