// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The list of rules: names, defaults, the forms that options choose, and models.
#include <adamant/error.hpp>
#include <adamant/model.hpp>
#include <adamant/rule.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "base/float_environment.h"
#include "base/text.h"
#include "rule/adagrad_model.h"
#include "rule/adam_model.h"
#include "rule/adamw_model.h"
#include "rule/options.h"
#include "rule/rmsprop_model.h"
#include "rule/sgd_model.h"
#include "rule/variants.h"

namespace adamant {
namespace {

struct RuleDefaults {
  Rule rule;
  std::string_view name;
  std::string_view title;
  Options options;  // which options a rule has, and torch's defaults of them
};

// Known before anything runs: an optimizer may be a global variable.
constexpr RuleDefaults kRules[] = {
    {Rule::adamw,
     "adamw",
     "AdamW",
     {.lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 1e-2, .amsgrad = false, .maximize = false}},
    {Rule::adam,
     "adam",
     "Adam",
     {.lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 0.0, .amsgrad = false, .maximize = false}},
    {Rule::sgd,
     "sgd",
     "SGD",
     {.lr = 1e-3, .momentum = 0.0, .dampening = 0.0, .weight_decay = 0.0, .nesterov = false, .maximize = false}},
    {Rule::rmsprop,
     "rmsprop",
     "RMSprop",
     {.lr = 1e-2,
      .alpha = 0.99,
      .momentum = 0.0,
      .eps = 1e-8,
      .weight_decay = 0.0,
      .centered = false,
      .maximize = false}},
    {Rule::adagrad,
     "adagrad",
     "Adagrad",
     {.lr = 1e-2,
      .eps = 1e-10,
      .weight_decay = 0.0,
      .lr_decay = 0.0,
      .initial_accumulator_value = 0.0,
      .maximize = false}},
};

const RuleDefaults& rule_defaults(Rule rule) { return kRules[static_cast<std::size_t>(rule)]; }

}  // namespace

std::span<const RuleInfo> rules() {
  static const std::vector<std::vector<OptionInfo>> options = [] {
    std::vector<std::vector<OptionInfo>> all;
    for (const RuleDefaults& rule : kRules) all.push_back(option_infos(rule.options));
    return all;
  }();
  static const std::vector<RuleInfo> infos = [] {
    std::vector<RuleInfo> all;
    for (const RuleDefaults& rule : kRules) all.push_back({rule.rule, rule.name, rule.title, options[all.size()]});
    return all;
  }();
  return infos;
}

const RuleInfo& info(Rule rule) { return rules()[static_cast<std::size_t>(rule)]; }

Rule rule_from_name(std::string_view name) {
  for (const RuleDefaults& known : kRules) {
    if (known.name == name) return known.rule;
  }
  throw Error(ErrorCode::not_found, "unknown rule " + printable(name) + ": must be one of " +
                                        listed(kRules, [](const RuleDefaults& r) { return std::string(r.name); }));
}

bool holds_squares(std::string_view state) noexcept {
  return std::ranges::any_of(
      kStateList, [&](const StateInfo& known) { return known.name == state && known.measures == Measures::squares; });
}

Options defaults(Rule rule) { return rule_defaults(rule).options; }

Variant variant_of(Rule rule, const Options& options) {
  switch (rule) {
    case Rule::adamw:
      return given(options.amsgrad) ? Variant::adamw_amsgrad : Variant::adamw;
    case Rule::adam:
      return given(options.amsgrad) ? Variant::adam_amsgrad : Variant::adam;
    case Rule::sgd:
      if (given(options.momentum) == 0.0) return Variant::sgd;
      return given(options.nesterov) ? Variant::sgd_nesterov : Variant::sgd_momentum;
    case Rule::rmsprop:
      if (given(options.momentum) == 0.0) return given(options.centered) ? Variant::rmsprop_centered : Variant::rmsprop;
      return given(options.centered) ? Variant::rmsprop_centered_momentum : Variant::rmsprop_momentum;
    case Rule::adagrad:
      return Variant::adagrad;
  }
  return Variant::adamw;
}

RuleModel model_of(Rule rule, const Options& options, std::uint64_t step) {
  const FloatEnvironment environment;
  const Options complete = merge(defaults(rule), options);
  const std::uint64_t t = std::max<std::uint64_t>(1, step);
  RuleModel model;
  switch (variant_of(rule, complete)) {
#define ADAMANT_MODEL(name, type, ...)    \
  case Variant::name:                     \
    model = model::type::at(complete, t); \
    break;
    ADAMANT_VARIANTS(ADAMANT_MODEL)
#undef ADAMANT_MODEL
  }
  model.step = t;
  return model;
}

}  // namespace adamant
