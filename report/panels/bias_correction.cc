// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What did bias correction do to the first steps?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/words.h"

namespace adamant::report {
namespace {

using claim::Stroke;

constexpr std::size_t kMostCoordinates = 4;

// Step without the correction, as a multiple of the step taken.
struct Factors {
  std::vector<float> steps, factors;
  double first = 1.0, worst = 1.0;
  std::uint64_t worst_at = 1;
  std::uint64_t last_off = 0;  // the last step with a difference that counts
};

Factors factors_of(const Traits& traits) {
  Factors found;
  const auto factor_at = [&](double t) {
    return (1.0 - std::pow(traits.beta1, t)) / std::sqrt(1.0 - std::pow(traits.beta2, t));
  };
  found.first = factor_at(1.0);
  const auto end = static_cast<std::uint64_t>(std::min(1e6, 10.0 / std::max(1e-6, 1.0 - traits.beta2)));
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

// A coordinate's moments, as they are stored and corrected.
Json start_of(const Run& run, const ProbeTrack& track) {
  std::vector<float> steps, m, mh, v, vh;
  for (const ProbeSample& sample : track.early) {
    steps.push_back(static_cast<float>(sample.tensor_step));
    m.push_back(std::abs(sample.m));
    mh.push_back(static_cast<float>(std::abs(average_factor(run, sample) * static_cast<double>(sample.m))));
    v.push_back(std::sqrt(sample.v));
    vh.push_back(static_cast<float>(std::sqrt(corrected_v(run, sample))));
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
  if (!run.traits.corrected) return Panel::absent(fmt::format("{} does not correct its moments.", run.rule_titles()));
  const Factors found = factors_of(run.traits);
  Panel panel("corrected",
              fmt::format("Without the correction the first step would have been {} times as long{}; from about step "
                          "{} on it makes less than {} of difference.",
                          number(found.first),
                          found.worst_at > 1
                              ? fmt::format(", and step {}, the worst, {} times", found.worst_at, number(found.worst))
                              : "",
                          found.last_off + 1, percent(kNegligible)));
  panel.chart("bias_curve", Chart(Kind::lines, "Step without bias correction, as a multiple of the step taken",
                                  {"step", true, false}, {"c1/√c2", true, false})
                                .guide(1.0, "as it is, corrected")
                                .line("c1/√c2", Stroke::measured, found.steps, found.factors)
                                .json());
  std::vector<std::pair<std::string, Json>> options;
  for (const ProbeTrack* track : shown_probes(run, std::min(kMostCoordinates, run.budget.probes))) {
    options.emplace_back(probe_name(run, track->tensor, track->element), start_of(run, *track));
  }
  if (!options.empty()) panel.chart("bias_probe", choice("Coordinate", options));
  return panel;
}

}  // namespace adamant::report
