// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What `adamant lab` found, as tables and as JSON on standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/train.h"
#include "lab/tune.h"

namespace adamant::cli {

struct SeedReport {
  std::uint64_t seed = 0;
  lab::RunResult result;
  std::string log;  ///< path
};

struct RuleReport {
  lab::RuleConfig rule;
  lab::MemoryFormats memory;
  std::vector<SeedReport> runs;
};

struct WorkloadReport {
  const lab::WorkloadInfo* info = nullptr;
  std::string description;
  std::uint64_t steps = 0;
  std::size_t batch_size = 0;
  std::size_t seeds = 0;  ///< wanted
  std::vector<RuleReport> rules;
};

struct LabReport {
  std::vector<WorkloadReport> workloads;
  std::string folder;  ///< of the run logs
  std::string page;    ///< the HTML report on them
  bool interrupted = false;
};

struct TuneReport {
  const lab::WorkloadInfo* info = nullptr;
  lab::RuleConfig rule;
  std::vector<lab::Trial> trials;
};

/// "adamw", "adamw-q8".
[[nodiscard]] std::string compared_name(const lab::RuleConfig& rule, const lab::MemoryFormats& memory);

/// "loss 0.0812, accuracy 97.5%", or "diverged at step 12".
[[nodiscard]] std::string score_text(const lab::WorkloadInfo& info, const lab::RunResult& result);

void print_table(const LabReport& report);
void print_json(const LabReport& report);
void print_tune_tables(const std::vector<TuneReport>& reports, bool interrupted);
void print_tune_json(const std::vector<TuneReport>& reports, bool interrupted);

}  // namespace adamant::cli
