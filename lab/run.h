// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A training run: what it depends on and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lab/memory_formats.h"
#include "lab/rules.h"
#include "lab/workload.h"

namespace adamant::lab {

struct TunedRule {
  RuleConfig rule{};
  Tuned settings{};
};

/// Where a configuration mixes two rules: the one for vectors, with the settings tuned for that workload.
[[nodiscard]] std::optional<TunedRule> vectors_of(std::string_view workload, const RuleConfig& rule);

/// Everything a run depends on but the workload.
struct RunConfig {
  RuleConfig rule{};
  Tuned settings{};
  std::optional<TunedRule> vectors{};  ///< another rule, for the parameters of one row
  std::uint64_t steps = 1;
  std::uint64_t warmup = 0;  ///< of them, with a rising learning rate
  std::uint64_t seed = 1;
  double target_loss = 0.0;
  MemoryFormats memory{};
  int threads = 0;
};

enum class Outcome {
  finished,
  diverged,     ///< a loss was not finite or over 1,000 times the first one, or a gradient was not finite
  interrupted,  ///< `watch` said so
};

/// "finished", "diverged", "interrupted".
[[nodiscard]] std::string_view name(Outcome outcome);

struct RunResult {
  Outcome outcome = Outcome::finished;
  std::uint64_t steps = 0;                       ///< done
  Score score{};                                 ///< at the end; meaningful where finished
  std::optional<std::uint64_t> steps_to_target;  ///< first step at which the last 20 training losses average below it
  std::vector<TunedRule> groups{};               ///< of the optimizer, as they began
  bool f32_states = false;       ///< every tensor is too small for the states asked for, and keeps those of f32
  double step_ns = 0.0;          ///< median time of Optimizer::step, with its check of the gradients
  double bytes_per_param = 0.0;  ///< parameter and optimizer states
  double seconds = 0.0;          ///< of the whole run
};

}  // namespace adamant::lab
