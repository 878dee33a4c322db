// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>

#include "report/words.h"

namespace adamant::report {
namespace {

std::string text_of(const Note& note) {
  if (const auto* text = std::get_if<std::string>(&note)) return *text;
  return fmt::format("{:.6g}", std::get<double>(note));
}

std::string text_of(const Options& options) {
  std::string text;
  for_each_option([&](std::string_view name, auto member) {
    const auto& value = options.*member;
    if (!value) return;
    using T = std::decay_t<decltype(*value)>;
    text += fmt::format("{}{} ", text.empty() ? "" : ", ", name);
    if constexpr (std::is_same_v<T, bool>) {
      text += *value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, double>) {
      text += fmt::format("{:.6g}", *value);
    } else {
      text += fmt::format("({:.6g}, {:.6g})", (*value)[0], (*value)[1]);
    }
  });
  return text;
}

}  // namespace

std::string note_named(const Notes& notes, std::string_view name) {
  const auto found = std::ranges::find(notes, name, [](const auto& note) { return std::string_view(note.first); });
  return found == notes.end() ? "" : text_of(found->second);
}

Json settings_of(const Run& run) {
  Json rows = Json::array();
  const auto add = [&](std::string_view name, const Json& value) { rows.push(Json::array({name, value})); };
  add("update rule", run.rule_titles());
  const auto& groups = run.info.groups;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    add(groups.size() == 1 ? "options at the end"
                           : fmt::format("group {} at the end: {}", g, info(groups[g].rule).title),
        text_of(groups[g].options));
  }
  if (run.logged > 0) add("highest lr", fmt::format("{:.6g}", run.highest_rate()));
  add("logged", fmt::format("{}, {} to {}, in {} s", count(run.logged, "step"), run.first_step, run.last_step,
                            number(run.seconds)));
  add("engine", fmt::format("adamant {}, {}", run.info.version, run.info.target));
  if (run.bytes > 0) {
    add("cost of the log",
        fmt::format("{:.0f} bytes a step, {} in all",
                    static_cast<double>(run.bytes) / static_cast<double>(std::max<std::uint64_t>(1, run.logged)),
                    run.bytes));
  }
  for (const auto& [name, value] : run.info.notes) add(name, text_of(value));
  if (run.end) {
    for (const auto& [name, value] : *run.end) add("end: " + name, text_of(value));
  }
  return rows;
}

}  // namespace adamant::report
