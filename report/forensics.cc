// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/forensics.h"

#include <fmt/format.h>

#include <adamant/health.hpp>
#include <algorithm>
#include <cmath>
#include <optional>

namespace adamant::report {
namespace {

constexpr std::size_t kBand = 44;    // steps before these, whose spread is normal
constexpr std::size_t kMinBand = 8;  // fewer say nothing
constexpr std::size_t kMovers = 8;

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Norms and ratios are compared by their logarithm: half and double are as far.
double scaled(double value, Watched what) { return what == kSignal ? value : std::log2(value); }

// Normal values: a median, and how far from it is out of the ordinary.
struct Band {
  double middle = 0.0, reach = 0.0;
};

std::optional<Band> band_of(const std::vector<float>& values, Watched what) {
  std::vector<double> numbers;
  for (const float value : values) {
    const double number = scaled(static_cast<double>(value), what);
    if (std::isfinite(number)) numbers.push_back(number);
  }
  if (numbers.size() < kMinBand) return std::nullopt;
  const double middle = median(numbers);
  for (double& number : numbers) number = std::abs(number - middle);
  // 1.4826 · the median distance estimates a standard deviation. At least half as much again, or 0.2 of S.
  return Band{middle, std::max(kReach * 1.4826 * median(numbers), what == kSignal ? 0.2 : std::log2(1.5))};
}

std::string words_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::unknown:
      return "It matches none of the known patterns.";
    case Pattern::too_young:
      return "The run was too young to tell what is normal.";
    case Pattern::stale_v:
      return fmt::format(
          "v was out of date: R reached {} at most {} steps before the loss rose, the pattern of Wortsman et al. "
          "(2023).",
          Health::kLeap, kStaleLead);
    case Pattern::lined_up:
      return "The updates grew before the loss did while the gradients had not: momentum lined up in one direction, "
             "the pattern that the marin project described.";
    case Pattern::bad_batch:
      return "Nothing moved before; then the gradients jumped in the very step of the spike: this looks like a bad "
             "batch.";
    case Pattern::gradients_grew:
      return "The gradients grew before the loss did, and v followed them.";
  }
  return "";
}

}  // namespace

std::string_view name(Pattern pattern) {
  static constexpr std::array<std::string_view, 6> kNames = {"unknown",  "too_young", "stale_v",
                                                             "lined_up", "bad_batch", "gradients_grew"};
  return kNames[static_cast<std::size_t>(pattern)];
}

Forensics::Forensics(std::size_t spikes) : limit_(spikes) {}

void Forensics::add(const RunStep& step, std::vector<std::array<float, kWatched>> watched) {
  recent_.push_back({step.step, step.loss, std::move(watched)});
  if (recent_.size() > kBand + 2 * kAround + 1) recent_.pop_front();
  if (open_ && ++since_ == kAround) close();
}

void Forensics::spike(double score) {
  if (open_ || limit_ == 0) return;  // a part of the same
  open_ = true;
  since_ = 0;
  current_ = {};
  current_.step = recent_.back().step;
  current_.loss = recent_.back().loss;
  current_.score = score;
}

std::vector<float> Forensics::series(std::size_t tensor, Watched what, std::size_t from, std::size_t to) const {
  std::vector<float> values;
  for (std::size_t i = from; i < to; ++i) {
    const auto& tensors = recent_[i].tensors;
    values.push_back(tensor < tensors.size() ? tensors[tensor][what] : std::nanf(""));
  }
  return values;
}

void Forensics::close() {
  open_ = false;
  const std::size_t at = recent_.size() - 1 - since_;
  const std::size_t from = at > kAround ? at - kAround : 0;
  for (std::size_t i = from; i < recent_.size(); ++i) {
    current_.steps.push_back(recent_[i].step);
    current_.losses.push_back(static_cast<float>(recent_[i].loss));
  }

  bool stale = false, decayed = false, lined_up = false, norm_before = false, jump = false;
  std::vector<Spike::Mover> movers;
  for (std::size_t tensor = 0; tensor < recent_.back().tensors.size(); ++tensor) {
    std::optional<Spike::Mover> first;
    for (const Watched what : {kLag, kUpdate, kSignal, kNorm}) {
      const auto band = band_of(series(tensor, what, from > kBand ? from - kBand : 0, from), what);
      if (!band) continue;
      if (what == kLag && band->middle < -1.0) decayed = true;
      const std::vector<float> values = series(tensor, what, from, recent_.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = static_cast<double>(values[i]);
        const double away = scaled(value, what) - band->middle;
        if (!(std::abs(away) > band->reach)) continue;
        const std::uint64_t step = current_.steps[i];
        const bool before = step < current_.step;
        stale = stale || (what == kLag && before && value >= Health::kLeap && current_.step - step <= kStaleLead);
        lined_up = lined_up || (what == kUpdate && before && away > 0.0);
        norm_before = norm_before || (what == kNorm && before && away > 0.0);
        jump = jump || (what == kNorm && step == current_.step && away > 1.0);
        if (!first || step < first->step) {
          const double middle = what == kSignal ? band->middle : std::exp2(band->middle);
          first = Spike::Mover{tensor, step, what, middle, value, std::abs(away) / band->reach, {}};
        }
      }
    }
    if (first) movers.push_back(*std::move(first));
  }
  std::stable_sort(movers.begin(), movers.end(),
                   [](const auto& a, const auto& b) { return a.step != b.step ? a.step < b.step : a.score > b.score; });
  current_.moved = movers.size();
  if (movers.size() > kMovers) movers.resize(kMovers);
  for (Spike::Mover& mover : movers) {
    for (const Watched what : {kLag, kUpdate, kSignal, kNorm}) {
      mover.values[what] = series(mover.tensor, what, from, recent_.size());
    }
  }
  current_.movers = std::move(movers);

  current_.pattern = from < kMinBand                     ? Pattern::too_young
                     : stale                             ? Pattern::stale_v
                     : lined_up && !norm_before          ? Pattern::lined_up
                     : jump && !norm_before && !lined_up ? Pattern::bad_batch
                     : norm_before                       ? Pattern::gradients_grew
                                                         : Pattern::unknown;
  current_.words = words_of(current_.pattern);
  if (current_.pattern == Pattern::stale_v && decayed)
    current_.words += " Before that v was in free decay (R below 0.5).";

  spikes_.push_back(std::move(current_));
  if (spikes_.size() > limit_) {
    spikes_.erase(std::min_element(spikes_.begin(), spikes_.end(),
                                   [](const Spike& a, const Spike& b) { return a.score < b.score; }));
  }
}

std::vector<Spike> Forensics::finish() {
  if (open_) close();
  return std::move(spikes_);
}

}  // namespace adamant::report
