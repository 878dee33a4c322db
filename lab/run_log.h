// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the run log of a run says beside what its optimizer knows. docs/run_log.md describes the format.
#pragma once

#include <adamant/run_log.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "lab/run.h"

namespace adamant::lab {

/// Where a run is logged.
struct LogConfig {
  std::string path;
  std::uint64_t every = 1;  ///< each so many-th step, and the first
  std::string title;
  std::string_view metric;  ///< what the score is called
  Notes notes;              ///< about the workload
};

/// What is known at the start of the run.
[[nodiscard]] Notes notes_of(const LogConfig& log, const RunConfig& config);
/// The log of a run that is about to begin, which replaces the file, or to go on: `resume` as in RunLogOptions. Throws
/// Error (io).
[[nodiscard]] RunLog open_log(const LogConfig& log, const RunConfig& config, const Optimizer& optimizer,
                              const std::string& resume = "");
/// What is known at its end.
[[nodiscard]] Notes end_notes(const LogConfig& log, const RunResult& result);

}  // namespace adamant::lab
