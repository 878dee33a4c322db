// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Learning-rate schedules as plain functions of the step: optimizer.set_lr(cosine(1e-3, step, 10000)).
// `step` counts from 0. Factors and rates may be any numbers; set_lr refuses results that are out of range. Schedules
// keep no state, so a resumed run continues exactly. Those with a cosine call `cos` of the C library, which may differ
// in the last place of f64 between systems.
#pragma once

#include <adamant/export.h>

#include <cstdint>

namespace adamant::schedule {

/// lr at every step.
[[nodiscard]] ADAMANT_EXPORT double constant(double lr, std::uint64_t step);
/// Linear from `start_factor`·lr at step 0 to `end_factor`·lr at step `total` and after.
[[nodiscard]] ADAMANT_EXPORT double linear(double lr, std::uint64_t step, std::uint64_t total,
                                           double start_factor = 1.0, double end_factor = 0.0);
/// Linear from lr/warmup at step 0 to lr at step warmup-1 and after; warmup 0 gives lr.
[[nodiscard]] ADAMANT_EXPORT double warmup(double lr, std::uint64_t step, std::uint64_t warmup);
/// Half a cosine from lr at step 0 to `min_lr` at step `total` and after. (Loshchilov & Hutter 2017, SGDR, eq. 5)
[[nodiscard]] ADAMANT_EXPORT double cosine(double lr, std::uint64_t step, std::uint64_t total, double min_lr = 0.0);
/// `warmup` steps of linear warm-up, then half a cosine over the rest of `total`.
[[nodiscard]] ADAMANT_EXPORT double warmup_cosine(double lr, std::uint64_t step, std::uint64_t warmup,
                                                  std::uint64_t total, double min_lr = 0.0);
/// lr·gamma^(step/period), the exponent rounded down: a staircase. period 0 gives lr.
[[nodiscard]] ADAMANT_EXPORT double step_decay(double lr, std::uint64_t step, std::uint64_t period, double gamma = 0.1);
/// One cycle (Smith & Topin 2018) with cosine flanks, as torch's OneCycleLR: from max_lr/div_factor up to max_lr over
/// the first `pct_start` of `total` steps, then down to max_lr/(div_factor·final_div_factor).
[[nodiscard]] ADAMANT_EXPORT double one_cycle(double max_lr, std::uint64_t step, std::uint64_t total,
                                              double pct_start = 0.3, double div_factor = 25.0,
                                              double final_div_factor = 1e4);

}  // namespace adamant::schedule
