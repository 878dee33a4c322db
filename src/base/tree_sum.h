// The one shape of every sum: a binary tree over a fixed index, whoever computes the nodes.
#pragma once

#include <cstddef>

namespace adamant {

/// Sum of values[0..count) as a complete binary tree over the index, missing leaves counting as zero. Overwrites the
/// values. Because missing leaves add nothing, a tree whose leaves are the roots of complete subtrees gives the same
/// bits as the tree over all leaves.
inline double tree_sum(double* values, std::size_t count) {
  if (count == 0) return 0.0;
  for (; count > 1; count = (count + 1) / 2) {
    for (std::size_t i = 0; i < count / 2; ++i) values[i] = values[2 * i] + values[2 * i + 1];
    if (count % 2 != 0) values[count / 2] = values[count - 1];
  }
  return values[0];
}

}  // namespace adamant
