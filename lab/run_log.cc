// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/run_log.h"

namespace adamant::lab {
namespace {

Note number(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

Notes notes_of(const LogConfig& log, const RunConfig& config) {
  Notes notes = log.notes;
  notes.insert(notes.end(), {{"rule", std::string(config.rule.name)},
                             {"schedule", "cosine"},
                             {"warmup", number(config.warmup)},
                             {"state", std::string(config.memory.name)},
                             {"steps", number(config.steps)},
                             {"seed", number(config.seed)},
                             {"target_loss", config.target_loss}});
  return notes;
}

RunLog open_log(const LogConfig& log, const RunConfig& config, const Optimizer& optimizer, const std::string& resume) {
  return RunLog(log.path, optimizer,
                {.title = log.title, .notes = notes_of(log, config), .every = log.every, .resume = resume});
}

Notes end_notes(const LogConfig& log, const RunResult& result) {
  Notes notes = {{"outcome", std::string(name(result.outcome))}, {"steps", number(result.steps)}};
  if (result.outcome == Outcome::finished) {
    notes.emplace_back("loss", result.score.loss);
    notes.emplace_back(log.metric, result.score.metric);
  }
  if (result.steps_to_target) notes.emplace_back("steps_to_target", number(*result.steps_to_target));
  notes.emplace_back("step_ns", result.step_ns);
  notes.emplace_back("bytes_per_param", result.bytes_per_param);
  notes.emplace_back("seconds", result.seconds);
  return notes;
}

}  // namespace adamant::lab
