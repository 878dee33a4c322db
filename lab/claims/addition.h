// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Addition modulo 43, as a workload of the claims: three quarters of the sums are learned, and only who has found the
// rule, instead of learning by heart, knows the others.
#pragma once

#include <cstdint>
#include <memory>

#include "lab/workload.h"

namespace adamant::lab {

constexpr std::uint64_t kAdditionSteps = 600;

/// All batches are the same: everything that is learned. The seed decides what that is.
[[nodiscard]] std::unique_ptr<Workload> make_addition(HeldOut part);

}  // namespace adamant::lab
