// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Instruction sets. The engine selects the best one of this CPU; results are bit-identical on all of them.
#pragma once

#include <adamant/export.h>

#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// Names of the instruction sets that this build contains and this CPU supports, best first: "AVX3", "AVX2", "SSE4",
/// ...
[[nodiscard]] ADAMANT_EXPORT std::vector<std::string> targets();
/// Name of the instruction set in use.
[[nodiscard]] ADAMANT_EXPORT std::string current_target();
/// Makes all optimizers of the process use that instruction set from now on; an empty name selects the best one. For
/// comparisons and tests; must not be called while a step runs. Throws Error (not_found) for a name that targets() does
/// not list.
ADAMANT_EXPORT void use_target(std::string_view name);

}  // namespace adamant
