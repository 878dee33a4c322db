// The list of rules with their defaults, and the refusal of options outside their ranges.
#include "rule/options.h"

#include <adamant/error.hpp>
#include <adamant/model.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "base/text.h"

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

enum class Range { not_negative, fraction, epsilon, any };

struct RangeInfo {
  std::string_view words;
  bool (*holds)(double);
};

bool fits_f32(double value) { return std::abs(value) <= std::numeric_limits<float>::max(); }

// In the order of Range.
constexpr RangeInfo kRanges[] = {
    {"a finite f32 number >= 0", [](double x) { return x >= 0.0 && fits_f32(x); }},
    {"in [0, 1), also after rounding to f32", [](double x) { return x >= 0.0 && static_cast<float>(x) < 1.0f; }},
    {"0 or at least 2^-126, the smallest normal f32",
     [](double x) { return x == 0.0 || (x >= std::numeric_limits<float>::min() && fits_f32(x)); }},
    {"a finite f32 number", [](double x) { return fits_f32(x); }},
};

struct NumberInfo {
  std::string_view name;
  std::string_view torch_name;  // as torch's messages call it
  Range range;
};

constexpr NumberInfo kNumbers[] = {
    {"lr", "learning rate", Range::not_negative},
    {"betas", "beta parameter", Range::fraction},
    {"alpha", "alpha value", Range::fraction},
    {"momentum", "momentum value", Range::not_negative},
    {"dampening", "dampening value", Range::any},
    {"eps", "epsilon value", Range::epsilon},
    {"weight_decay", "weight_decay value", Range::not_negative},
    {"lr_decay", "lr_decay value", Range::not_negative},
    {"initial_accumulator_value", "initial_accumulator_value value", Range::not_negative},
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
  const RangeInfo& range = kRanges[static_cast<std::size_t>(number.range)];
  if (range.holds(value)) return;
  refuse("Invalid " + std::string(number.torch_name) + at + ": " + text(value) + " (" + std::string(name) +
         " must be " + std::string(range.words) + ")");
}

void check(std::string_view name, const std::optional<double>& value) { check_number(name, *value); }
void check(std::string_view name, const Betas& betas) {
  for (std::size_t i = 0; i < 2; ++i) check_number(name, (*betas)[i], " at index " + std::to_string(i));
}
void check(std::string_view, const std::optional<bool>&) {}

std::string value_text(const std::optional<double>& value) { return text(*value); }
std::string value_text(const Betas& betas) { return "(" + text((*betas)[0]) + ", " + text((*betas)[1]) + ")"; }
std::string value_text(const std::optional<bool>& value) { return *value ? "true" : "false"; }

// Text that lives as long as the program, for the string_views of RuleInfo.
struct RuleTexts {
  std::vector<std::string> defaults;
  std::vector<OptionInfo> options;
};

template <class Member>
std::string_view range_words(std::string_view name, Member) {
  return kRanges[static_cast<std::size_t>(number_info(name).range)].words;
}
std::string_view range_words(std::string_view, std::optional<bool> Options::*) { return "true or false"; }

RuleTexts describe(const RuleDefaults& rule) {
  RuleTexts texts;
  for_each_option([&](std::string_view, auto member) {
    if (rule.options.*member) texts.defaults.push_back(value_text(rule.options.*member));
  });
  for_each_option([&](std::string_view name, auto member) {
    if (rule.options.*member) {
      texts.options.push_back({name, texts.defaults[texts.options.size()], range_words(name, member)});
    }
  });
  return texts;
}

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

std::span<const RuleInfo> rules() {
  static const std::vector<RuleTexts> texts = [] {
    std::vector<RuleTexts> all;
    for (const RuleDefaults& rule : kRules) all.push_back(describe(rule));
    return all;
  }();
  static const std::vector<RuleInfo> infos = [] {
    std::vector<RuleInfo> all;
    for (const RuleDefaults& rule : kRules) {
      all.push_back({rule.rule, rule.name, rule.title, texts[all.size()].options});
    }
    return all;
  }();
  return infos;
}

const RuleInfo& info(Rule rule) { return rules()[static_cast<std::size_t>(rule)]; }

Rule rule_from_name(std::string_view name) {
  for (const RuleDefaults& known : kRules) {
    if (known.name == name) return known.rule;
  }
  throw Error(ErrorCode::not_found, "unknown rule " + in_quotes(name) + ": must be one of " +
                                        listed(kRules, [](const RuleDefaults& r) { return std::string(r.name); }));
}

Options defaults(Rule rule) { return rule_defaults(rule).options; }

Options merge(const Options& base, const Options& changes) {
  Options merged = base;
  for_each_option([&](std::string_view, auto member) {
    if (changes.*member) merged.*member = changes.*member;
  });
  return merged;
}

Options resolve(Rule rule, const Options& base, const Options& changes) {
  const RuleDefaults& known = rule_defaults(rule);
  for_each_option([&](std::string_view name, auto member) {
    if (!(changes.*member)) return;
    if (!(known.options.*member)) {
      refuse(std::string(known.title) + " has no option " + std::string(name) + " (" + value_text(changes.*member) +
             " given); it has " + listed(info(rule).options, [](const OptionInfo& o) { return std::string(o.name); }));
    }
    check(name, changes.*member);
  });
  const Options resolved = merge(base, changes);
  check_together(rule, resolved);
  return resolved;
}

}  // namespace adamant
