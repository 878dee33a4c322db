// The one shape of every sum: a binary tree over a fixed index, whoever computes the nodes.
#pragma once

#include <cstddef>

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

}  // namespace adamant
