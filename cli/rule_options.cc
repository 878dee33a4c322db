// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/rule_options.h"

#include <fmt/format.h>

#include <adamant/error.hpp>
#include <variant>

#include "cli/values.h"

namespace adamant::cli {

RuleOption read_rule_option(std::string_view flag, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw UsageError(fmt::format("{}: '{}' is not name=value, such as momentum=0.9", flag, text));
  }
  const std::string name(text.substr(0, equals));
  try {
    Options one;
    set_option(one, name, text.substr(equals + 1));
    return {name, *get_option(one, name)};
  } catch (const Error& error) {
    throw UsageError(fmt::format("{}: {}", flag, error.what()));
  }
}

void set_once(Options& options, std::string_view flag, const RuleOption& option) {
  if (get_option(options, option.name)) throw UsageError(fmt::format("{}: '{}' is given twice", flag, option.name));
  set_option(options, option.name, option.value);
}

Options known_to(Rule rule, const Options& options) {
  Options known;
  for (const OptionInfo& option : info(rule).options) {
    if (const auto value = get_option(options, option.name)) set_option(known, option.name, *value);
  }
  return known;
}

Json options_json(const Options& options) {
  Json json = Json::object();
  for_each_option([&](std::string_view name, auto) {
    const auto value = get_option(options, name);
    if (value) std::visit([&](const auto& v) { json[std::string(name)] = v; }, *value);
  });
  return json;
}

}  // namespace adamant::cli
