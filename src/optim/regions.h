// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Memory that an optimizer writes, its own and the caller's, by address.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "optim/tensor_state.h"

namespace adamant {

/// A parameter or a plane.
struct Region {
  const std::byte* end;
  const std::byte* begin;
  std::size_t tensor;
  std::optional<std::size_t> plane;  // index; none: the parameter
  [[nodiscard]] bool empty() const { return begin == end; }
};

class Regions {
 public:
  void insert(std::span<const Region> regions);
  void remove(const Region& region);
  /// The planes of the tensors that are marked go; their parameters stay.
  void remove_planes(const std::vector<bool>& of_tensor);
  /// Those of a tensor go, and those of the tensors behind it count one less.
  void remove_tensor(std::size_t tensor);
  /// Two that overlap, the one that ends first before the other.
  [[nodiscard]] std::optional<std::pair<Region, Region>> first_overlap() const;
  /// One that overlaps [begin, end), or null.
  [[nodiscard]] const Region* overlapping(const std::byte* begin, const std::byte* end) const;

 private:
  std::vector<Region> by_end_;
};

[[nodiscard]] Region param_region(const Tensor& param, std::size_t tensor);

}  // namespace adamant
