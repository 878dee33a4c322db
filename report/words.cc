// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/words.h"

#include <fmt/format.h>

#include <cmath>

namespace adamant::report {

std::string number(double value) {
  if (std::abs(value) >= 1000.0 && std::abs(value) < 1e6) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string percent(double share) {
  const double value = 100.0 * share;
  if (value != 0.0 && std::abs(value) < 0.01) return "less than 0.01%";
  if (value != 0.0 && std::abs(value) < 10.0) return fmt::format("{:.2g}%", value);
  return fmt::format("{:.0f}%", value);
}

std::string count(std::uint64_t n, std::string_view thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

}  // namespace adamant::report
