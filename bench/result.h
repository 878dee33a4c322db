// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What was measured of a case.
#pragma once

#include <adamant/optimizer.hpp>
#include <cstddef>
#include <optional>

#include "bench/measure.h"

namespace adamant::bench {

/// One policy of a case. Times are those of one step of the whole workload.
struct Result {
  NonFinite policy = NonFinite::propagate;
  std::size_t bytes_per_param = 0;  ///< loaded and stored by a step
  Times step;
  Times ceiling;                    ///< the loop with the same loads and stores and no arithmetic
  std::optional<Times> bare;        ///< the step without a look, where this one looks at the gradients first
  std::optional<Times> one_tensor;  ///< where there are many tensors: the step on one of as many parameters
  std::optional<Times> f32;         ///< for as many parameters in f32, where this one has compact formats
  double allocated_bytes_per_param = 0.0;
  std::optional<Times> sums;        ///< the step with the sums of its statistics alone
  std::optional<Times> statistics;  ///< with all of them, as they are by default
  // AdamW in f32 without a look:
  std::optional<Times> plain;    ///< the best plain kernel: one pass, unrolled, fused multiply-add
  std::optional<Times> unfused;  ///< eight passes
  std::optional<Times> naive;    ///< a loop as one writes it, at -O2
  // And with statistics, the step and after it what others do to see the moments:
  std::optional<Times> composer;  ///< as MosaicML's Composer: the step formed again, four norms, two cosines
  std::optional<Times> olmo;      ///< as OLMo: least, largest, average and norm of four tensors
};

}  // namespace adamant::bench
