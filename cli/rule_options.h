// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options of rules by their names, as --set gives them.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <string>
#include <string_view>

#include "cli/json.h"

namespace adamant::cli {

struct RuleOption {
  std::string name;
  OptionValue value;
};

/// "momentum=0.9". Refuses what is not name=value, a name that no rule has and a value of another kind. Whether the
/// value is in its range is up to the optimizer that gets it.
[[nodiscard]] RuleOption read_rule_option(std::string_view flag, std::string_view text);

/// Refuses what is set already.
void set_once(Options& options, std::string_view flag, const RuleOption& option);

/// Those of `options` that the rule has.
[[nodiscard]] Options known_to(Rule rule, const Options& options);

/// What is set, by name.
[[nodiscard]] Json options_json(const Options& options);

}  // namespace adamant::cli
