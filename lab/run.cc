// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/run.h"

namespace adamant::lab {

std::optional<TunedRule> vectors_of(std::string_view workload, const RuleConfig& rule) {
  if (rule.vectors.empty()) return {};
  return TunedRule{rule_config(rule.vectors), tuned(workload, rule.vectors)};
}

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::diverged:
      return "diverged";
    case Outcome::interrupted:
      return "interrupted";
  }
  return "";
}

}  // namespace adamant::lab
