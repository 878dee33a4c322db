// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The limits by which panels judge. Those of the lights are in causes(), healthy bands in moment_list(), those of what
// moves at a spike in forensics.h: panels take them from there. The page's texts name limits by {{marks}}, which are
// filled in from the same places.
#pragma once

#include <adamant/health.hpp>
#include <adamant/moments.hpp>
#include <algorithm>

namespace adamant::report {

constexpr double kNoise = 0.05;       ///< S, the share of a gradient that m knew: less is noise
constexpr double kSteady = 0.5;       ///< S: more is steady
constexpr double kNegligible = 0.01;  ///< difference of a step's length
constexpr double kWorthAWord = 1e-3;  ///< share of weights
constexpr double kApart = 1.5;        ///< steps from one logged step to the next: more are not neighbours

[[nodiscard]] inline const CauseInfo& info_of(Cause cause) {
  return *std::ranges::find(causes(), cause, &CauseInfo::cause);
}

/// Of a statistic whose band is the same for all rules and tensors.
[[nodiscard]] inline Guides healthy_band(double Moments::* statistic) {
  return std::ranges::find(moment_list(), statistic, &MomentInfo::value)->guides({});
}

}  // namespace adamant::report
