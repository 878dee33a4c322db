// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Row gradients: repeated rows summed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/memory.h"
#include "optim/tensor_state.h"

namespace adamant {

/// The rows of a lazy gradient, each once, in ascending order, and where their values are.
struct SummedRows {
  struct Row {
    std::size_t row = 0;
    const void* values = nullptr;  // row_width elements
  };
  std::vector<Row> rows;
  Format format = Format::f32;  // of the values
  OwnMemory sums;               // of the repeated rows
};

/// Throws Error (invalid_argument) naming a row outside the tensor; std::bad_alloc.
[[nodiscard]] SummedRows sum_rows(const TensorState& tensor);

}  // namespace adamant
