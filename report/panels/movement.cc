// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How far do the weights move?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/panels/statistic_charts.h"
#include "report/words.h"

namespace adamant::report {
namespace {

// Whether weights decay beside the gradient, not in it.
bool decays(const Run& run) {
  return std::ranges::any_of(run.info.groups, [](const RunInfo::Group& group) {
    return model_of(group.rule, group.options, 1).decoupled_decay.value_or(0.0) > 0.0;
  });
}

std::string decay_words(const Run& run) {
  const double share = median_recent(run, &Moments::decay_share);
  if (!(share > 0.0)) return decays(run) ? "" : " There is no weight decay beside the gradient.";
  std::string words = fmt::format(" Decay is {} of the step.", percent(share));
  const TensorRecord* record = largest(run, &Moments::equilibrium);
  if (record == nullptr) return words;
  words += fmt::format(" Weights are {} times as large as where decay and updates balance",
                       number(median_recent(run, &Moments::equilibrium)));
  // Decay of a group that had some may have been turned off.
  const double decay = run.model(record->tensor, record->step).decoupled_decay.value_or(0.0);
  const double rate = run.highest_rate(*record) * decay;
  if (!(rate > 0.0)) return words + ".";
  return words + fmt::format(", which takes about 1/(ηλ) = {} steps at the highest learning rate.", number(1.0 / rate));
}

Panel movement_of(const Run& run) {
  const double median = median_recent(run, &Moments::relative_step);
  const Found most = highest_ever(run, &Moments::relative_step);
  if (most.record == nullptr) return {"unseen", "Nothing was seen of the weights." + decay_words(run)};
  const Guides healthy = healthy_band(&Moments::relative_step);
  const bool far = median > healthy.high, little = median < healthy.low;
  return {
      far      ? "far"
      : little ? "little"
               : "usual",
      fmt::format("By {} of their size in a step, in the median tensor ({}{} is usual); furthest in {}, {} at step "
                  "{}.",
                  number(median),
                  far      ? "far more than the "
                  : little ? "far less than the "
                           : "",
                  number(std::sqrt(healthy.low * healthy.high)), name_of(run, most), number(most.value), most.step) +
          decay_words(run)};
}

// What a step takes from a weight: as decoupled decay, and had it been L2 in the gradient.
void add_l2(Panel& panel, const Run& run) {
  Json rows = Json::array();
  for (const ProbeTrack& track : run.probes) {
    if (track.last.empty()) continue;
    const ProbeSample& sample = track.last.back();
    const RuleModel model = run.model(track.tensor, sample.tensor_step);
    const double decay = sample.lr * model.decoupled_decay.value_or(0.0);
    if (!model.second || !(decay > 0.0)) continue;
    const double r = 1.0 / (std::sqrt(corrected_v(run, track, sample)) + model.second->eps);
    rows.push(Json::object(
        {{"name", probe_name(run, track.tensor, track.element)}, {"values", Json::array({decay, decay * r})}}));
  }
  if (rows.empty()) return;
  panel.chart("l2", Chart(Kind::rows, "Decay of a weight in a step, had it been L2 in the gradient (Adam)",
                          {"share of the weight taken away", true, false}, {})
                        .set("names", Json::array({"decoupled: ηλ", "L2 in the gradient: ηλ/(√v̂+ε)"}))
                        .set("rows", rows)
                        .json());
}

}  // namespace

Panel movement_panel(const Run& run) {
  Panel panel = movement_of(run);
  if (has(run, &Moments::relative_step)) {
    panel.chart("relative_step", heat_map(run, &Moments::relative_step));
    panel.chart("relative_step_lines", over_time(run, &Moments::relative_step, true));
  }
  if (has(run, &Moments::update)) panel.chart("update", over_time(run, &Moments::update, true));
  if (median_recent(run, &Moments::decay_share) > 0.0) {
    panel.chart("decay_share", over_time(run, &Moments::decay_share, true));
    if (has(run, &Moments::equilibrium)) panel.chart("equilibrium", over_time(run, &Moments::equilibrium, true));
  }
  add_l2(panel, run);
  return panel;
}

}  // namespace adamant::report
