// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/panels/coordinates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace adamant::report {

std::string probe_name(const Run& run, std::size_t tensor, std::size_t element) {
  return fmt::format("{}[{}]", run.info.tensors[tensor].name, element);
}

double mean_m(const Run& run, const ProbeTrack& track, const ProbeSample& sample) {
  const std::optional<Memory> first = run.model(track.tensor, sample.tensor_step).first;
  return first ? static_cast<double>(sample.m) / first->total : kNone;
}

double corrected_v(const Run& run, const ProbeTrack& track, const ProbeSample& sample) {
  const std::optional<SecondMoment> second = run.model(track.tensor, sample.tensor_step).second;
  if (!second) return kNone;
  const double v = static_cast<double>(sample.v);
  const auto t = static_cast<double>(std::max<std::uint64_t>(1, sample.tensor_step));
  return second->corrected ? v / (1.0 - std::pow(second->memory.ratio, t)) : v;
}

double noise_of_m(const Run& run, const ProbeTrack& track) {
  const std::optional<Memory> first = run.model(track.tensor, track.last.back().tensor_step).first;
  return first ? std::sqrt(first->squares) : kNone;
}

std::vector<const ProbeTrack*> shown_probes(const Run& run, Trait trait, std::size_t limit) {
  std::vector<const ProbeTrack*> shown;
  for (std::size_t turn = 0; shown.size() < limit; ++turn) {
    const std::size_t before = shown.size();
    std::size_t tensor = run.info.tensors.size(), place = 0;
    for (const ProbeTrack& track : run.probes) {
      place = track.tensor == tensor ? place + 1 : 0;
      tensor = track.tensor;
      const bool moved = std::any_of(track.last.begin(), track.last.end(), [](const auto& s) { return s.g != 0.0F; });
      if (place == turn && moved && run.traits(tensor).*trait && shown.size() < limit) shown.push_back(&track);
    }
    if (shown.size() == before && turn > 32) break;
  }
  std::stable_partition(shown.begin(), shown.end(), [](const auto* track) { return 2 * track->hits > track->steps; });
  return shown;
}

}  // namespace adamant::report
