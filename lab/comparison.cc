// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "lab/summary.h"

namespace adamant::lab {
namespace {

std::string digits(double value, int count) {
  char text[512];
  if (value < std::pow(10.0, count)) {
    std::snprintf(text, sizeof(text), "%.*g", count, value);
  } else {
    std::snprintf(text, sizeof(text), "%.0f", value);
  }
  return text;
}

}  // namespace

std::string comparison_sentence(std::span<const ComparedRule> rules) {
  std::vector<const ComparedRule*> ranked;
  for (const ComparedRule& rule : rules) {
    const bool finished = std::ranges::all_of(rule.losses, [](double loss) { return std::isfinite(loss); });
    if (!rule.losses.empty() && finished) ranked.push_back(&rule);
  }
  // Rules of an interrupted comparison have fewer seeds than the first.
  std::erase_if(ranked, [&](const auto* rule) { return rule->losses.size() != ranked.front()->losses.size(); });
  if (ranked.size() < 2) return "";
  std::ranges::stable_sort(ranked, {}, [](const ComparedRule* rule) { return summarize(rule->losses).mean; });
  const ComparedRule& best = *ranked.front();
  const auto other_kind = std::ranges::find(ranked, !best.scales, &ComparedRule::scales);
  const bool one_kind = other_kind == ranked.end();
  const ComparedRule& rival = one_kind ? *ranked[1] : **other_kind;

  std::vector<double> differences;
  differences.reserve(best.losses.size());
  for (std::size_t i = 0; i < best.losses.size(); ++i) differences.push_back(rival.losses[i] - best.losses[i]);
  const Summary difference = summarize(differences);
  const double error = difference.deviation / std::sqrt(static_cast<double>(difference.count));

  std::string words = best.name + " has the lowest loss, " + digits(summarize(best.losses).mean, 4) + "; the best " +
                      (one_kind      ? "of the others"
                       : best.scales ? "that does not divide by a second moment"
                                     : "that divides by a second moment") +
                      ", " + rival.name;
  if (difference.count < 2) return words + ", is " + digits(difference.mean, 2) + " above it, on a single seed.";
  words += difference.mean <= student(difference.count) * error ? ", is not clearly above it" : ", is clearly above it";
  return words + ": by " + digits(difference.mean, 2) + ", with a standard error of " + digits(error, 2) + ".";
}

}  // namespace adamant::lab
