// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Numbers in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adamant::report {

/// Three digits.
[[nodiscard]] std::string number(double value);
/// A share: "12%", "0.3%", "less than 0.01%".
[[nodiscard]] std::string percent(double share);
/// "1 step", "3 steps".
[[nodiscard]] std::string count(std::uint64_t n, std::string_view thing);

}  // namespace adamant::report
