#include "base/memory.h"

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

std::size_t alignment_for(std::size_t bytes) noexcept { return bytes >= kHugeFrom ? kHugePage : kCacheLine; }

}  // namespace

std::size_t allocated_bytes(std::size_t bytes) noexcept {
  const std::size_t alignment = alignment_for(bytes);
  return (bytes + alignment - 1) / alignment * alignment;
}

Memory allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t rounded = allocated_bytes(bytes);
  if (rounded < bytes) throw std::bad_alloc();
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(alignment_for(bytes), rounded)));
  if (!memory) throw std::bad_alloc();
#if defined(__linux__)
  if (bytes >= kHugeFrom) madvise(memory.get(), rounded, MADV_HUGEPAGE);
#endif
  std::memset(memory.get(), 0, rounded);
  return memory;
}

}  // namespace adamant
