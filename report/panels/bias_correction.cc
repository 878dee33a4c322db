// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What did bias correction do to the first steps?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/panels/tensors.h"
#include "report/words.h"

namespace adamant::report {
namespace {

using claim::Stroke;

constexpr std::size_t kMostCoordinates = 4;

// Step without the corrections, as a multiple of the step taken.
struct Factors {
  std::string betas;
  std::vector<float> steps, factors;
  double first = 1.0, worst = 1.0;
  std::uint64_t worst_at = 1;
  std::uint64_t last_off = 0;  // the last step with a difference that counts
};

Factors factors_of(const RunInfo::Group& group) {
  Factors found;
  const RuleModel model = model_of(group.rule, group.options, 1);
  const double beta1 = model.first_corrected && model.first ? model.first->ratio : 0.0;
  const double beta2 = model.second && model.second->corrected ? model.second->memory.ratio : 0.0;
  found.betas = fmt::format("β1 = {}, β2 = {}", beta1, beta2);
  const auto factor_at = [&](double t) { return (1.0 - std::pow(beta1, t)) / std::sqrt(1.0 - std::pow(beta2, t)); };
  found.first = factor_at(1.0);
  const auto end = static_cast<std::uint64_t>(std::min(1e6, 10.0 / std::max(1e-6, 1.0 - std::max(beta1, beta2))));
  for (std::uint64_t t = 1; t <= end; t += std::max<std::uint64_t>(1, t / 32)) {
    const double factor = factor_at(static_cast<double>(t));
    found.steps.push_back(static_cast<float>(t));
    found.factors.push_back(static_cast<float>(factor));
    if (std::abs(std::log(factor)) > std::abs(std::log(found.worst))) {
      found.worst = factor;
      found.worst_at = t;
    }
    if (std::abs(factor - 1.0) > kNegligible) found.last_off = t;
  }
  return found;
}

// Of each pair of β that groups correct with, once.
std::vector<Factors> all_factors(const Run& run) {
  std::vector<Factors> all;
  for (const RunInfo::Group& group : run.info.groups) {
    if (!traits_of(group).corrected) continue;
    Factors found = factors_of(group);
    if (std::ranges::find(all, found.betas, &Factors::betas) == all.end()) all.push_back(std::move(found));
  }
  return all;
}

std::string words_of(const Factors& found) {
  return fmt::format(
      "Without the correction the first step would have been {} times as long{}; from about step {} on it makes less "
      "than {} of difference.",
      number(found.first),
      found.worst_at > 1 ? fmt::format(", and step {}, the worst, {} times", found.worst_at, number(found.worst)) : "",
      found.last_off + 1, percent(kNegligible));
}

// A coordinate's moments, as they are stored and corrected.
Json start_of(const Run& run, const ProbeTrack& track) {
  std::vector<float> steps, m, mh, v, vh;
  for (const ProbeSample& sample : track.early) {
    steps.push_back(static_cast<float>(sample.tensor_step));
    m.push_back(std::abs(sample.m));
    mh.push_back(static_cast<float>(std::abs(mean_m(run, track, sample))));
    v.push_back(std::sqrt(sample.v));
    vh.push_back(static_cast<float>(std::sqrt(corrected_v(run, track, sample))));
  }
  return Chart(Kind::lines, probe_name(run, track.tensor, track.element), {"step", true, false}, {"size", true, false})
      .line("√v̂", Stroke::measured, steps, vh)
      .line("√v", Stroke::theory, steps, v)
      .line("|m̂|", Stroke::measured, steps, mh)
      .line("|m|", Stroke::theory, steps, m)
      .json();
}

}  // namespace

Panel bias_correction_panel(const Run& run) {
  const std::vector<Factors> all = all_factors(run);
  if (all.empty()) return Panel::absent(fmt::format("No moment is corrected in {}.", run.rule_titles()));
  std::string answer;
  Chart curve(Kind::lines, "Step without bias correction, as a multiple of the step taken", {"step", true, false},
              {"c1/√c2", true, false});
  curve.guide(1.0, "as it is, corrected");
  for (const Factors& found : all) {
    answer += all.size() == 1 ? "" : fmt::format("{}{}: ", answer.empty() ? "" : " ", found.betas);
    answer += words_of(found);
    curve.line(all.size() == 1 ? "c1/√c2" : found.betas, Stroke::measured, found.steps, found.factors);
  }
  answer += only_some(run, &Traits::corrected, "corrected moments");
  Panel panel("corrected", answer);
  panel.chart("bias_curve", curve.json());
  std::vector<std::pair<std::string, Json>> options;
  for (const ProbeTrack* track : shown_probes(run, &Traits::corrected, std::min(kMostCoordinates, run.budget.probes))) {
    options.emplace_back(probe_name(run, track->tensor, track->element), start_of(run, *track));
  }
  if (!options.empty()) panel.chart("bias_probe", choice("Coordinate", options));
  return panel;
}

}  // namespace adamant::report
