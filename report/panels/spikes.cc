// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What happened around each spike?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "report/encode.h"
#include "report/limits.h"
#include "report/panels/panel.h"
#include "report/words.h"

namespace adamant::report {
namespace {

using claim::Stroke;

std::string answer_of(const Run& run, const Spike& worst) {
  std::string answer = fmt::format("{}. The highest, at step {}, was {} standard deviations above what came before. ",
                                   count(run.spikes.size(), "spike"), worst.step, number(worst.score));
  if (!worst.movers.empty()) {
    const Spike::Mover& mover = worst.movers.front();
    const auto lead = static_cast<std::int64_t>(worst.step) - static_cast<std::int64_t>(mover.step);
    answer += fmt::format("First to move was {}: {} went from {} to {} {}. ", run.info.tensors[mover.tensor].name,
                          kWatchedNames[mover.what], number(mover.before), number(mover.there),
                          lead > 0   ? count(static_cast<std::uint64_t>(lead), "step") + " before"
                          : lead < 0 ? count(static_cast<std::uint64_t>(-lead), "step") + " after"
                                     : "in the same step");
  }
  return answer + worst.words;
}

// The loss, and what is watched of the tensors that moved.
Json charts_of(const Run& run, const Spike& spike) {
  const std::vector<float> steps = floats(spike.steps);
  const auto frame = [&](std::string_view title, std::string_view label, bool log) {
    return Chart(Kind::lines, std::string(title), {"step"}, {std::string(label), log}).mark(spike.step, "spike");
  };
  Json charts = Json::array({frame("Loss", "loss", false).line("loss", Stroke::measured, steps, spike.losses).json()});
  for (const Watched what : {kLag, kUpdate, kSignal, kNorm}) {
    Chart chart = frame(kWatchedNames[what], kWatchedNames[what], what != kSignal);
    bool any = false;
    for (const Spike::Mover& mover : spike.movers) {
      const std::vector<float>& values = mover.values[what];
      any = any || std::ranges::any_of(values, [](float value) { return std::isfinite(value); });
      chart.line(run.info.tensors[mover.tensor].name, Stroke::measured, steps, values);
    }
    if (any) charts.push(chart.json());
  }
  return charts;
}

Json json_of(const Run& run, const Spike& spike) {
  Json movers = Json::array();
  for (const Spike::Mover& mover : spike.movers) {
    movers.push(Json::array({run.info.tensors[mover.tensor].name, mover.step, kWatchedNames[mover.what],
                             number(mover.before), number(mover.there)}));
  }
  return Json::object(
      {{"name", fmt::format("step {}, z = {}", spike.step, number(spike.score))},
       {"words", fmt::format("{} of {} moved. {}", count(spike.moved, "tensor"), run.info.tensors.size(), spike.words)},
       {"movers", movers},
       {"charts", charts_of(run, spike)}});
}

}  // namespace

Panel spikes_panel(const Run& run) {
  if (run.spikes.empty()) {
    return Panel::absent(fmt::format("The loss never rose more than {} standard deviations above the {} steps before.",
                                     number(info_of(Cause::loss_spike).yellow), Health::kWindow));
  }
  const Spike& worst = *std::ranges::max_element(run.spikes, {}, &Spike::score);
  Json spikes = Json::array();
  for (const Spike& spike : run.spikes) spikes.push(json_of(run, spike));
  return Panel(name(worst.pattern), answer_of(run, worst)).set("spikes", spikes);
}

}  // namespace adamant::report
