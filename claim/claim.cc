// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "claim/claim.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace adamant::claim {

Finding Figure::finding() const {
  const double above = measured - theory;
  switch (check) {
    case Check::none:
      return Finding::shown;
    case Check::near:
      return std::abs(above) <= tolerance ? Finding::shown : Finding::refuted;
    case Check::at_least:
      return above >= tolerance ? Finding::shown : above > -tolerance ? Finding::open : Finding::refuted;
    case Check::at_most:
      return above <= -tolerance ? Finding::shown : above < tolerance ? Finding::open : Finding::refuted;
  }
  return Finding::refuted;
}

Verdict Claim::verdict() const {
  const auto any = [&](bool beyond, auto is) {
    return std::ranges::any_of(figures, [&](const Figure& f) { return f.beyond == beyond && is(f.finding()); });
  };
  if (any(false, [](Finding f) { return f == Finding::refuted; })) return Verdict::does_not_hold;
  if (any(false, [](Finding f) { return f == Finding::open; })) return Verdict::not_shown;
  return any(true, [](Finding f) { return f != Finding::shown; }) ? Verdict::holds_if : Verdict::holds;
}

std::string_view name(Verdict verdict) {
  static constexpr std::array<std::string_view, 4> kNames = {"holds", "holds if", "not shown", "does not hold"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view name(Check check) {
  static constexpr std::array<std::string_view, 4> kNames = {"near", "at least", "at most", "none"};
  return kNames[static_cast<std::size_t>(check)];
}

}  // namespace adamant::claim
