// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/plan.h"

namespace adamant {

Work::Work(std::span<const TensorState> tensors) {
  runs_.reserve(tensors.size());
  std::size_t blocks = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const TensorState& tensor = tensors[t];
    const std::size_t size = tensor.param.size;
    if (tensor.grad.lazy_rows) {
      const SummedRows& summed = rows_.emplace_back(sum_rows(tensor));
      const std::size_t width = tensor.row_width();
      for (const SummedRows::Row& row : summed.rows) {
        add({t, row.row * width, width, row.values, summed.format, blocks, 0, 0});
      }
    } else if (tensor.grad.present()) {
      add({t, 0, size, tensor.grad.values.data, tensor.grad.values.format, blocks, 0, 0});
    }
    blocks += size / kBlock + (size % kBlock != 0 ? 1 : 0);
  }
}

void Work::add(Run run) {
  if (run.count == 0) return;
  run.first_block = run.tensor_block + run.first / kBlock;
  run.last_block = run.tensor_block + (run.first + run.count - 1) / kBlock;
  runs_.push_back(run);
  elements_ += run.count;
  const std::size_t last = run.last_block / kPieceBlocks;
  const std::size_t first = run.first_block / kPieceBlocks;
  if (ranges_.empty() || first > ranges_.back().first + ranges_.back().count) {
    ranges_.push_back({first, last + 1 - first, piece_count()});
  } else {
    PieceRange& range = ranges_.back();
    range.count = std::max(range.count, last + 1 - range.first);
  }
}

}  // namespace adamant
