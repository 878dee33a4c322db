// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/tune.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

namespace adamant::lab {
namespace {

constexpr double kLearningRates[] = {3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0};
constexpr double kWeightDecays[] = {0.0, 1e-4, 1e-3, 0.01, 0.1};
constexpr std::uint64_t kSeeds[] = {1001, 1002, 1003};

// Refused for AdamW, where decay would turn the signs of the weights; no rule is better for it.
bool turns_signs(const Tuned& settings) { return settings.lr * settings.weight_decay >= 1.0; }

// Nothing where it was interrupted.
std::optional<Trial> try_settings(Workload& workload, RunConfig config, const Tuned& settings,
                                  std::span<const std::uint64_t> seeds, const Watch& watch) {
  Trial trial{settings, 0.0};
  config.settings = settings;
  for (const std::uint64_t seed : seeds) {
    config.seed = seed;
    const RunResult result = train(workload, config, nullptr, watch);
    if (result.outcome == Outcome::interrupted) return {};
    const bool finished = result.outcome == Outcome::finished;
    trial.loss +=
        finished ? result.score.loss / static_cast<double>(seeds.size()) : std::numeric_limits<double>::infinity();
  }
  return trial;
}

}  // namespace

std::vector<Tuned> tuning_grid(const WorkloadInfo& workload) {
  std::vector<Tuned> grid;
  for (const double weight_decay : kWeightDecays) {
    if (weight_decay > 0.0 && !workload.decays) continue;
    for (const double lr : kLearningRates) grid.push_back({lr, weight_decay});
  }
  std::erase_if(grid, turns_signs);
  return grid;
}

std::vector<Trial> tune(const WorkloadInfo& info, Workload& workload, const RunConfig& base, const Watch& watch) {
  const std::vector<Tuned> grid = tuning_grid(info);
  const auto seeds = std::span(kSeeds).first(info.slow ? 1 : std::size(kSeeds));
  std::vector<Trial> trials;
  const auto try_all = [&](const auto& wanted) {
    for (const Tuned& settings : grid) {
      if (!wanted(settings)) continue;
      const std::optional<Trial> trial = try_settings(workload, base, settings, seeds, watch);
      if (!trial) return false;
      trials.push_back(*trial);
    }
    return true;
  };
  if (!info.slow) {
    try_all([](const Tuned&) { return true; });
  } else if (try_all([](const Tuned& settings) { return settings.weight_decay == 0.0; })) {
    const double rate = best(trials).settings.lr;
    try_all([rate](const Tuned& settings) { return settings.weight_decay > 0.0 && settings.lr == rate; });
  }
  return trials;
}

const Trial& best(const std::vector<Trial>& trials) {
  return *std::min_element(trials.begin(), trials.end(),
                           [](const Trial& a, const Trial& b) { return a.loss < b.loss; });
}

}  // namespace adamant::lab
