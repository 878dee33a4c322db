#include "optim/plan.h"

namespace adamant {

Work::Work(std::span<const TensorState> tensors) {
  runs_.reserve(tensors.size());
  first_blocks_.reserve(tensors.size());
  std::size_t blocks = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const TensorState& tensor = tensors[t];
    const std::size_t size = tensor.param.size;
    first_blocks_.push_back(blocks);
    if (tensor.grad.lazy_rows) {
      const SummedRows& summed = rows_.emplace_back(sum_rows(tensor));
      const std::size_t width = tensor.row_width();
      for (const SummedRows::Row& row : summed.rows) add(t, row.row * width, width, row.values, summed.format);
    } else if (tensor.grad.present()) {
      add(t, 0, size, tensor.grad.values.data, tensor.grad.values.format);
    }
    blocks += size / kBlock + (size % kBlock != 0 ? 1 : 0);
  }
}

void Work::add(std::size_t tensor, std::size_t first, std::size_t count, const void* grad, Format format) {
  if (count == 0) return;
  const std::size_t base = first_blocks_[tensor];
  const Run& run = runs_.emplace_back(tensor, first, count, grad, format, base + first / kBlock,
                                      base + (first + count - 1) / kBlock);
  elements_ += count;
  std::size_t piece = run.first_block / kPieceBlocks;
  if (!pieces_.empty()) piece = std::max(piece, pieces_.back() + 1);
  for (; piece <= run.last_block / kPieceBlocks; ++piece) pieces_.push_back(piece);
}

}  // namespace adamant
