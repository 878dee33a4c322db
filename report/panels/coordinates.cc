// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/panels/coordinates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace adamant::report {

std::string probe_name(const Run& run, std::size_t tensor, std::size_t element) {
  return fmt::format("{}[{}]", run.info.tensors[tensor].name, element);
}

double average_factor(const Run& run, const ProbeSample& sample) {
  const Traits& traits = run.traits;
  if (traits.corrected) return 1.0 / (1.0 - std::pow(traits.beta1, static_cast<double>(sample.tensor_step)));
  const Options& options = run.info.groups.front().options;
  return (1.0 - traits.beta1) / std::max(1e-9, 1.0 - options.dampening.value_or(0.0));
}

double corrected_v(const Run& run, const ProbeSample& sample) {
  const double v = static_cast<double>(sample.v);
  return run.traits.corrected ? v / (1.0 - std::pow(run.traits.beta2, static_cast<double>(sample.tensor_step))) : v;
}

double noise_of_m(const Run& run) { return std::sqrt((1.0 - run.traits.beta1) / (1.0 + run.traits.beta1)); }

std::vector<const ProbeTrack*> shown_probes(const Run& run, std::size_t limit) {
  std::vector<const ProbeTrack*> shown;
  for (std::size_t turn = 0; shown.size() < limit; ++turn) {
    const std::size_t before = shown.size();
    std::size_t tensor = run.info.tensors.size(), place = 0;
    for (const ProbeTrack& track : run.probes) {
      place = track.tensor == tensor ? place + 1 : 0;
      tensor = track.tensor;
      const bool moved = std::any_of(track.last.begin(), track.last.end(), [](const auto& s) { return s.g != 0.0F; });
      if (place == turn && moved && shown.size() < limit) shown.push_back(&track);
    }
    if (shown.size() == before && turn > 32) break;
  }
  std::stable_partition(shown.begin(), shown.end(), [](const auto* track) { return 2 * track->hits > track->steps; });
  return shown;
}

}  // namespace adamant::report
