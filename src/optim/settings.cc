// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Settings by name, as text.
#include <adamant/error.hpp>
#include <adamant/options.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "optim/checks.h"

namespace adamant {
namespace {

constexpr std::string_view kPolicies[] = {"skip", "error", "propagate"};
constexpr std::string_view kNone = "none";

std::string text_of(StateFormat format) { return std::string(info(format).name); }
std::string text_of(WeightFormat format) { return std::string(info(format).name); }
std::string text_of(NonFinite policy) { return std::string(name_of(policy)); }
std::string text_of(std::uint64_t count) { return std::to_string(count); }
std::string text_of(int count) { return std::to_string(count); }
std::string text_of(bool flag) { return flag ? "true" : "false"; }
std::string text_of(const std::optional<double>& number) { return number ? text(*number) : std::string(kNone); }

void read(const SettingInfo&, std::string_view text, StateFormat& to) { to = state_format_from_name(text); }
void read(const SettingInfo&, std::string_view text, WeightFormat& to) { to = weight_format_from_name(text); }
void read(const SettingInfo&, std::string_view text, NonFinite& to) { to = nonfinite_from_name(text); }

template <class Number>
void read_number(const SettingInfo& setting, std::string_view text, Number& to) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    to = number;
    return;
  }
  refuse(ErrorCode::invalid_argument, "setting " + std::string(setting.name) + " must be " +
                                          std::string(setting.range) + ", not " + printable(text));
}
void read(const SettingInfo& setting, std::string_view text, std::uint64_t& to) { read_number(setting, text, to); }
void read(const SettingInfo& setting, std::string_view text, int& to) { read_number(setting, text, to); }
void read(const SettingInfo& setting, std::string_view text, std::optional<double>& to) {
  if (text == kNone) return to.reset();
  double number = 0.0;
  read_number(setting, text, number);
  to = number;
}
void read(const SettingInfo& setting, std::string_view text, bool& to) {
  if (text != "true" && text != "false") {
    refuse(ErrorCode::invalid_argument, "setting " + std::string(setting.name) + " must be " +
                                            std::string(setting.range) + ", not " + printable(text));
  }
  to = text == "true";
}

// In the order of struct Settings.
constexpr SettingInfo kSettings[] = {
    {"state", SettingKind::word, "f32, f64, bf16, f16, b16 or q8"},
    {"weights", SettingKind::word, "plain, split16, split8 or dithered"},
    {"seed", SettingKind::count, "a whole number below 2^64"},
    {"nonfinite", SettingKind::word, "skip, error or propagate"},
    {"max_norm", SettingKind::number, "none or a finite f32 number > 0"},
    {"clip_value", SettingKind::number, "none or a finite f32 number > 0, also after rounding to f32"},
    {"report_norm", SettingKind::flag, "true or false"},
    {"threads", SettingKind::count, "0, for all processors, to 1024"},
};

// Calls visit(info, field) for the setting of that name.
template <class Some, class Visit>
void with_setting(Some& settings, std::string_view name, Visit&& visit) {
  std::size_t place = 0;
  bool found = false;
  const auto field = [&](auto& value) {
    const SettingInfo& setting = kSettings[place++];
    if (setting.name != name) return;
    found = true;
    visit(setting, value);
  };
  field(settings.state);
  field(settings.weights);
  field(settings.seed);
  field(settings.nonfinite);
  field(settings.max_norm);
  field(settings.clip_value);
  field(settings.report_norm);
  field(settings.threads);
  if (found) return;
  refuse(ErrorCode::not_found, "unknown setting " + printable(name) + ": must be one of " +
                                   listed(kSettings, [](const SettingInfo& s) { return std::string(s.name); }));
}

}  // namespace

std::string_view name_of(NonFinite policy) noexcept { return kPolicies[static_cast<std::size_t>(policy)]; }

NonFinite nonfinite_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kPolicies); ++i) {
    if (kPolicies[i] == name) return static_cast<NonFinite>(i);
  }
  refuse(ErrorCode::not_found, "unknown nonfinite policy " + printable(name) + ": must be one of " +
                                   listed(kPolicies, [](std::string_view known) { return std::string(known); }));
}

std::span<const SettingInfo> setting_list() noexcept { return kSettings; }

std::string get_setting(const Settings& settings, std::string_view name) {
  std::string found;
  with_setting(settings, name, [&](const SettingInfo&, const auto& value) { found = text_of(value); });
  return found;
}

void set_setting(Settings& settings, std::string_view name, std::string_view text) {
  with_setting(settings, name, [&](const SettingInfo& setting, auto& value) { read(setting, text, value); });
}

}  // namespace adamant
