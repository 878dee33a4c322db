// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the library knows, by index. The texts of its lists are literals, which end with a zero byte.
#include <algorithm>
#include <memory>

#include "c/calls.h"

namespace adamant::c {
namespace {

// Texts of lists stay for ever, also where a program reads them while it ends: what holds them is never destroyed.
const std::vector<std::string>& known_targets() {
  static const auto& kTargets = *new std::vector<std::string>(targets());
  return kTargets;
}

const char* name_in(std::string_view name) { return name.data(); }
const char* name_in(const auto& entry) { return entry.name.data(); }

struct List {
  const char* entry;  // what an entry is called
  std::size_t (*count)();
  const char* (*name)(std::size_t);
};
template <auto kEntries>
constexpr List list_of(const char* entry) {
  return {entry, [] { return kEntries().size(); }, [](std::size_t i) { return name_in(kEntries()[i]); }};
}

// In the order of their numbers in adamant.h.
constexpr List kLists[] = {
    list_of<[] { return rules(); }>("rule"),
    list_of<[] { return setting_list(); }>("setting"),
    list_of<[] { return formats(); }>("format"),
    list_of<[] { return state_formats(); }>("state format"),
    list_of<[] { return weight_formats(); }>("weight format"),
    list_of<[] { return presets(); }>("preset"),
    {"instruction set", [] { return known_targets().size(); },
     [](std::size_t i) { return known_targets()[i].c_str(); }},
    list_of<[] { return moment_list(); }>("statistic"),
    list_of<[] { return std::span(kMomentSums); }>("sum"),
    list_of<[] { return lights(); }>("light"),
};
static_assert(ADAMANT_RULES == 0 && ADAMANT_LIGHTS == 9 && std::size(kLists) == 10);

const List& list(std::int32_t number) { return kLists[enumerator<std::size_t>(number, std::size(kLists), "list")]; }

void check_index(std::int32_t number, std::size_t index) {
  c::check_index(list(number).entry, index, list(number).count());
}

/// The defaults of all options of a rule, as text.
std::vector<std::string> default_texts(const RuleInfo& rule) {
  std::vector<std::string> texts;
  for (const OptionInfo& option : rule.options) texts.push_back(to_text(option.default_value));
  return texts;
}

/// What f(entry) gives for each entry of a list, made once and never destroyed.
template <class Entries, class Make>
const auto& made_once(const Entries& entries, Make&& make) {
  auto all = std::make_unique<std::vector<decltype(make(entries.front()))>>();
  for (const auto& entry : entries) all->push_back(make(entry));
  return *all.release();
}

std::int32_t kind_of(SettingKind kind) {
  switch (kind) {
    case SettingKind::word:
      return ADAMANT_WORD;
    case SettingKind::number:
      return ADAMANT_NUMBER;
    case SettingKind::count:
      return ADAMANT_COUNT;
    case SettingKind::flag:
      return ADAMANT_FLAG;
  }
  return -1;
}

void fill_element(adamant_format_info& info, std::optional<Format> element) {
  info.element = element ? static_cast<std::int32_t>(*element) : -1;
  if (!element) return;
  info.max_finite = adamant::info(*element).max_finite;
  info.smallest_normal = adamant::info(*element).smallest_normal;
}

template <class F>
void fill_compact(adamant_format_info& info, const CompactInfo<F>& format) {
  info.name = format.name.data();
  info.bytes = format.bytes;
  info.group = format.group;
  info.group_bytes = format.group_bytes;
  info.compact = format.compact ? 1 : 0;
  fill_element(info, format.element);
}

}  // namespace
}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

adamant_status adamant_count(int32_t number, size_t* count) {
  return guarded([&] { given(count, "count") = list(number).count(); });
}

adamant_status adamant_get_name(int32_t number, size_t index, const char** name) {
  return guarded([&] {
    given(name, "name");
    check_index(number, index);
    *name = list(number).name(index);
  });
}

adamant_status adamant_get_rule(size_t index, adamant_rule_info* info) {
  return guarded([&] {
    check_index(ADAMANT_RULES, index);
    const RuleInfo& rule = rules()[index];
    adamant_rule_info filled{};
    filled.name = rule.name.data();
    filled.title = rule.title.data();
    filled.option_count = rule.options.size();
    write(info, filled, "info (adamant_rule_info)");
  });
}

adamant_status adamant_get_option_info(const char* name, size_t index, adamant_option_info* info) {
  return guarded([&] {
    const RuleInfo& rule = adamant::info(rule_from_name(given_text(name, "rule")));
    c::check_index(("option of rule '" + std::string(rule.name) + "'").c_str(), index, rule.options.size());
    static const auto& kDefaults = made_once(rules(), default_texts);
    const OptionInfo& option = rule.options[index];
    const adamant_value value =
        value_of(option.name, option.default_value, kDefaults[static_cast<std::size_t>(rule.rule)][index]);
    adamant_option_info filled{};
    filled.name = value.name;
    filled.default_text = value.text;
    filled.range = option.range.text.data();
    filled.kind = value.kind;
    filled.default_flag = value.flag;
    std::ranges::copy(value.number, filled.default_number);
    filled.least = option.range.least;
    filled.most = option.range.most;
    filled.or_zero = option.range.or_zero ? 1 : 0;
    write(info, filled, "info (adamant_option_info)");
  });
}

adamant_status adamant_get_setting_info(size_t index, adamant_setting_info* info) {
  return guarded([&] {
    check_index(ADAMANT_SETTINGS, index);
    static const auto& kDefaults =
        made_once(setting_list(), [](const SettingInfo& setting) { return get_setting(Settings{}, setting.name); });
    const SettingInfo& setting = setting_list()[index];
    adamant_setting_info filled{};
    filled.name = setting.name.data();
    filled.default_text = kDefaults[index].c_str();
    filled.range = setting.range.data();
    filled.kind = kind_of(setting.kind);
    write(info, filled, "info (adamant_setting_info)");
  });
}

adamant_status adamant_get_format(int32_t number, size_t index, adamant_format_info* info) {
  return guarded([&] {
    check_index(number, index);
    adamant_format_info filled{};
    if (number == ADAMANT_FORMATS) {
      const FormatInfo& format = formats()[index];
      filled.name = format.name.data();
      filled.bytes = format.bytes;
      filled.group = 1;
      fill_element(filled, format.format);
    } else if (number == ADAMANT_STATE_FORMATS) {
      fill_compact(filled, state_formats()[index]);
    } else if (number == ADAMANT_WEIGHT_FORMATS) {
      fill_compact(filled, weight_formats()[index]);
    } else {
      refuse(ErrorCode::invalid_argument, "list is number " + std::to_string(number) + ", which is not one of formats");
    }
    write(info, filled, "info (adamant_format_info)");
  });
}

adamant_status adamant_get_moment_info(size_t index, adamant_moment_info* info) {
  return guarded([&] {
    check_index(ADAMANT_MOMENTS, index);
    const MomentInfo& moment = moment_list()[index];
    adamant_moment_info filled{};
    filled.name = moment.name.data();
    filled.title = moment.title.data();
    filled.unit = moment.unit.data();
    filled.question = moment.question.data();
    filled.formula = moment.formula.data();
    filled.reading = moment.reading.data();
    write(info, filled, "info (adamant_moment_info)");
  });
}

adamant_status adamant_current_target(const char** name) {
  return guarded([&] {
    given(name, "name");
    const auto& all = known_targets();
    const auto found = std::ranges::find(all, current_target());
    if (found == all.end()) refuse(ErrorCode::not_found, "the instruction set in use is not in the list");
    *name = found->c_str();
  });
}

adamant_status adamant_use_target(const char* name) {
  return guarded([&] { use_target(name == nullptr ? "" : name); });
}
