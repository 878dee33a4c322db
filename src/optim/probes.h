// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which elements of a tensor are followed through a run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace adamant {

/// `count` elements of `size`, or all: the middle of each of so many equal parts.
inline std::vector<std::size_t> probe_elements(std::size_t size, std::size_t count) {
  count = std::min(count, size);
  std::vector<std::size_t> elements(count);
  if (count == 0) return elements;
  const std::size_t part = size / count, rest = size % count;
  for (std::size_t k = 0; k < count; ++k) elements[k] = part * k + rest * k / count + part / 2;
  return elements;
}

}  // namespace adamant
