// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The report: one HTML file about runs, from their logs, and about claims. It needs no network and no other file.
#pragma once

#include <string>
#include <vector>

#include "claim/claim.h"

namespace adamant::report {

struct ReportInput {
  std::string title{};              ///< empty: named after the runs
  std::vector<std::string> runs{};  ///< paths of run logs
  std::vector<claim::Claim> claims{};
};

/// The page. Reads every log once, from front to end, in memory that does not grow with the steps. Throws what
/// RunLogReader throws, and Error (invalid_argument) for a plot whose line has other xs than ys, and where there is
/// neither a run nor a claim.
[[nodiscard]] std::string report_html(const ReportInput& input);

}  // namespace adamant::report
