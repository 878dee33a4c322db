// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// To be preloaded into a process: its operator new fails on request.
#include "tests/support/failing_new.h"

/// The allocation after `count` others of this thread fails; -1: none does.
extern "C" void adamant_fail_after(long count) { adamant::testing::left = count; }
