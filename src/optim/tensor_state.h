// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// One tensor as an optimizer keeps it: views of the user's memory, formats, and the planes of its states.
#pragma once

#include <adamant/optimizer.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "base/memory.h"
#include "rule/variants.h"

namespace adamant {

/// A gradient: of the whole tensor, or of some of its rows.
struct Gradient {
  Tensor values;  // of the whole tensor, or rows.size() rows
  bool lazy_rows = false;
  std::span<const std::int64_t> rows;
  [[nodiscard]] bool present() const noexcept { return values.data != nullptr || lazy_rows; }
};

/// Where a plane lies: in memory of the optimizer's own, or in the caller's.
struct PlaneMemory {
  std::byte* data = nullptr;
  SharedMemory own;  // empty where the memory is the caller's
  [[nodiscard]] bool is_callers() const noexcept { return data != nullptr && !own; }
};

/// Values and exponents of each state, then the low-order bits of the weights.
inline constexpr std::size_t kMaxPlanes = 2 * kMaxStates + 1;
using Planes = std::array<PlaneMemory, kMaxPlanes>;
constexpr std::size_t plane_index(std::size_t state, PlaneKind kind) {
  return kind == PlaneKind::low_bits ? 2 * kMaxStates : 2 * state + (kind == PlaneKind::exponents ? 1 : 0);
}

/// Steps are counted up to here, where nothing depends on their number any more: what a run counts can always be
/// loaded.
inline constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 62;
constexpr std::uint64_t one_more(std::uint64_t steps) { return std::min(steps + 1, kMostSteps); }

struct TensorState {
  std::string name;
  std::vector<std::size_t> shape;
  Tensor param;
  Gradient grad;
  std::size_t group = 0;
  std::uint64_t step = 0;
  StateFormat state_format = StateFormat::f32;
  WeightFormat weight_format = WeightFormat::plain;
  Planes planes;
  std::uint32_t seed = 0;  // of its dither

  /// Elements of one row, also where there are no rows; 0 for a tensor of one dimension.
  [[nodiscard]] std::size_t row_width() const {
    if (shape.size() < 2) return 0;
    return std::accumulate(shape.begin() + 1, shape.end(), std::size_t{1}, std::multiplies());
  }
};

struct GroupState {
  Options options;  // every option of the rule
  Variant variant = Variant::adamw;
  [[nodiscard]] Rule rule() const { return info(variant).rule; }
};

}  // namespace adamant
