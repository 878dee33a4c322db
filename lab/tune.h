// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The search that found the settings of rules.cc: the same grid, seeds and steps for every rule.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "lab/train.h"

namespace adamant::lab {

/// One point of the grid.
struct Trial {
  Tuned settings{};
  double loss = 0.0;  ///< on validation data, mean over the seeds; infinite where a seed diverged
};

/// Learning rates from 3e-5 to 10, about half a decade apart, with each weight decay of 0 and of 1e-4 to 0.1, a decade
/// apart. On the landscapes, whose minimum is not at zero, only with weight decay 0.
[[nodiscard]] std::vector<Tuned> tuning_grid(const WorkloadInfo& workload);

/// Trains at every point of the grid with seeds that the lab does not use otherwise. On a slow workload, with one seed:
/// at every learning rate without decay, then at the best of them with each decay. `base` gives all but the settings
/// and the seed. Stops early, without the rest, when `watch` says so.
[[nodiscard]] std::vector<Trial> tune(const WorkloadInfo& info, Workload& workload, const RunConfig& base,
                                      const Watch& watch);

/// The trial of smallest loss; the earlier one of equals.
[[nodiscard]] const Trial& best(const std::vector<Trial>& trials);

}  // namespace adamant::lab
