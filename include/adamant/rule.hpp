// The update rules and what can be said about them at run time. One list; every face of the library iterates over it.
#pragma once

#include <adamant/options.hpp>
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

/// One option of a rule, with its default and range in words.
struct OptionInfo {
  std::string_view name;
  std::string_view default_value;
  std::string_view range;
};

struct RuleInfo {
  Rule rule;
  std::string_view name;                ///< "adamw": as written in options, logs and files
  std::string_view title;               ///< "AdamW": the class name
  std::span<const OptionInfo> options;  ///< in the order of struct Options
};

/// All rules, in the order of the enumeration.
[[nodiscard]] std::span<const RuleInfo> rules();
[[nodiscard]] const RuleInfo& info(Rule rule);
/// The rule of that name ("adamw"). Throws Error (not_found) naming it and the known ones.
[[nodiscard]] Rule rule_from_name(std::string_view name);

/// Which of the fields of Options are set: those of `changes` where they are set, else those of `base`.
[[nodiscard]] Options merge(const Options& base, const Options& changes);
/// The rule's defaults, every option the rule has being set.
[[nodiscard]] Options defaults(Rule rule);

}  // namespace adamant
