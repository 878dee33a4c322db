// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How a run was made: rule, options, notes, cost of its log, as rows of name and value.
#pragma once

#include "report/json.h"
#include "report/run.h"

namespace adamant::report {

[[nodiscard]] Json settings_of(const Run& run);
/// A note as text; empty where there is none of that name.
[[nodiscard]] std::string note_named(const Notes& notes, std::string_view name);

}  // namespace adamant::report
