#include "claim/claim.h"

#include <algorithm>
#include <cmath>

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
  switch (verdict) {
    case Verdict::holds:
      return "holds";
    case Verdict::holds_if:
      return "holds if";
    case Verdict::not_shown:
      return "not shown";
    case Verdict::does_not_hold:
      break;
  }
  return "does not hold";
}

std::string_view name(Check check) {
  switch (check) {
    case Check::near:
      return "near";
    case Check::at_least:
      return "at least";
    case Check::at_most:
      return "at most";
    case Check::none:
      break;
  }
  return "none";
}

}  // namespace adamant::claim
