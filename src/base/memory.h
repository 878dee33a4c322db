// Memory of the optimizer's own: zeroed, aligned to a cache line, in huge pages where it is large.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace adamant {

struct FreeMemory {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
using Memory = std::unique_ptr<std::byte[], FreeMemory>;

/// Rounded up to what allocate_zeroed really takes from the system.
[[nodiscard]] std::size_t allocated_bytes(std::size_t bytes) noexcept;
/// Throws std::bad_alloc. Zero bytes give no memory.
[[nodiscard]] Memory allocate_zeroed(std::size_t bytes);

}  // namespace adamant
