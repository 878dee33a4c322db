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

std::string text_of(const Options& o) {
  std::string text;
  const auto add = [&](const char* name, const auto& value) {
    if (!value) return;
    text += fmt::format("{}{} ", text.empty() ? "" : ", ", name);
    if constexpr (std::is_same_v<std::decay_t<decltype(*value)>, bool>) {
      text += *value ? "true" : "false";
    } else {
      text += fmt::format("{:.6g}", *value);
    }
  };
  add("lr", o.lr);
  if (o.betas) text += fmt::format(", betas ({:.6g}, {:.6g})", (*o.betas)[0], (*o.betas)[1]);
  add("alpha", o.alpha);
  add("momentum", o.momentum);
  add("dampening", o.dampening);
  add("eps", o.eps);
  add("weight_decay", o.weight_decay);
  add("lr_decay", o.lr_decay);
  add("initial_accumulator_value", o.initial_accumulator_value);
  add("nesterov", o.nesterov);
  add("amsgrad", o.amsgrad);
  add("centered", o.centered);
  add("maximize", o.maximize);
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
  add("update rule", run.rule_title());
  const auto& groups = run.info.groups;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    add(groups.size() == 1 ? "options at the end" : fmt::format("group {} at the end", g), text_of(groups[g]));
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
