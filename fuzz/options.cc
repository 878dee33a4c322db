// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Names and values of options and settings, from anywhere: an optimizer that steps, or an Error.
#include <adamant/adamant.hpp>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fuzz/input.h"
#include "fuzz/ranges.h"

namespace {

using namespace adamant;

std::string text_of_value(fuzz::Input& in) {
  switch (in.choice(5)) {
    case 0:
      return in.text();
    case 4:
      return std::to_string(in.word() >> in.choice(64));
    case 1:
      return to_text(OptionValue(in.number()));
    case 2:
      return to_text(OptionValue(std::array{in.number(), in.number()}));
    default:
      return to_text(OptionValue(in.flag()));
  }
}

OptionValue value_like(fuzz::Input& in, const OptionValue& value) {
  if (std::holds_alternative<double>(value)) return in.number();
  if (std::holds_alternative<bool>(value)) return in.flag();
  return std::array{in.number(), in.number()};
}

// Mostly options of this rule, of the kind they are, a few of them: each that is refused hides the others.
Options some_options(fuzz::Input& in, Rule rule) {
  Options options;
  for (std::size_t left = in.choice(4); left > 0; --left) {
    const OptionInfo& option = in.one_of(info(in.choice(8) == 0 ? in.one_of(rules()).rule : rule).options);
    const std::string name = in.choice(16) == 0 ? in.text() : std::string(option.name);
    fuzz::accepted([&] {
      switch (in.choice(8)) {
        case 0:
          return set_option(options, name, value_like(in, in.one_of(info(rule).options).default_value));
        case 1:
        case 2:
          return set_option(options, name, text_of_value(in));
        default:
          return set_option(options, name, value_like(in, option.default_value));
      }
    });
    fuzz::accepted([&] {
      // The text of a value is read back as the same value; a NaN is not the same as itself.
      const std::optional<OptionValue> value = get_option(options, name);
      if (!value) return;
      Options again;
      set_option(again, name, to_text(*value));
      fuzz::require(to_text(*get_option(again, name)) == to_text(*value));
    });
  }
  return options;
}

Settings some_settings(fuzz::Input& in) {
  Settings settings;
  fuzz::accepted([&] { settings = preset(in.choice(8) == 0 ? in.text() : std::string(in.one_of(presets()))); });
  for (std::size_t left = in.choice(3); left > 0; --left) {
    const auto& setting = in.one_of(setting_list());
    const std::string name = in.choice(16) == 0 ? in.text() : std::string(setting.name);
    fuzz::accepted([&] { set_setting(settings, name, text_of_value(in)); });
    // The text of a setting is read back as the same setting.
    fuzz::accepted([&] {
      const std::string text = get_setting(settings, name);
      Settings again;
      set_setting(again, name, text);
      fuzz::require(get_setting(again, name) == text);
    });
  }
  if (in.flag()) settings.max_norm = in.number();
  if (in.flag()) settings.clip_value = in.number();
  // Threads are not the subject here, and slow.
  if (settings.threads >= 0 && settings.threads <= 1024) settings.threads = 1;
  return settings;
}

void check(const Optimizer& optimizer) {
  const Options& options = optimizer.options();
  fuzz::check_options(optimizer.rule(), options);
  if (optimizer.rule() == Rule::adamw) fuzz::require(*options.lr * *options.weight_decay < 1.0);
  const Settings& settings = optimizer.settings();
  const auto above_zero = [](double limit) { return limit > 0.0 && std::isfinite(static_cast<float>(limit)); };
  if (settings.max_norm) fuzz::require(above_zero(*settings.max_norm));
  if (settings.clip_value) fuzz::require(above_zero(static_cast<double>(static_cast<float>(*settings.clip_value))));
  fuzz::require(settings.threads == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  Rule rule = in.one_of(rules()).rule;
  if (in.choice(8) == 0) fuzz::accepted([&] { rule = rule_from_name(in.text()); });
  std::vector<float> w(8, 0.5f), g(8, 0.25f);
  const std::string name = in.choice(8) == 0 ? in.text() : "w";
  Options of_group = some_options(in, rule);
  const Options of_all = some_options(in, rule);
  // Later it cannot be turned on, and Nesterov momentum needs it.
  if (rule == Rule::sgd && in.flag()) of_group.momentum = 0.9;
  const Settings plain{.threads = 1}, settings = some_settings(in);
  std::optional<Optimizer> made;
  const auto make = [&](const std::string& of, const Settings& with, const Options& own, const Options& all) {
    return fuzz::accepted([&] { made.emplace(rule, std::vector<ParamGroup>{{{{of, w, g}}, own}}, all, with); });
  };
  // Where the name or the settings are refused, the options still get their turn.
  if (!make(name, settings, of_group, of_all) && !make("w", plain, of_group, of_all)) {
    fuzz::require(make("w", plain, {}, {}));
  }
  Optimizer& optimizer = *made;
  check(optimizer);
  while (!in.empty()) {
    fuzz::accepted([&] {
      switch (in.choice(4)) {
        case 0:
          return optimizer.set_lr(in.number());
        case 1:
          return optimizer.set_options(in.choice(8) == 0 ? in.choice(256) : 0, some_options(in, rule));
        case 2:
          return optimizer.set_settings(some_settings(in));
        default:
          g[in.choice(8)] = static_cast<float>(in.flag() ? 1e-22 : 2.0);
          const double scale = in.number();
          optimizer.step({.grad_scale = scale});
          fuzz::require(scale >= 0x1p-126 && scale <= 0x1p126);
      }
    });
    check(optimizer);
    // Whatever was refused, these stay what the optimizer itself takes.
    const StateDict dict = optimizer.state_dict();
    fuzz::require(fuzz::accepted([&] { optimizer.load_state_dict(dict); }));
  }
  return 0;
}
