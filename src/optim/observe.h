// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a step sees of its moments, put together into Statistics.
#pragma once

#include <adamant/statistics.hpp>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernel/pipeline.h"
#include "kernel/sums.h"

namespace adamant {

struct TensorState;

/// Watches one step. Runs that are stepped through it are observed; which blocks of them, and where what was found
/// goes, depends on tensor, step and block alone, so the result does not depend on threads. All its memory is allocated
/// when it is made, so that nothing fails in the middle of a step.
class Observer {
 public:
  /// For a step whose runs, in order, are visited piece by piece. `first_tensor` is the index of tensors[0]. What the
  /// statistics have from before stays until collect(), which appends to it or takes its place.
  Observer(Statistics& statistics, bool append, std::span<const TensorState> tensors, std::size_t first_tensor,
           std::size_t runs, std::size_t pieces);

  /// step_elements() on what lies in one piece of work, observed. Each visit of a run in a piece has a slot of its own:
  /// both numbers grow along the work, and at each visit at least one of them, so their sum does.
  void step(const StepRun& run, const GradientRun& grad, std::size_t tensor, std::size_t run_index, std::size_t piece);

  /// What was seen of the tensors that took the step; t after it.
  void collect(std::span<const StepRun> steps);

 private:
  struct Visit {
    std::optional<std::size_t> tensor;  // none: not used
    std::uint64_t elements = 0;
    Sums sums{};
    ScaleSample scales;
  };

  /// What is seen of a tensor.
  struct Share {
    std::size_t every = 0;          // the sums take one block in so many
    std::size_t sample_every = 0;   // and the sample, of which
    std::size_t sample_stride = 0;  // one element in so many
    std::vector<Probe> probes;      // by element
  };

  /// Which blocks of a tensor a step takes: one in so many, other ones in each step; 0: none.
  struct Turn {
    Turn(std::uint64_t t, std::size_t one_in, std::size_t shift, std::size_t parts = 1);
    /// The first of them from `block` on, or the largest number.
    [[nodiscard]] std::size_t next(std::size_t block) const;
    std::size_t every, late;
    std::size_t part;  // of such a block, where it has `parts`: likewise
  };
  /// Of a block, one element in `stride`.
  struct Spread {
    std::size_t first, stride;
  };

  /// Those that lie in a run that has not been stepped.
  void look_at_probes(const StepRun& run, const GradientRun& grad, std::span<Probe> probes);
  /// One block: steps it, puts its sums where `sums` is not null, and takes the sample where there is one.
  void observe(const StepRun& run, const GradientRun& grad, Visit& visit, double* sums,
               const std::optional<Spread>& sampled);
  void sample(const StepRun& run, const GradientRun& grad, const BlockStreams& block, const Spread& elements,
              ScaleSample& scales) const;

  Statistics& statistics_;
  bool append_;
  std::size_t first_tensor_;
  std::vector<Visit> visits_;
  std::vector<Share> shares_;  // of each tensor
  std::vector<Sums> rows_;     // for collect()
};

}  // namespace adamant
