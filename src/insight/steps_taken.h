// Where a run that goes on goes on counting.
#pragma once

#include <adamant/optimizer.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace adamant {

/// Steps of the tensor that has taken the most.
inline std::uint64_t steps_taken(const Optimizer& optimizer) {
  std::uint64_t steps = 0;
  for (std::size_t i = 0; i < optimizer.tensor_count(); ++i) steps = std::max(steps, optimizer.tensor(i).step);
  return steps;
}

}  // namespace adamant
