// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The work of a step: which elements of which tensors it touches, cut into pieces.
//
// Two index spaces. The fixed one numbers the blocks of all tensors, in order, with or without a gradient: it depends
// on the tensors alone, so it can say who owns work or a sum. The step's own numbers the pieces of the fixed space
// that this step touches.
#pragma once

#include <adamant/format.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "base/workers.h"
#include "kernel/kernels.h"
#include "optim/rows.h"
#include "optim/tensor_state.h"

namespace adamant {

/// Blocks of a piece of work: 16Ki elements, about 5 µs of f32 in cache and long enough that handing it out costs
/// nothing. A power of two, so that a piece is a complete subtree of every sum.
inline constexpr std::size_t kPieceBlocks = 64;

/// Neighbouring elements of one tensor and their gradient: a whole tensor, or a row of one.
struct Run {
  std::size_t tensor;
  std::size_t first;  // element of the tensor
  std::size_t count;
  const void* grad;  // of the first element
  Format grad_format;
  std::size_t tensor_block;             // the number in the fixed space of the tensor's first block
  std::size_t first_block, last_block;  // of this run

  /// The gradient of an element of the tensor, or what lies behind that of the last one.
  [[nodiscard]] const std::byte* grad_at(std::size_t element) const {
    return static_cast<const std::byte*>(grad) + (element - first) * info(grad_format).bytes;
  }
};

/// Pieces of the fixed space that follow each other.
struct PieceRange {
  std::size_t first;  // number in the fixed space
  std::size_t count;
  std::size_t before;  // pieces of the ranges before this one
};

class Work {
 public:
  /// Throws Error (invalid_argument) naming a row outside its tensor; std::bad_alloc.
  explicit Work(std::span<const TensorState> tensors);

  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] std::size_t index_of(const Run& run) const { return static_cast<std::size_t>(&run - runs_.data()); }
  /// The run that follows once this one is done up to `end`; nullptr if its own elements do, or nothing.
  [[nodiscard]] const Run* following(const Run& run, std::size_t end) const {
    return end < run.first + run.count || &run == &runs_.back() ? nullptr : &run + 1;
  }
  [[nodiscard]] std::size_t elements() const { return elements_; }
  /// The touched pieces, ascending: one range where every tensor has a dense gradient.
  [[nodiscard]] const std::vector<PieceRange>& ranges() const { return ranges_; }
  [[nodiscard]] std::size_t piece_count() const {
    return ranges_.empty() ? 0 : ranges_.back().before + ranges_.back().count;
  }
  /// The number in the fixed space of the i-th touched piece.
  [[nodiscard]] std::size_t piece(std::size_t i) const {
    const PieceRange& range = *std::prev(std::ranges::upper_bound(ranges_, i, {}, &PieceRange::before));
    return range.first + (i - range.before);
  }

  /// Calls visit(run, first element of the tensor, elements) for the parts of runs that lie in a piece.
  template <class Visit>
  void for_each_in_piece(std::size_t piece, Visit&& visit) const {
    const std::size_t begin = piece * kPieceBlocks, end = begin + kPieceBlocks;
    auto run = std::ranges::lower_bound(runs_, begin, {}, &Run::last_block);
    for (; run != runs_.end() && run->first_block < end; ++run) {
      const std::size_t base = run->tensor_block;
      const std::size_t from = begin > base ? (begin - base) * kBlock : 0;
      const std::size_t first = std::max(run->first, from);
      const std::size_t last = std::min(run->first + run->count, (end - base) * kBlock);
      visit(*run, first, last - first);
    }
  }

 private:
  void add(Run run);

  std::vector<Run> runs_;
  std::vector<PieceRange> ranges_;
  std::size_t elements_ = 0;
  std::vector<SummedRows> rows_;  // keeps the sums of repeated rows
};

/// Calls visit(i) for each i in [0, count), by several threads where the work is worth it. Each goes forwards through
/// memory, which is what the hardware expects.
template <class Visit>
void for_each_piece(Workers& workers, const Work& work, const Visit& visit) {
  // Below this much work (elements) waking other threads takes longer than doing it.
  constexpr std::size_t kSerialElements = std::size_t{1} << 16;
  const std::size_t count = work.piece_count();
  if (work.elements() <= kSerialElements) {
    // The caller's thread already has the environment.
    for (std::size_t i = 0; i < count; ++i) visit(i);
  } else {
    workers.run(count, visit);
  }
}

/// Asks for the beginning of a stream of the next run, of so many bytes, while a pass works on the one before: by the
/// time it is read, the hardware has found the stream. Not where it goes on behind that run's: there the loop asks for
/// it by itself.
inline void prefetch_start(const std::byte* behind, const std::byte* next, std::size_t bytes) {
  constexpr std::size_t kMost = 1024, kLine = 64;
  if (reinterpret_cast<std::uintptr_t>(next) - reinterpret_cast<std::uintptr_t>(behind) < kMost) return;
  for (std::size_t at = 0; at < std::min(bytes, kMost); at += kLine) __builtin_prefetch(next + at);
}

}  // namespace adamant
