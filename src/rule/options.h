// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options of a rule, complete and in their ranges.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

namespace adamant {

/// An option that the rule has, of options in which all of these are set.
template <class T>
const T& given(const std::optional<T>& option) {
  if (!option) throw std::logic_error("an option of the rule is not set");
  return *option;
}

/// The options that are set in a rule's defaults.
[[nodiscard]] std::vector<OptionInfo> option_infos(const Options& defaults);

/// `changes` over `base`, checked: every option one of the rule's and in its range. `base` is complete and valid.
[[nodiscard]] Options resolve(Rule rule, const Options& base, const Options& changes);

}  // namespace adamant
