// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Names and values of options and settings, from anywhere: an optimizer that steps, or an Error.
#include <adamant/adamant.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "fuzz/input.h"

namespace {

using namespace adamant;

std::string name_of_option(fuzz::Input& in) {
  const auto options = info(in.one_of(rules()).rule).options;
  return in.flag() ? in.text() : std::string(in.one_of(options).name);
}

Options some_options(fuzz::Input& in) {
  Options options;
  for (std::size_t left = in.choice(6); left > 0; --left) {
    const std::string name = name_of_option(in);
    fuzz::accepted([&] {
      switch (in.choice(4)) {
        case 0:
          return set_option(options, name, OptionValue(in.number()));
        case 1:
          return set_option(options, name, OptionValue(std::array{in.number(), in.number()}));
        case 2:
          return set_option(options, name, OptionValue(in.flag()));
        default:
          return set_option(options, name, in.text());
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
  fuzz::accepted([&] { settings = preset(in.flag() ? in.text() : std::string(in.one_of(presets()))); });
  for (std::size_t left = in.choice(4); left > 0; --left) {
    const auto& setting = in.one_of(setting_list());
    fuzz::accepted([&] { set_setting(settings, in.flag() ? in.text() : std::string(setting.name), in.text()); });
  }
  // Not the subject here, and slow.
  settings.threads = 1;
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  Rule rule = in.one_of(rules()).rule;
  if (in.flag()) fuzz::accepted([&] { rule = rule_from_name(in.text()); });
  std::vector<float> w(8, 0.5f), g(8, 0.25f);
  const std::string name = in.text();
  fuzz::accepted([&] {
    Optimizer optimizer(rule, std::vector<ParamGroup>{{{{name, w, g}}, some_options(in)}}, some_options(in),
                        some_settings(in));
    while (!in.empty()) {
      fuzz::accepted([&] {
        switch (in.choice(4)) {
          case 0:
            return optimizer.set_lr(in.number());
          case 1:
            return optimizer.set_options(in.choice(2), some_options(in));
          case 2:
            return optimizer.set_settings(some_settings(in));
          default:
            g[in.choice(8)] = static_cast<float>(in.flag() ? 1e-22 : 2.0);
            optimizer.step({.grad_scale = in.number()});
        }
      });
      // Whatever was refused, these stay what the optimizer itself takes.
      const StateDict dict = optimizer.state_dict();
      fuzz::require(fuzz::accepted([&] { optimizer.load_state_dict(dict); }));
    }
  });
  return 0;
}
