// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The checkpoints of a run: with its optimizer they hold all that it needs to go on.
#pragma once

#include <adamant/checkpoint.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lab/losses.h"
#include "lab/run.h"
#include "lab/run_log.h"

namespace adamant::lab {

struct CheckpointConfig {
  std::filesystem::path folder;  ///< of this run alone
  std::uint64_t every = 0;       ///< steps; 0: only where the run ends or is interrupted
  bool resume = false;           ///< else what the folder has is removed
};

/// What the training loop knows after some steps, beside weights and states. Batches follow from seed and step.
struct LoopState {
  RunResult result{};
  Losses losses{};
  bool done = false;  ///< finished or diverged
};

class RunCheckpoints {
 public:
  /// Throws Error (io).
  RunCheckpoints(const CheckpointConfig& config, const LogConfig& log, const RunConfig& run,
                 const Optimizer& optimizer);

  struct Found {
    LoopState state;
    std::string log;  ///< RunLog::position(); empty where the run is done
  };
  /// The newest, if there is one; loads the optimizer unless the run is done. Throws Error: mismatch where it is of a
  /// run with other settings, naming what differs; io.
  [[nodiscard]] std::optional<Found> load(Optimizer& optimizer);
  void save(const Optimizer& optimizer, const LoopState& state, const std::string& log);
  /// Whether one is to be saved after so many steps.
  [[nodiscard]] bool due(std::uint64_t steps) const { return config_.every > 0 && steps % config_.every == 0; }

 private:
  CheckpointConfig config_;
  Checkpoints checkpoints_;
  std::string settings_;
};

}  // namespace adamant::lab
