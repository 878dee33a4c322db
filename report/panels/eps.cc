// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Is ε in charge anywhere?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "report/limits.h"
#include "report/panels/panel.h"
#include "report/panels/statistic_charts.h"
#include "report/words.h"

namespace adamant::report {
namespace {

// Share of ε in the denominator, without the weights that never had a gradient.
double taxed(const Run& run, const TensorRecord& record) {
  const double dead = run.summary(record, &Moments::dead).recent;
  return run.summary(record, &Moments::eps_tax).recent - (std::isfinite(dead) ? dead : 0.0);
}

Panel eps_of(const Run& run) {
  const Found most = highest(run, [&](const auto& record) { return std::pair{taxed(run, record), run.last_step}; });
  if (most.record == nullptr) return {"unseen", "Nothing was seen of the scales."};
  const double limit = healthy_band(&Moments::eps_tax).high;
  const auto over = std::ranges::count_if(run.tensors, [&](const auto& record) { return taxed(run, record) > limit; });
  const std::string share = percent(std::max(0.0, most.value));
  std::string answer =
      over == 0 ? fmt::format("No: v decides everywhere. ε is at most {} of the denominator, in {}.", share,
                              name_of(run, most))
                : fmt::format(
                      "Yes, in {}: ε is more than {} of the denominator there, most in {}, {}. As it grows, the rule "
                      "becomes momentum with learning rate η/ε.",
                      count(static_cast<std::uint64_t>(over), "tensor"), percent(limit), name_of(run, most), share);
  const Found dead = highest_recent(run, &Moments::dead);
  if (dead.value > kWorthAWord) answer += " Weights that never had a gradient are not counted.";
  answer += only_some(run, &Traits::v, "a v");
  return {over == 0 ? "v_decides" : "eps_decides", answer};
}

}  // namespace

Panel eps_panel(const Run& run) {
  if (!run.any(&Traits::v)) {
    return Panel::absent(fmt::format("There is no ε in {}: nothing is divided.", run.rule_titles()));
  }
  Panel panel = eps_of(run);
  if (has(run, &Moments::eps_tax)) panel.chart("eps_tax", over_time(run, &Moments::eps_tax, true));
  return panel;
}

}  // namespace adamant::report
