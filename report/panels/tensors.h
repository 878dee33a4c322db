// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which tensors of a run stand out, and by what.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "report/run.h"

namespace adamant::report {

using Statistic = double Moments::*;

/// A tensor and a number of it.
struct Found {
  const TensorRecord* record = nullptr;  ///< nullptr: no tensor has one
  double value = kNone;
  std::uint64_t step = 0;
};

/// Where value(record), a number and its step, is highest.
template <class Value>
[[nodiscard]] Found highest(const Run& run, Value value) {
  Found found;
  for (const TensorRecord& record : run.tensors) {
    const auto [number, step] = value(record);
    if (std::isfinite(number) && !(found.value >= number)) found = {&record, number, step};
  }
  return found;
}

/// At the end of the run.
[[nodiscard]] Found highest_recent(const Run& run, Statistic statistic);
[[nodiscard]] Found lowest_recent(const Run& run, Statistic statistic);
/// Over the whole run.
[[nodiscard]] Found highest_ever(const Run& run, Statistic statistic);
/// Where R was furthest above what noise alone gives at that step; as a multiple of it.
[[nodiscard]] Found furthest_above_noise(const Run& run);

/// The tensor with the most elements among those that have the statistic; nullptr where none has.
[[nodiscard]] const TensorRecord* largest(const Run& run, Statistic statistic);

[[nodiscard]] const std::string& name_of(const Run& run, const Found& found);
/// Of the tensors that have the statistic; NaN where none has.
[[nodiscard]] double median_recent(const Run& run, Statistic statistic);
/// Of those of them whose rule has that.
[[nodiscard]] double median_recent(const Run& run, Statistic statistic, Trait trait);
[[nodiscard]] bool has(const Run& run, Statistic statistic);
/// " 2 of 3 tensors have a v: their rule is AdamW."; empty where the rules of all tensors have that.
[[nodiscard]] std::string only_some(const Run& run, Trait trait, std::string_view what);

/// The lines to draw with a statistic of a tensor, at the step and the learning rate of a bucket.
[[nodiscard]] Guides guides_at(const Run& run, const TensorRecord& record, const MomentInfo& what, std::size_t bucket);

}  // namespace adamant::report
