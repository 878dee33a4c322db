// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The value of what is not known.
#pragma once

#include <limits>

namespace adamant {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace adamant
