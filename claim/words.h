// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A claim and its figures in words, for tables and pages.
#pragma once

#include <string>

#include "claim/claim.h"

namespace adamant::claim {

/// "0.2294", "≥ 1"; "-" where there is no theory.
[[nodiscard]] std::string theory_text(const Figure& figure);
/// "±0.0046"; empty where there is none.
[[nodiscard]] std::string tolerance_text(const Figure& figure);
/// "0.2294", with its standard error where it has one.
[[nodiscard]] std::string measured_text(const Figure& figure);
/// "holds if the gradient is far above ε".
[[nodiscard]] std::string verdict_text(const Claim& claim);

}  // namespace adamant::claim
