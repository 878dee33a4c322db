// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The update rules and what can be asked about them at run time. Everything in the library iterates over this one list.
#pragma once

#include <adamant/export.h>

#include <adamant/options.hpp>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

namespace adamant {

/// The update rules; docs/rules.md has their equations.
enum class Rule : std::uint8_t {
  adamw,    ///< Loshchilov & Hutter 2019, algorithm 2; with amsgrad Reddi, Kale & Kumar 2018, algorithm 2
  adam,     ///< Kingma & Ba 2015, algorithm 1, decay in the gradient; amsgrad as above
  sgd,      ///< Robbins & Monro 1951; momentum: Sutskever et al. 2013, equations 1 to 4, as torch has them
  rmsprop,  ///< Hinton 2012, lecture 6e; centered: Graves 2013, equations 38 to 45, as torch has them
  adagrad,  ///< Duchi, Hazan & Singer 2011, figure 1, with diagonal matrices
};

/// An optimizer with the rule in its type (optimizer.hpp).
template <Rule kRule>
class OptimizerOf;

using AdamW = OptimizerOf<Rule::adamw>;
using Adam = OptimizerOf<Rule::adam>;
using SGD = OptimizerOf<Rule::sgd>;
using RMSprop = OptimizerOf<Rule::rmsprop>;
using Adagrad = OptimizerOf<Rule::adagrad>;

/// The numbers that an option accepts: from `least` to `most`, both included, and 0 if `or_zero` is set.
struct NumberRange {
  double least = 0.0;
  double most = 0.0;
  bool or_zero = false;
  std::string_view text;  ///< "a finite f32 number >= 0"

  /// Raises no floating-point exception, not even for NaN.
  [[nodiscard]] bool holds(double value) const noexcept {
    return (std::isgreaterequal(value, least) && std::islessequal(value, most)) || (or_zero && value == 0.0);
  }
};

/// One option of a rule.
struct OptionInfo {
  std::string_view name;
  OptionValue default_value;  ///< its alternative is the option's kind
  NumberRange range;          ///< range of each of its numbers; a flag is 0 or 1
};

struct RuleInfo {
  Rule rule;
  std::string_view name;                ///< "adamw": as written in options, logs and files
  std::string_view title;               ///< "AdamW": the class name
  std::span<const OptionInfo> options;  ///< in the order of struct Options
};

/// All rules, in the order of the enumeration.
[[nodiscard]] ADAMANT_EXPORT std::span<const RuleInfo> rules();
[[nodiscard]] ADAMANT_EXPORT const RuleInfo& info(Rule rule);
/// The rule of that name ("adamw"). Throws Error (not_found) naming it and the known ones.
[[nodiscard]] ADAMANT_EXPORT Rule rule_from_name(std::string_view name);

/// Whether the state of that name ("exp_avg_sq") is made of squared gradients, so that its root is as large as they
/// are.
[[nodiscard]] ADAMANT_EXPORT bool holds_squares(std::string_view state) noexcept;

/// `base` with the options that are set in `changes`.
[[nodiscard]] ADAMANT_EXPORT Options merge(const Options& base, const Options& changes);
/// The rule's defaults; every option that the rule has is set.
[[nodiscard]] ADAMANT_EXPORT Options defaults(Rule rule);

}  // namespace adamant
