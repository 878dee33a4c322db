// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the page gets of runs and claims, as JSON.
#pragma once

#include "claim/claim.h"
#include "report/json.h"
#include "report/run.h"

namespace adamant::report {

/// All that the page shows of a run.
[[nodiscard]] Json run_json(const Run& run);
/// The list of statistics, for the glossary and the table.
[[nodiscard]] Json statistics_json();
/// What the lights watch, a row of words for each cause.
[[nodiscard]] Json causes_json();
/// A claim with its plots. Throws Error (invalid_argument) where a line has other xs than ys.
[[nodiscard]] Json claim_json(const claim::Claim& claim);

}  // namespace adamant::report
