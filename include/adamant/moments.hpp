// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the sums of a step say about the moments: the statistics of a tensor, and the value of each for noise alone.
#pragma once

#include <adamant/export.h>

#include <adamant/model.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <adamant/statistics.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace adamant {

/// The statistics of one tensor in one step, in the notation of statistics.hpp. η is the learning rate, λ the decoupled
/// weight decay, t the step of the tensor; RMS is taken over its elements. m̂ is the weighted mean of the gradients in
/// m: m/(1-β1^t) for AdamW; for SGD, the momentum buffer divided by the sum of its weights. A value that is not defined
/// is NaN: if the tensor was not observed, if the rule lacks the moment, or after a division by 0. moment_list() gives
/// the question that each answers and its healthy range.
struct Moments {
  double lag = 0.0;            ///< RMS(g·r)
  double update = 0.0;         ///< RMS(u), in units of the learning rate
  double signal = 0.0;         ///< <m̂_old, g> / ‖g‖²
  double relative_step = 0.0;  ///< η·RMS(u) / RMS(w)
  double peak_update = 0.0;    ///< max |u|, in units of the learning rate
  double eps_tax = 0.0;        ///< ε·mean(r); an element with v = 0 counts as 1
  double typical_lr = 0.0;     ///< η / geometric mean of √v̂ over v̂ > 0, of the sample
  double angle = 0.0;          ///< between m and u, in degrees
  double spread = 0.0;         ///< standard deviation of log2 √v̂ over v̂ > 0, of the sample
  double smoothing = 0.0;      ///< RMS(m̂) / RMS(g)
  double alignment = 0.0;      ///< cosine between g and u
  double decrease = 0.0;       ///< η·Σ g·u, over the elements that were observed
  double decay_share = 0.0;    ///< λ·‖w‖ / (λ·‖w‖ + ‖u‖)
  double radial = 0.0;         ///< cosine between w and u
  double equilibrium = 0.0;    ///< RMS(w) / √(η/2λ)
  double zero_grads = 0.0;     ///< share of the sample with g = 0
  double dead = 0.0;           ///< share of the sample with v̂ = 0
};

/// The statistics of a tensor for the step that the model describes.
[[nodiscard]] ADAMANT_EXPORT Moments moments_of(const TensorStatistics& statistics, const RuleModel& model);
/// The same for a rule; `options` are those of the tensor's group in that step.
[[nodiscard]] ADAMANT_EXPORT Moments moments_of(const TensorStatistics& statistics, Rule rule, const Options& options);

/// What the statistics would be if all gradients so far were independent normal noise around 0, all of the same scale,
/// and what they cannot exceed. The values are exact to second order in 1-β2, which is within 1% from β2 = 0.9 on. They
/// are NaN if nothing can be said: for rules without the moment, for amsgrad and centered scales, and for an Adagrad
/// that does not start at 0.
struct MomentFloors {
  double lag_noise = 0.0;             ///< 1 for a slow v, a little less for a fast one; 1/√t for Adagrad
  double update_noise = 0.0;          ///< √((1-β1)/(1+β1)) after the first steps, if v is slow: 0.229 for β1 = 0.9
  double update_signal = 0.0;         ///< for gradients that are always the same: 1 for AdamW
  double signal_noise = 0.0;          ///< standard deviation of `signal` around 0
  double smoothing_noise = 0.0;       ///< √((1-β1)(1+β1^t) / ((1+β1)(1-β1^t)))
  double alignment_noise = 0.0;       ///< √(1-β1²) after the first steps, if all elements have one scale
  double peak_bound = 0.0;            ///< √Σ c²/a, with c, a the weights of past gradients in m̂ and v̂; or infinite
  double lone_hit = 0.0;              ///< |u| of a gradient after a long silence: (1-β1)/√(1-β2)
  double relative_equilibrium = 0.0;  ///< `relative_step` when decay and noise balance: √(2ηλ)·update_noise
  double decay_equilibrium = 0.0;     ///< `decay_share` in that balance
  double radial_equilibrium = 0.0;    ///< `radial` in that balance: -√(2ηλ)·√((1-β1)/(1+β1))·β1/(1-β1)
};

/// The values for a tensor of that many elements.
[[nodiscard]] ADAMANT_EXPORT MomentFloors floors_of(const RuleModel& model, std::uint64_t elements);
/// The same for a rule at this step, counted from 1; at step 0 all values are NaN.
[[nodiscard]] ADAMANT_EXPORT MomentFloors floors_of(Rule rule, const Options& options, std::uint64_t step,
                                                    std::uint64_t elements);

/// The lines to draw with a statistic; NaN if there is none.
struct Guides {
  double noise = 0.0;  ///< value for noise alone, in balance with the decay if that matters
  double bound = 0.0;  ///< cannot be exceeded
  double low = 0.0;    ///< healthy from here
  double high = 0.0;   ///< ... to here
};

/// A statistic: its name, and how to read it.
struct MomentInfo {
  std::string_view name;      ///< name of the field: "lag"
  std::string_view title;     ///< "Lag of v"
  std::string_view unit;      ///< "degrees", "octaves", "lr" (multiples of the learning rate), "loss"; empty: a ratio
  std::string_view question;  ///< the question that it answers
  std::string_view formula;
  std::string_view reading;  ///< how to read a value
  double Moments::* value;
  Guides (*guides)(const MomentFloors&);
};

/// All statistics, in the order of struct Moments.
[[nodiscard]] ADAMANT_EXPORT std::span<const MomentInfo> moment_list();

}  // namespace adamant
