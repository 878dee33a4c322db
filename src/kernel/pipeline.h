// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The block pipeline: decode every stream to f32, step, encode every stream back.
#pragma once

#include <cstddef>

#include "kernel/streams.h"

namespace adamant {

/// A tensor with everything a step needs to know of it.
struct StepRun {
  Streams streams;
  std::uint64_t t;
  Roundings roundings;
  const StepScalars* scalars;
  double factor, bound;
};

/// Some of its gradient: of elements [first, first + n). `first` starts a group where the states have groups.
struct GradientRun {
  const void* values;
  Format format;
  std::size_t first;
  std::size_t n;
};

/// `n` elements of it, from its element `first` on.
inline GradientRun part_of(const GradientRun& grad, std::size_t first, std::size_t n) {
  return {static_cast<const std::byte*>(grad.values) + first * info(grad.format).bytes, grad.format, grad.first + first,
          n};
}

/// Blocks of f32 for the streams that are not f32 in memory.
struct BlockScratch {
  alignas(64) float param[kBlock];
  alignas(64) float grad[kBlock];
  alignas(64) StateBlocks states;
};
/// The streams of a block in the type of the arithmetic: where they lie in memory, or decoded into the scratch.
struct BlockStreams {
  void* param;
  const void* grad;
  void* states[kMaxStates];
};
/// At most kBlock elements. What a rule changed in the scratch is put back by store_block, which spoils it.
[[nodiscard]] BlockStreams load_block(const Streams& streams, const GradientRun& grad, BlockScratch& scratch);
void store_block(const StepRun& run, const GradientRun& grad, BlockScratch& scratch);

/// Computes the scalars of a step in the arithmetic of that parameter format.
void prepare_scalars(Variant variant, Format param_format, const Options& options, std::uint64_t t,
                     StepScalars& scalars);

void step_elements(const StepRun& run, const GradientRun& grad);

}  // namespace adamant
