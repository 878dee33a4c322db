// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What `adamant claims` found, as a table and as JSON on standard output.
#pragma once

#include <span>

#include "claim/claim.h"

namespace adamant::cli {

/// One row a claim; `figures`: each number of it, too.
void print_claims(std::span<const claim::Claim> claims, bool figures, bool interrupted);
void print_claims_json(std::span<const claim::Claim> claims, bool interrupted);

}  // namespace adamant::cli
