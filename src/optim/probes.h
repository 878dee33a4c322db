// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which elements of a tensor are followed through a run.
#pragma once

#include <cstddef>

namespace adamant {

/// Calls visit(element) for `count` elements of `size`, or all: the middle of each of so many equal parts.
template <class Visit>
void for_each_probe(std::size_t size, std::size_t count, const Visit& visit) {
  if (count > size) count = size;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t part = size / count, rest = size % count;
    visit(part * k + rest * k / count + part / 2);
  }
}

}  // namespace adamant
