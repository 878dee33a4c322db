// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The gradient pass: one read of all gradients before the update, for their norm and for what is not finite.
#pragma once

#include <adamant/optimizer.hpp>
#include <optional>
#include <span>
#include <vector>

#include "base/workers.h"
#include "optim/plan.h"

namespace adamant {

/// Sums over the touched pieces of the fixed space; the others' are 0. A value, so that it can be joined with those of
/// other owners of pieces before the tree over all pieces is.
struct PieceSums {
  std::vector<PieceRange> ranges;
  std::vector<double> sums;  // of each piece of the ranges
};

/// The sum of squares of the gradients as they are in memory, piece by piece. Rows count as the dense gradient that has
/// zeros elsewhere, with the same bits.
[[nodiscard]] PieceSums squares_of(Workers& workers, const Work& work, std::span<const TensorState> tensors);

struct GradientPass {
  double norm = 0.0;  // of the gradients as they are in memory
  std::optional<StepReport::NonFiniteAt> nonfinite;
};
[[nodiscard]] GradientPass gradient_pass(Workers& workers, const Work& work, std::span<const TensorState> tensors);

/// What the settings ask of a gradient pass.
[[nodiscard]] bool norm_wanted(const Settings& settings);
[[nodiscard]] bool gradient_pass_wanted(const Settings& settings);

/// Whether the policy lets a step be applied; throws Error (non_finite) where it says so.
[[nodiscard]] bool applies(const Settings& settings, const GradientPass& seen);

/// How gradients whose norm in memory is `norm` are unscaled and clipped.
struct Clip {
  double norm;         // unscaled; the largest number where it would be beyond
  double coefficient;  // of the clipping alone
  double multiple;     // of a gradient in memory: unscaled and clipped
};
[[nodiscard]] Clip clip(const Settings& settings, double norm, double grad_scale);

/// The norm of all from the norm of each. Overwrites them.
[[nodiscard]] double norm_of_norms(std::span<double> norms);

}  // namespace adamant
