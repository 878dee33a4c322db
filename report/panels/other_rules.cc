// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What would another rule have made of these gradients?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "report/encode.h"
#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/words.h"

namespace adamant::report {
namespace {

using PerRule = std::array<double, kReplayed.size()>;

// The coordinates that had a gradient, those with large ones first.
std::vector<const Replay::Probe*> moved(const Replay& replay) {
  std::vector<const Replay::Probe*> order;
  for (const Replay::Probe& probe : replay.probes) {
    if (probe.mean_square > 0.0) order.push_back(&probe);
  }
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) { return a->mean_square > b->mean_square; });
  return order;
}

// How many times as far as the slowest coordinate the one went that went furthest.
double ratio_of(const std::vector<const Replay::Probe*>& probes, std::size_t rule) {
  double low = std::numeric_limits<double>::infinity(), high = 0.0;
  for (const auto* probe : probes) {
    low = std::min(low, probe->path[rule]);
    high = std::max(high, probe->path[rule]);
  }
  return high / low;
}

// Length of Adagrad's steps as a multiple of AdamW's, in the buckets [from, to).
double adagrads_steps(const Replay& replay, const PerRule& factor, std::size_t from, std::size_t to) {
  double own = 0.0, others = 0.0;
  for (std::size_t i = from; i < to; ++i) {
    own += factor[3] * static_cast<double>(replay.speed.high(3)[i]);
    others += static_cast<double>(replay.speed.high(0)[i]);
  }
  return own / others;
}

std::string answer_of(const Run& run, const PerRule& factor, const std::vector<const Replay::Probe*>& probes) {
  const Replay& replay = run.replay;
  const std::string apart =
      run.apart() < kApart
          ? ""
          : fmt::format(", which are about {:.0f} apart and are replayed as if they were not,", run.apart());
  const std::size_t buckets = replay.speed.buckets(), tenth = std::max<std::size_t>(1, buckets / 10);
  const auto ratio = [&](std::size_t rule) { return number(ratio_of(probes, rule)); };
  return fmt::format(
      "Over {} the coordinate that moved furthest went {} times as far as the slowest with AdamW, {} times with {}, {} "
      "with {}, {} with {}. {}'s steps went from {} times the length of AdamW's in the first tenth of the run to {} "
      "times in the last.",
      count(replay.steps, "logged step") + apart, ratio(0), ratio(1), kReplayed[1], ratio(2), kReplayed[2], ratio(3),
      kReplayed[3], kReplayed[3], number(adagrads_steps(replay, factor, 0, tenth)),
      number(adagrads_steps(replay, factor, buckets - tenth, buckets)));
}

Json paths(const Run& run, const PerRule& factor, const std::vector<const Replay::Probe*>& probes) {
  Json rows = Json::array();
  for (const auto* probe : probes) {
    Json values = Json::array();
    for (std::size_t rule = 0; rule < factor.size(); ++rule) values.push(factor[rule] * probe->path[rule]);
    rows.push(Json::object({{"name", probe_name(run, probe->tensor, probe->element)}, {"values", values}}));
  }
  Json names = Json::array();
  for (const std::string_view name : kReplayed) names.push(name);
  return Chart(Kind::rows, "Path of each coordinate, largest gradients first",
               {"Σ η·|u|, every rule with the same total", true}, {})
      .set("names", names)
      .set("rows", rows)
      .json();
}

Json speeds(const Replay& replay, const PerRule& factor) {
  Chart chart(Kind::lines, "Length of the step, mean over the coordinates", run_steps(),
              {"η·|u|, scaled as above", true});
  const Json steps = encode_f32(floats(replay.speed.first_steps()));
  for (std::size_t rule = 0; rule < factor.size(); ++rule) {
    std::vector<float> low = replay.speed.low(rule), high = replay.speed.high(rule);
    for (auto* values : {&low, &high}) {
      for (float& value : *values) value *= static_cast<float>(factor[rule]);
    }
    chart.extremes(kReplayed[rule], steps, low, high);
  }
  return chart.json();
}

}  // namespace

Panel other_rules_panel(const Run& run) {
  const Replay& replay = run.replay;
  if (replay.probes.empty() || !(replay.total(0) > 0.0)) {
    return Panel::absent("The log follows no coordinate that had a gradient.");
  }
  // Each rule with the learning rate that makes all paths together as long as AdamW's.
  PerRule factor{};
  for (std::size_t rule = 0; rule < factor.size(); ++rule) factor[rule] = replay.total(0) / replay.total(rule);
  const std::vector<const Replay::Probe*> probes = moved(replay);
  return Panel(run.apart() < kApart ? "every_step" : "steps_apart", answer_of(run, factor, probes))
      .chart("replay_path", paths(run, factor, probes))
      .chart("replay_speed", speeds(replay, factor))
      .set("settings",
           fmt::format("β1, momentum = {}; β2 = {}; α = {}; ε = {}; no decay; η as in the run, times a factor for each "
                       "rule.",
                       number(replay.beta1), number(replay.beta2), number(replay.alpha), number(replay.eps)));
}

}  // namespace adamant::report
