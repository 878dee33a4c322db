// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <adamant/error.hpp>
#include <adamant/health.hpp>
#include <adamant/model.hpp>
#include <adamant/moments.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "base/float_environment.h"
#include "base/held.h"
#include "base/text.h"
#include "insight/nan.h"
#include "insight/run_step.h"

namespace adamant {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

constexpr LightInfo kLights[] = {
    {Light::input, "input", "Is what the moments are fed clean, and does every weight get some?"},
    {Light::v, "v", "Does v keep up with the gradients?"},
    {Light::eps, "eps", "Does v decide the scale, or ε?"},
    {Light::m, "m", "Does m point where the next gradients do?"},
    {Light::step, "step", "Are the steps small enough for weights to keep what they learned?"},
    {Light::decay, "decay", "Are decay and updates in balance?"},
    {Light::loss, "loss", "Does the loss behave?"},
};

constexpr CauseInfo kCauses[] = {
    {Cause::non_finite, Light::input, true, "non_finite", "elements of the gradient that are not finite", kNaN, 0, 0, 1,
     "Find the batch; with loss scaling, lower the scale."},
    {Cause::bad_batch, Light::input, true, "bad_batch",
     "standard deviations by which log RMS(g) exceeds the mean of the last 128 steps, where g·r is over 2.3 times its "
     "noise",
     kNaN, 6, 0, 1, "Look at this batch. Clipping would have kept it out of m and v."},
    {Cause::dead_elements, Light::input, true, "dead_elements",
     "share of elements that never had a gradient, over half of the run, from step 256 on, if it no longer falls", 0.01,
     0.25, 1, 1, "Nothing trains these weights: words that do not occur, units that are always off."},
    {Cause::clipping, Light::input, false, "clipping", "factor by which gradients are clipped", 0.5, kNaN, 200, kNever,
     "The limit is below the usual norm: it meets every step, not the outliers."},
    {Cause::v_too_slow, Light::v, true, "v_too_slow", "RMS(g·r), as multiple of what noise gives", 2.0, 2.0, 50, 400,
     "Gradients have grown faster than v, so steps are too long: a smaller beta2 forgets faster."},
    {Cause::v_too_old, Light::v, false, "v_too_old", "RMS(g·r), as multiple of what noise gives", 0.5, 0.5, 200, 1000,
     "v remembers gradients that are gone, so steps are too short: a smaller beta2 forgets faster."},
    {Cause::eps_too_large, Light::eps, true, "eps_too_large", "share of ε in the denominator, without dead elements",
     0.1, 0.5, 20, 20, "A smaller eps gives the scale back to v."},
    // Never red: a momentum that is right for a ravine overshoots across it too.
    {Cause::overshoot, Light::m, false, "overshoot",
     "share of the gradient that m knew, with four standard deviations of its noise added", -0.02, kNaN, 50, kNever,
     "Steps go beyond the minimum of their direction: a lower learning rate, or a lower beta1, damps that."},
    {Cause::lr_too_high, Light::step, false, "lr_too_high",
     "steps in which noise replaces the weights, (RMS(w)/η)², of matrices after 100 steps", 200.0, 75.0, 50, 50,
     "A lower learning rate lets weights average over more gradients."},
    {Cause::decay_too_strong, Light::decay, true, "decay_too_strong", "share of the decay in the step, of matrices",
     0.3, 0.5, 100, 100, "The decay decides about the weights, not the gradients: less weight_decay."},
    {Cause::diverged, Light::loss, true, "diverged", "loss, as multiple of the first 20 steps'", kNaN, 2.0, 0, 1,
     "Whatever light turned red before is the likely cause."},
    {Cause::loss_spike, Light::loss, true, "loss_spike",
     "standard deviations by which the loss exceeds the mean of the last 128 steps", 6.0, kNaN, 1, kNever,
     "The lights before it say what led to it."},
};
constexpr std::size_t kCauseCount = std::size(kCauses);

constexpr const CauseInfo& info_of(Cause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

/// Mean with weights that fall by 5% a step.
class Smooth {
 public:
  static constexpr double kKeep = 0.95;

  void add(double value) {
    if (!std::isfinite(value)) return;
    sum_ = kKeep * sum_ + value;
    weight_ = kKeep * weight_ + 1.0;
  }
  [[nodiscard]] double value() const { return weight_ > 0.0 ? sum_ / weight_ : kNaN; }

 private:
  double sum_ = 0.0, weight_ = 0.0;
};

/// How far a number is above the last ones.
class Outliers {
 public:
  /// Standard deviations above the mean of the numbers before; NaN while these are few. No less than `least` counts as
  /// a standard deviation. Then remembers the number, an outlier as one just at the limit: it shall not hide the next.
  double add(double value, double least, double limit) {
    if (!std::isfinite(value)) return kNaN;
    double score = kNaN;
    if (count_ >= kFew) {
      const std::span<const double> last(values_.data(), std::min(count_, values_.size()));
      const auto n = static_cast<double>(last.size());
      double sum = 0.0, squares = 0.0;
      for (const double x : last) sum += x;
      const double mean = sum / n;
      for (const double x : last) squares += (x - mean) * (x - mean);
      const double deviation = std::max(std::sqrt(squares / n), least);
      score = (value - mean) / deviation;
      value = std::min(value, mean + limit * deviation);
    }
    values_[count_++ % values_.size()] = value;
    return score;
  }

 private:
  static constexpr std::size_t kFew = 32;
  std::array<double, Health::kWindow> values_{};
  std::size_t count_ = 0;
};

/// A share that should fall: its mean in the steps 2^k to 2^(k+1), and in those before.
class Windows {
 public:
  /// The mean of the window that this step ends, unless it has fallen by more than a tenth; else NaN.
  double add(std::uint64_t step, double value) {
    double stuck = kNaN;
    if (step >= end_) {
      const double mean = count_ > 0.0 ? sum_ / count_ : kNaN;
      if (end_ >= kFirst && mean > 0.9 * before_) stuck = mean;
      before_ = mean;
      sum_ = count_ = 0.0;
      while (end_ <= step) end_ *= 2;
    }
    if (std::isfinite(value)) {
      sum_ += value;
      count_ += 1.0;
    }
    return stuck;
  }

 private:
  static constexpr std::uint64_t kFirst = 256;
  double sum_ = 0.0, count_ = 0.0, before_ = kNaN;
  std::uint64_t end_ = kFirst / 4;
};

/// Since when a limit is exceeded, and whether that was told. It is over when the limit was kept for as long.
struct Episode {
  std::uint64_t since = kNever, last = 0;
  bool told = false;

  /// Whether this is the step in which to tell it.
  bool tell(std::uint64_t step, bool exceeded, std::uint64_t steps) {
    if (exceeded) {
      if (since == kNever) since = step;
      last = step;
      return !told && step - since + 1 >= steps && (told = true);
    }
    if (!told || step - last >= steps) *this = {};
    return false;
  }
};

using Episodes = std::array<std::array<Episode, 2>, kCauseCount>;  // yellow and red of each cause
using Values = std::array<double, kCauseCount>;                    // what is measured

struct Watched {
  Outliers gradient;
  Smooth lag, tax, dead, signal_above, signal_below, memory, decay;
  Windows never_touched;
  double stuck = kNaN;
  Episodes episodes;
};

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}
std::string percent(double share) { return formatted(share < 0.1 ? "%.1f%%" : "%.0f%%", 100.0 * share); }

std::string sentence_of(const Finding& found, const RuleModel& model, std::uint64_t count) {
  const std::string where = found.tensor.empty() ? "" : found.tensor + ": ";
  const double x = found.value;
  switch (found.cause) {
    case Cause::non_finite:
      return where + counted(count, "element") + " of the gradient " + (count == 1 ? "is" : "are") + " not finite.";
    case Cause::bad_batch:
      return where + "the gradient is " + formatted("%.1f", x) +
             " standard deviations longer than usual: a bad batch, or weights that were thrown off just before.";
    case Cause::dead_elements:
      return where + percent(x) + " of the weights never had a gradient.";
    case Cause::clipping:
      return "Gradients are clipped to " + percent(x) + " of their length, step after step.";
    case Cause::v_too_slow:
      return where + "gradients are " + formatted("%.1f", x) +
             " times what v says, for many steps: v is too slow, steps are too long.";
    case Cause::v_too_old:
      return where + "gradients are " + formatted("%.2f", x) +
             " of what v says, for many steps: v is too old, steps are too short.";
    case Cause::eps_too_large:
      return where + "eps = " + formatted("%g", model.second ? model.second->eps : kNaN) + " makes up " + percent(x) +
             " of the denominator: v no longer decides the scale.";
    case Cause::overshoot:
      return where + "the gradient points against m, step after step (" + formatted("%.1f", 100.0 * x) +
             "% of it): steps go too far and turn back.";
    case Cause::lr_too_high:
      return where + "at lr = " + formatted("%g", model.lr) + " noise replaces these weights within " +
             formatted("%.0f", x) + " steps.";
    case Cause::decay_too_strong:
      return where + percent(x) + " of the step is weight decay.";
    case Cause::diverged:
      return std::isnan(x) ? "The loss is not finite."
                           : "The loss is " + formatted("%.1f", x) + " times that of the start.";
    case Cause::loss_spike:
      return "The loss is " + formatted("%.1f", x) + " standard deviations above the last " +
             std::to_string(Health::kWindow) + " steps.";
  }
  return {};
}

bool exceeds(const CauseInfo& cause, double value, double limit) { return cause.above ? value > limit : value < limit; }

}  // namespace

std::span<const LightInfo> lights() { return kLights; }
std::span<const CauseInfo> causes() { return kCauses; }

struct Health::Impl {
  void record(const RunStep& step, std::span<const Moments> moments) {
    const RunInfo& info = *step.info;
    found = {};
    watched.resize(std::max(watched.size(), step.tensors.size()));
    for (std::size_t i = 0; i < step.tensors.size(); ++i) {
      if (step.tensors[i].elements == 0) continue;
      const RunInfo::Tensor& tensor = info.tensors[i];
      judge(step.step, measured(watched[i], step.tensors[i], moments[i], info.groups.at(tensor.group), tensor),
            watched[i].episodes, i);
    }
    judge(step.step, measured(step), episodes, kRun);
    tell(info, step);
  }

  // Of a tensor. What cannot be said is NaN and exceeds nothing.
  Values measured(Watched& tensor, const TensorStatistics& seen, const Moments& now, const RunInfo::Group& group,
                  const RunInfo::Tensor& described) {
    const RuleModel model = model_of(group.rule, group.options, seen.step);
    const MomentFloors floors = floors_of(model, seen.elements);
    const MomentSums& sums = seen.sums;
    // Biases and gains start at 0 or 1 and may well stay there.
    const bool matrix = std::ranges::count_if(described.shape, [](std::size_t side) { return side > 1; }) > 1;
    Values values;
    values.fill(kNaN);
    const auto value = [&values](Cause cause) -> double& { return values[static_cast<std::size_t>(cause)]; };

    tensor.dead.add(now.dead);
    tensor.tax.add(now.eps_tax);
    const double tax = tensor.tax.value() - tensor.dead.value();
    value(Cause::eps_too_large) = tax;
    if (const double stuck = tensor.never_touched.add(seen.step, now.dead); !std::isnan(stuck)) tensor.stuck = stuck;
    if (now.dead == 0.0) tensor.stuck = kNaN;
    value(Cause::dead_elements) = tensor.stuck;

    const double alive = std::isnan(tensor.dead.value()) ? 1.0 : 1.0 - tensor.dead.value();
    const double lag = now.lag / floors.lag_noise / std::sqrt(alive);
    const double outlier = tensor.gradient.add(0.5 * std::log(sums.gg / static_cast<double>(seen.elements)), 0.1,
                                               info_of(Cause::bad_batch).red);
    if (lag > Health::kLeap) value(Cause::bad_batch) = outlier;
    tensor.lag.add(std::log(lag));  // one leap shall not count much
    value(Cause::v_too_slow) = value(Cause::v_too_old) = std::exp(tensor.lag.value());
    if (tax > info_of(Cause::eps_too_large).yellow) value(Cause::v_too_old) = kNaN;  // it is ε that shortens g·r

    if (std::isfinite(now.signal)) {
      tensor.signal_above.add(now.signal * sums.gg);
      tensor.signal_below.add(sums.gg);
      const double noise = floors.signal_noise * std::sqrt((1.0 - Smooth::kKeep) / (1.0 + Smooth::kKeep));
      value(Cause::overshoot) = tensor.signal_above.value() / tensor.signal_below.value() + 4.0 * noise;
    }
    if (matrix && seen.step >= 100) {
      // Gradients that are noise each move a weight by η in all, once up and once down: after (RMS(w)/η)² of them they
      // have moved it as far as it is from 0.
      const double move = model.lr * floors.update_signal;
      tensor.memory.add(std::log(sums.ww / static_cast<double>(seen.elements) / (move * move)));
      value(Cause::lr_too_high) = std::exp(tensor.memory.value());
    }
    if (matrix) {
      tensor.decay.add(now.decay_share);
      value(Cause::decay_too_strong) = tensor.decay.value();
    }
    return values;
  }

  // Of the run.
  Values measured(const RunStep& step) {
    Values values;
    values.fill(kNaN);
    const auto value = [&values](Cause cause) -> double& { return values[static_cast<std::size_t>(cause)]; };
    if (step.nonfinite) value(Cause::non_finite) = static_cast<double>(step.nonfinite->count);
    clipped.add(step.clip_coefficient);
    value(Cause::clipping) = clipped.value();
    value(Cause::loss_spike) = losses.add(step.loss, 1e-6 * std::abs(step.loss), info_of(Cause::loss_spike).yellow);
    loss.add(step.loss);
    if (++steps == 20) start = loss.value();
    // A loss that may be negative has no multiples.
    if (start > 0.0) value(Cause::diverged) = loss.value() / start;
    if (!std::isfinite(step.loss) && step.applied) value(Cause::diverged) = std::numeric_limits<double>::infinity();
    return values;
  }

  void judge(std::uint64_t step, const Values& values, Episodes& of, std::size_t tensor) {
    for (const CauseInfo& cause : kCauses) {
      const auto c = static_cast<std::size_t>(cause.cause);
      const auto tell = [&](Severity severity, double limit, std::uint64_t steps) {
        return of[c][static_cast<std::size_t>(severity)].tell(step, exceeds(cause, values[c], limit), steps);
      };
      const bool yellow = tell(Severity::yellow, cause.yellow, cause.yellow_steps);
      const bool red = tell(Severity::red, cause.red, cause.red_steps);
      if (yellow || red) {
        Worst& worst = found[c][static_cast<std::size_t>(red ? Severity::red : Severity::yellow)];
        if (worst.count++ == 0 || exceeds(cause, values[c], worst.value)) {
          worst.tensor = tensor;
          worst.value = values[c];
        }
      }
    }
  }

  void tell(const RunInfo& info, const RunStep& step) {
    for (const Severity severity : {Severity::red, Severity::yellow}) {
      for (const CauseInfo& cause : kCauses) {
        const Worst& worst = found[static_cast<std::size_t>(cause.cause)][static_cast<std::size_t>(severity)];
        if (worst.count == 0) continue;
        Finding finding{cause.light, severity, cause.cause, step.step, {}, worst.count - 1, worst.value, {}};
        if (cause.cause == Cause::non_finite) finding.tensor = step.nonfinite->tensor;
        RuleModel model;
        if (worst.tensor != kRun) {
          const RunInfo::Tensor& tensor = info.tensors[worst.tensor];
          const RunInfo::Group& group = info.groups[tensor.group];
          finding.tensor = tensor.name;
          model = model_of(group.rule, group.options, step.tensors[worst.tensor].step);
        }
        if (std::isinf(finding.value)) finding.value = kNaN;
        finding.sentence = sentence_of(finding, model, step.nonfinite ? step.nonfinite->count : 0);
        std::optional<Severity>& state = states[static_cast<std::size_t>(cause.light)];
        state = std::max(state, std::optional(severity));
        if (findings.size() < kMostFindings) findings.push_back(std::move(finding));
      }
    }
  }

  struct Worst {
    std::size_t count = 0, tensor = 0;
    double value = 0.0;
  };
  static constexpr std::size_t kMostFindings = 10000;
  static constexpr std::size_t kRun = std::numeric_limits<std::size_t>::max();

  std::vector<Watched> watched;
  Episodes episodes;  // of the run
  Outliers losses;
  Smooth loss, clipped;
  double start = kNaN;  // loss of the first steps
  std::uint64_t steps = 0;
  std::array<std::array<Worst, 2>, kCauseCount> found{};  // in this step
  std::vector<Finding> findings;
  std::array<std::optional<Severity>, std::size(kLights)> states;
};

Health::Health() : impl_(std::make_unique<Impl>()) {}
Health::~Health() = default;
Health::Health(Health&&) noexcept = default;
Health& Health::operator=(Health&&) noexcept = default;

void Health::record(const RunStep& step) {
  const FloatEnvironment environment;
  Impl& health = held(impl_, "Health");
  check_step(step);
  std::vector<Moments> moments;
  moments.reserve(step.tensors.size());
  for (const TensorStatistics& seen : step.tensors) {
    const RunInfo::Group& group = step.info->groups.at(step.info->tensors[moments.size()].group);
    moments.push_back(moments_of(seen, group.rule, group.options));
  }
  health.record(step, moments);
}
void Health::record(const RunStep& step, std::span<const Moments> moments) {
  const FloatEnvironment environment;
  Impl& health = held(impl_, "Health");
  check_step(step);
  if (moments.size() != step.tensors.size()) {
    throw Error(ErrorCode::mismatch, "the step has " + std::to_string(step.tensors.size()) + " tensors and " +
                                         std::to_string(moments.size()) + " statistics of them");
  }
  health.record(step, moments);
}
const std::vector<Finding>& Health::findings() const { return held(impl_, "Health").findings; }
std::optional<Severity> Health::state(Light light) const {
  return held(impl_, "Health").states[static_cast<std::size_t>(light)];
}

}  // namespace adamant
