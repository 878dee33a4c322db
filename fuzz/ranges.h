// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the library promises of options that it has taken, in other words than its own: a range that lets too much pass
// is not its own witness.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <cmath>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

#include "fuzz/input.h"

namespace adamant::fuzz {

inline void check_number(std::string_view name, double value) {
  const auto narrow = static_cast<float>(value);
  require(std::isfinite(narrow));
  require(value >= 0.0 || name == "dampening");
  require(narrow < 1.0F || (name != "betas" && name != "alpha"));
  require(value == 0.0 || value >= static_cast<double>(std::numeric_limits<float>::min()) || name != "eps");
}

/// Options of a group: all that the rule has, and each in its range.
inline void check_options(Rule rule, const Options& options) {
  const Options known = defaults(rule);
  for_each_option([&](std::string_view name, auto member) {
    const auto& value = options.*member;
    require(value.has_value() == (known.*member).has_value());
    if (!value) return;
    if constexpr (requires { value->size(); }) {
      for (const double number : *value) check_number(name, number);
    } else if constexpr (std::floating_point<std::remove_cvref_t<decltype(*value)>>) {
      check_number(name, *value);
    }
  });
  if (options.nesterov.value_or(false)) require(*options.momentum > 0.0 && *options.dampening == 0.0);
}

}  // namespace adamant::fuzz
