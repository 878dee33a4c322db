// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Charts of a statistic of all tensors.
#pragma once

#include "report/chart.h"
#include "report/panels/tensors.h"

namespace adamant::report {

/// Lines over time.
[[nodiscard]] Json over_time(const Run& run, Statistic statistic, bool log);
/// Tensor by time.
[[nodiscard]] Json heat_map(const Run& run, Statistic statistic);

}  // namespace adamant::report
