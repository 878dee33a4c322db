// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The one shape of every sum: a binary tree over a fixed index, whoever computes the nodes.
#pragma once

#include <cstddef>
#include <vector>

namespace adamant {

/// Joins values[0..count), two by two, as a complete binary tree over the index from which leaves may be missing.
/// Overwrites the values; none: a value of zeros.
template <class Value, class Join>
Value tree_join(Value* values, std::size_t count, Join join) {
  if (count == 0) return Value{};
  for (; count > 1; count = (count + 1) / 2) {
    for (std::size_t i = 0; i < count / 2; ++i) values[i] = join(values[2 * i], values[2 * i + 1]);
    if (count % 2 != 0) values[count / 2] = values[count - 1];
  }
  return values[0];
}

/// Sum of values[0..count) as such a tree. Because missing leaves add nothing, a tree whose leaves are the roots of
/// complete subtrees gives the same bits as the tree over all leaves.
inline double tree_sum(double* values, std::size_t count) {
  return tree_join(values, count, [](double a, double b) { return a + b; });
}

/// The tree sum of values[0..n) of which only those at the ascending indices are not 0. Overwrites both.
inline double sparse_tree_sum(std::vector<std::size_t>& indices, std::vector<double>& values) {
  std::size_t count = values.size();
  if (count == 0) return 0.0;
  while (count > 1) {
    std::size_t joined = 0;
    for (std::size_t i = 0; i < count; ++joined) {
      const bool pair = i + 1 < count && indices[i] / 2 == indices[i + 1] / 2;
      values[joined] = pair ? values[i] + values[i + 1] : values[i];
      indices[joined] = indices[i] / 2;
      i += pair ? 2 : 1;
    }
    count = joined;
  }
  return values[0];
}

}  // namespace adamant
