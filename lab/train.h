// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The training loop: one for every workload and rule.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lab/run.h"
#include "lab/run_checkpoints.h"
#include "lab/run_log.h"

namespace adamant::lab {

/// Called before each step with the steps done and the last loss; returns whether to go on.
using Watch = std::function<bool(std::uint64_t step, double loss)>;

/// The optimizer of a run. Throws adamant::Error where the settings are refused.
[[nodiscard]] Optimizer make_optimizer(const RunConfig& config, std::vector<Param> params);

/// Trains the workload from the start of the seed, with the learning rate falling to zero on half a cosine. The result,
/// times apart, is a pure function of workload and config, and does not depend on the number of threads. Writes a log
/// where it is told to, and checkpoints, for which it needs a log: a run that goes on from one has the result and the
/// log of a run that never stopped.
RunResult train(Workload& workload, const RunConfig& config, const LogConfig* log = nullptr, const Watch& watch = {},
                const CheckpointConfig* checkpoints = nullptr);

}  // namespace adamant::lab
