// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The rules that the lab compares: named configurations of the engine's rules, with settings found by tune.h.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <span>
#include <string_view>

namespace adamant::lab {

struct RuleConfig {
  std::string_view name;   ///< "momentum"
  std::string_view words;  ///< what it is, in a few words
  Rule rule;
  Options options{};  ///< beside what is tuned
  /// Names of others, in a run of two rules: the one whose tuned settings this one has, and the one that takes the
  /// parameters of one row, such as biases.
  std::string_view settings_of{}, vectors{};
};

/// From the plainest on; last, what mixes two.
[[nodiscard]] std::span<const RuleConfig> rule_configs();
/// Throws Error (not_found).
[[nodiscard]] const RuleConfig& rule_config(std::string_view name);

/// What is tuned.
struct Tuned {
  double lr;
  double weight_decay;
};

/// The best settings of the search that `adamant lab --tune` repeats.
[[nodiscard]] Tuned tuned(std::string_view workload, std::string_view rule);

/// Options of the engine.
[[nodiscard]] Options options_of(const RuleConfig& config, const Tuned& settings);

}  // namespace adamant::lab
