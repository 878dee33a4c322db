// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How far a step in f32 is from real arithmetic: many states.
#include "tests/support/accuracy.h"

namespace adamant::testing {
namespace {

TEST(Accuracy, AdamwKeepsItsBoundsFor20MillionStates) { expect_adamw_accuracy(20'000'000); }

}  // namespace
}  // namespace adamant::testing
