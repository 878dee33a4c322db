// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/norm.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/text.h"
#include "base/tree_sum.h"
#include "kernel/convert.h"

namespace adamant {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

/// A block of which only some elements have a gradient, put together with zeros between them. All parts of a block
/// come one after the other.
class Patchwork {
 public:
  void add(const Run& run, std::size_t first, std::size_t count, double* sum) {
    if (sum != sum_) {
      finish();
      sum_ = sum;
      format_ = run.grad_format;
      std::memset(block_, 0, sizeof(block_));
    }
    const std::size_t bytes = info(format_).bytes;
    std::memcpy(block_ + first % kBlock * bytes, run.grad_at(first), count * bytes);
  }
  void finish() {
    if (sum_ != nullptr) *sum_ = format_kernels().squares[index_of(format_)](block_, kBlock);
    sum_ = nullptr;
  }

 private:
  alignas(64) std::byte block_[kBlock * sizeof(double)];
  Format format_ = Format::f32;
  double* sum_ = nullptr;
};

/// Calls visit(index, value) for every element, in order. For rare cases.
template <class Visit>
void for_each_value(const void* from, Format format, std::size_t n, Visit&& visit) {
  const std::size_t bytes = info(format).bytes;
  double values[kBlock];
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t count = std::min(kBlock, n - first);
    to_f64(static_cast<const std::byte*>(from) + first * bytes, format, count, values);
    for (std::size_t i = 0; i < count; ++i) visit(first + i, values[i]);
  }
}

/// As the user gave the gradients: rows in their order, repeated ones too.
std::optional<StepReport::NonFiniteAt> find_nonfinite(std::span<const TensorState> tensors) {
  std::optional<StepReport::NonFiniteAt> found;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const TensorState& tensor = tensors[t];
    const Tensor& values = tensor.grad.values;
    for_each_value(values.data, values.format, values.size, [&](std::size_t index, double value) {
      if (std::isfinite(value)) return;
      if (!found) found = {tensor.name, index, 0, t};
      ++found->count;
    });
  }
  return found;
}

/// The norm of finite gradients whose squares overflow f64.
double norm_of_huge(const Work& work) {
  constexpr double kShrink = 0x1p-600;
  double sum = 0.0;
  for (const Run& run : work.runs()) {
    for_each_value(run.grad, run.grad_format, run.count, [&](std::size_t, double value) {
      const double shrunk = value * kShrink;
      sum += shrunk * shrunk;
    });
  }
  return std::min(std::sqrt(sum) / kShrink, kLargest);
}

/// The sum over all pieces of the fixed space.
double total(PieceSums sums) {
  if (sums.ranges.size() == 1 && sums.ranges.front().first == 0) return tree_sum(sums.sums.data(), sums.sums.size());
  std::vector<std::size_t> pieces;
  pieces.reserve(sums.sums.size());
  for (const PieceRange& range : sums.ranges) {
    for (std::size_t i = 0; i < range.count; ++i) pieces.push_back(range.first + i);
  }
  return sparse_tree_sum(pieces, sums.sums);
}

}  // namespace

PieceSums squares_of(Workers& workers, const Work& work, std::span<const TensorState> tensors) {
  PieceSums sums{work.ranges(), std::vector<double>(work.piece_count())};
  const FormatKernels& kernels = format_kernels();
  for_each_piece(workers, work, [&](std::size_t i) {
    const std::size_t piece = work.piece(i);
    double blocks[kPieceBlocks] = {};
    Patchwork patchwork;
    work.for_each_in_piece(piece, [&](const Run& run, std::size_t first, std::size_t count) {
      const std::size_t size = tensors[run.tensor].param.size;
      const auto squares = kernels.squares[index_of(run.grad_format)];
      const auto sum_of = [&](std::size_t block) { return blocks + (run.tensor_block + block - piece * kPieceBlocks); };
      if (const Run* next = work.following(run, first + count)) {
        prefetch_start(run.grad_at(first + count), next->grad_at(next->first),
                       next->count * info(next->grad_format).bytes);
      }
      for (const std::size_t end = first + count; first < end;) {
        const std::size_t block = first / kBlock;
        const std::size_t part = std::min(end, (block + 1) * kBlock) - first;
        if (part == std::min(kBlock, size - block * kBlock)) {
          *sum_of(block) = squares(run.grad_at(first), part);
        } else {
          patchwork.add(run, first, part, sum_of(block));
        }
        first += part;
      }
    });
    patchwork.finish();
    sums.sums[i] = tree_sum(blocks, kPieceBlocks);
  });
  return sums;
}

GradientPass gradient_pass(Workers& workers, const Work& work, std::span<const TensorState> tensors) {
  GradientPass seen;
  const double sum = total(squares_of(workers, work, tensors));
  seen.norm = std::sqrt(sum);
  if (std::isfinite(sum)) return seen;
  seen.nonfinite = find_nonfinite(tensors);
  if (!seen.nonfinite) seen.norm = norm_of_huge(work);
  return seen;
}

bool norm_wanted(const Settings& settings) { return settings.max_norm.has_value() || settings.report_norm; }
bool gradient_pass_wanted(const Settings& settings) {
  return norm_wanted(settings) || settings.nonfinite != NonFinite::propagate;
}

bool applies(const Settings& settings, const GradientPass& seen) {
  if (!seen.nonfinite || settings.nonfinite == NonFinite::propagate) return true;
  if (settings.nonfinite == NonFinite::skip) return false;
  throw Error(ErrorCode::non_finite, "gradient of " + in_quotes(seen.nonfinite->tensor) + " is not finite at element " +
                                         std::to_string(seen.nonfinite->index) + " (" +
                                         counted(seen.nonfinite->count, "non-finite element") + " in all gradients)");
}

Clip clip(const Settings& settings, double norm, double grad_scale) {
  const double unscaled = norm / grad_scale;
  if (!settings.max_norm)
    return {std::isinf(unscaled) && std::isfinite(norm) ? kLargest : unscaled, 1.0, 1.0 / grad_scale};
  // A NaN norm makes every gradient NaN, as in torch.
  const double coefficient = *settings.max_norm / (unscaled + 1e-6);
  if (coefficient >= 1.0) return {unscaled, 1.0, 1.0 / grad_scale};
  const double multiple = coefficient / grad_scale;
  if (multiple >= std::numeric_limits<double>::min() || !std::isfinite(norm)) return {unscaled, coefficient, multiple};
  // The unscaled norm, or what clips it, is beyond f64, and what makes a gradient in memory as long as max_norm is not.
  return {std::min(unscaled, kLargest), coefficient, *settings.max_norm / norm};
}

double norm_of_norms(std::span<double> norms) {
  constexpr double kHuge = 0x1p600;  // whose square no f64 holds
  double unit = 1.0;
  for (const double norm : norms) {
    if (!std::isfinite(norm)) return norm;
    if (norm >= 0x1p500) unit = kHuge;
  }
  for (double& norm : norms) norm = norm / unit * (norm / unit);
  return std::min(std::sqrt(tree_sum(norms.data(), norms.size())) * unit, kLargest);
}

}  // namespace adamant
