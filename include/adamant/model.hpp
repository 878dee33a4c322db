// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a rule remembers of past gradients at one step of a tensor. Its statistics follow from this alone.
#pragma once

#include <adamant/export.h>

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <cstdint>
#include <optional>

namespace adamant {

/// The weights of past gradients, or of their squares, in a mean: that of k steps ago has the weight newest·ratio^k.
/// The weights add up to 1; the rule's state is `total` times that mean.
struct Memory {
  double ratio = 0.0;  ///< 0: only the current one counts; 1: all count alike
  double newest = 1.0;
  double total = 1.0;
  double squares = 1.0;  ///< sum of the squared weights
};

/// What a rule divides by, element by element: √v̂ + ε.
struct SecondMoment {
  enum class Kind : std::uint8_t {
    mean,   ///< v̂ is `total` times the mean of g² that `memory` describes
    above,  ///< v̂ is at least that: a maximum of such means, or a sum that began above 0
    other,  ///< √v̂ measures the gradients in another way; only `ratio` is known, which says how it forgets
  };
  Memory memory;
  Kind kind = Kind::mean;
  double eps = 0.0;        ///< as it is added in f32: at least what Options says that 0 counts as
  bool corrected = false;  ///< v̂ is the state without the bias of its start at 0
};

/// A rule with its options at step t of a tensor. `first` and `second` are set if the rule has the moment.
struct RuleModel {
  std::uint64_t step = 1;                 ///< t, counted from 1
  double lr = 0.0;                        ///< η of this step
  std::optional<double> decoupled_decay;  ///< λ; empty if the decay is a part of the gradient
  std::optional<Memory> first;            ///< of m after the step
  std::optional<Memory> first_before;     ///< of m before the step; empty at the first step
  std::optional<SecondMoment> second;     ///< empty if nothing is divided
  bool first_corrected = false;           ///< m̂, not m, makes the step: without the bias of its start at 0
  std::optional<Memory> direction;        ///< of the dividend; empty if it is no such mean
  double update_momentum = 0.0;           ///< μ, if the step is a sum of updates: b ← μ·b + direction/(√v̂ + ε)
};

/// The model of a rule; an option that is not set has the rule's default. Step 0 counts as 1.
[[nodiscard]] ADAMANT_EXPORT RuleModel model_of(Rule rule, const Options& options, std::uint64_t step);

}  // namespace adamant
