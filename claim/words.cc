// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "claim/words.h"

#include <fmt/format.h>

namespace adamant::claim {

std::string theory_text(const Figure& figure) {
  switch (figure.check) {
    case Check::near:
      return fmt::format("{:.4g}", figure.theory);
    case Check::at_least:
      return fmt::format("≥ {:.4g}", figure.theory);
    case Check::at_most:
      return fmt::format("≤ {:.4g}", figure.theory);
    case Check::none:
      break;
  }
  return "-";
}

std::string tolerance_text(const Figure& figure) {
  return figure.check == Check::none || figure.tolerance == 0.0 ? "" : fmt::format("±{:.2g}", figure.tolerance);
}

std::string measured_text(const Figure& figure) {
  return figure.standard_error == 0.0 ? fmt::format("{:.4g}", figure.measured)
                                      : fmt::format("{:.4g} ±{:.2g}", figure.measured, figure.standard_error);
}

std::string verdict_text(const Claim& claim) {
  const std::string_view verdict = name(claim.verdict());
  return claim.verdict() == Verdict::holds_if ? fmt::format("{} {}", verdict, claim.condition) : std::string(verdict);
}

}  // namespace adamant::claim
