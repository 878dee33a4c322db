// What the sums of a step say about the moments: the statistics of a tensor, and what each would be of noise alone.
#pragma once

#include <adamant/model.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <adamant/statistics.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace adamant {

/// One tensor in one step, in the notation of statistics.hpp; η learning rate, λ decoupled weight decay, t step of the
/// tensor, RMS over its elements. m̂ is the weighted mean of the gradients that m is a sum of: m/(1-β1^t) for AdamW, and
/// for SGD's momentum divided by the sum of its weights. What cannot be said is NaN: of a tensor that was not observed,
/// of a rule that lacks the moment, of a division by 0. moment_list() says what each answers and when it is healthy.
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

/// The statistics of a tensor whose step the model describes.
[[nodiscard]] Moments moments_of(const TensorStatistics& statistics, const RuleModel& model);
/// ... by this rule; `options` are those of its group in that step.
[[nodiscard]] Moments moments_of(const TensorStatistics& statistics, Rule rule, const Options& options);

/// What the statistics would be if all gradients so far were independent normal noise around 0, all alike; and what
/// cannot be exceeded. To second order in 1-β2, which is within 1% from β2 = 0.9 on. NaN where nothing can be said:
/// for rules without the moment, of amsgrad and centered scales, of an Adagrad that does not start at 0.
struct MomentFloors {
  double lag_noise = 0.0;             ///< 1 for a slow v, a little less for a fast one; 1/√t for Adagrad
  double update_noise = 0.0;          ///< √((1-β1)/(1+β1)) after the first steps, if v is slow: 0.229 for β1 = 0.9
  double update_signal = 0.0;         ///< of gradients that are always the same: 1 for AdamW
  double signal_noise = 0.0;          ///< standard deviation of `signal` around 0
  double smoothing_noise = 0.0;       ///< √((1-β1)(1+β1^t) / ((1+β1)(1-β1^t)))
  double alignment_noise = 0.0;       ///< √(1-β1²) after the first steps, if all elements have one scale
  double peak_bound = 0.0;            ///< √Σ c²/a, with c, a the weights of past gradients in m̂ and v̂; or infinite
  double lone_hit = 0.0;              ///< |u| of a gradient after a long silence: (1-β1)/√(1-β2)
  double relative_equilibrium = 0.0;  ///< `relative_step` where decay and noise balance: √(2ηλ)·update_noise
  double decay_equilibrium = 0.0;     ///< `decay_share` there
  double radial_equilibrium = 0.0;    ///< `radial` there: -√(2ηλ)·√((1-β1)/(1+β1))·β1/(1-β1)
};

/// Of a tensor of so many elements.
[[nodiscard]] MomentFloors floors_of(const RuleModel& model, std::uint64_t elements);
/// ... at this step, counted from 1; of step 0 nothing can be said.
[[nodiscard]] MomentFloors floors_of(Rule rule, const Options& options, std::uint64_t step, std::uint64_t elements);

/// The lines to draw with a statistic. NaN: there is no such line.
struct Guides {
  double noise = 0.0;  ///< what noise alone gives, in balance with the decay where that matters
  double bound = 0.0;  ///< cannot be exceeded
  double low = 0.0;    ///< healthy from here
  double high = 0.0;   ///< ... to here
};

/// A statistic: what it is called, and how to read it.
struct MomentInfo {
  std::string_view name;      ///< that of the field: "lag"
  std::string_view title;     ///< "Lag of v"
  std::string_view unit;      ///< "degrees", "octaves", "lr" (multiples of the learning rate), "loss"; empty: a ratio
  std::string_view question;  ///< that it answers
  std::string_view formula;
  std::string_view reading;  ///< how to read a value
  double Moments::* value;
  Guides (*guides)(const MomentFloors&);
};

/// All of them, in the order of struct Moments.
[[nodiscard]] std::span<const MomentInfo> moment_list();

}  // namespace adamant
