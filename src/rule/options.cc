// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The ranges of options, and the refusal of what lies outside.
#include "rule/options.h"

#include <adamant/error.hpp>
#include <adamant/model.hpp>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/text.h"

namespace adamant {
namespace {

constexpr double kLargestF32 = std::numeric_limits<float>::max();
constexpr NumberRange kNotNegative = {0.0, kLargestF32, false, "a finite f32 number >= 0"};
// 1 - 2^-25 lies halfway between 1 and the f32 below it, and rounds to 1.
constexpr NumberRange kFraction = {0.0, 0x1.fffffefffffffp-1, false, "in [0, 1), also after rounding to f32"};
constexpr NumberRange kEpsilon = {std::numeric_limits<float>::min(), kLargestF32, true,
                                  "0 or at least 2^-126, the smallest normal f32"};
constexpr NumberRange kAny = {-kLargestF32, kLargestF32, false, "a finite f32 number"};
constexpr NumberRange kFlag = {0.0, 1.0, false, "true or false"};

struct NumberInfo {
  std::string_view name;
  std::string_view torch_name;  // as torch's messages call it
  NumberRange range;
};

constexpr NumberInfo kNumbers[] = {
    {"lr", "learning rate", kNotNegative},
    {"betas", "beta parameter", kFraction},
    {"alpha", "alpha value", kFraction},
    {"momentum", "momentum value", kNotNegative},
    {"dampening", "dampening value", kAny},
    {"eps", "epsilon value", kEpsilon},
    {"weight_decay", "weight_decay value", kNotNegative},
    {"lr_decay", "lr_decay value", kNotNegative},
    {"initial_accumulator_value", "initial_accumulator_value value", kNotNegative},
};

const NumberInfo& number_info(std::string_view name) {
  for (const NumberInfo& number : kNumbers) {
    if (number.name == name) return number;
  }
  throw std::logic_error("no range for the option " + std::string(name));
}

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

void check_number(std::string_view name, double value, const std::string& at = {}) {
  const NumberInfo& number = number_info(name);
  if (number.range.holds(value)) return;
  refuse("Invalid " + std::string(number.torch_name) + at + ": " + text(value) + " (" + std::string(name) +
         " must be " + std::string(number.range.text) + ")");
}

void check(std::string_view name, double value) { check_number(name, value); }
void check(std::string_view name, const std::array<double, 2>& values) {
  for (std::size_t i = 0; i < 2; ++i) check_number(name, values[i], " at index " + std::to_string(i));
}
void check(std::string_view, bool) {}

void check_together(Rule rule, const Options& options) {
  if (const double decay = model_of(rule, options, 1).decoupled_decay.value_or(0.0); given(options.lr) * decay >= 1.0) {
    refuse("lr * weight_decay is " + text(given(options.lr) * decay) + " (lr " + text(given(options.lr)) +
           ", weight_decay " + text(decay) + "): must be < 1, or decay would turn the weights' signs");
  }
  if (options.nesterov.value_or(false) && (given(options.momentum) <= 0.0 || given(options.dampening) != 0.0)) {
    refuse("Nesterov momentum requires a momentum and zero dampening (momentum is " + text(given(options.momentum)) +
           ", dampening is " + text(given(options.dampening)) + ")");
  }
}

}  // namespace

std::vector<OptionInfo> option_infos(const Options& defaults) {
  std::vector<OptionInfo> options;
  for_each_option([&](std::string_view name, auto member) {
    const auto& value = defaults.*member;
    if (!value) return;
    constexpr bool kIsFlag = std::is_same_v<decltype(member), std::optional<bool> Options::*>;
    options.push_back({name, *value, kIsFlag ? kFlag : number_info(name).range});
  });
  return options;
}

Options merge(const Options& base, const Options& changes) {
  Options merged = base;
  for_each_option([&](std::string_view, auto member) {
    if (changes.*member) merged.*member = changes.*member;
  });
  return merged;
}

Options resolve(Rule rule, const Options& base, const Options& changes) {
  const Options known = defaults(rule);
  for_each_option([&](std::string_view name, auto member) {
    const auto& change = changes.*member;
    if (!change) return;
    if (!(known.*member)) {
      refuse(std::string(info(rule).title) + " has no option " + std::string(name) + " (" + to_text(*change) +
             " given); it has " + listed(info(rule).options, [](const OptionInfo& o) { return std::string(o.name); }));
    }
    check(name, *change);
  });
  const Options resolved = merge(base, changes);
  check_together(rule, resolved);
  return resolved;
}

}  // namespace adamant
