// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options, settings and notes by name.
#include "c/calls.h"

namespace adamant::c {
namespace {

constexpr const char* kValue = "value (adamant_value)";

OptionValue typed(const adamant_value& value) {
  switch (value.kind) {
    case ADAMANT_NUMBER:
      return value.number[0];
    case ADAMANT_PAIR:
      return std::array{value.number[0], value.number[1]};
    case ADAMANT_FLAG:
      if (value.flag == 0 || value.flag == 1) return value.flag == 1;
      refuse(ErrorCode::invalid_argument,
             "value of '" + std::string(value.name) + "' is flag " + std::to_string(value.flag) + ", must be 0 or 1");
    default:
      refuse(ErrorCode::invalid_argument, "value of '" + std::string(value.name) + "' is of kind " +
                                              std::to_string(value.kind) +
                                              ": must be a text, or of kind number, pair or flag");
  }
}

/// Calls visit(value) for each, which has a name.
template <class Visit>
void for_each_value(const adamant_value* values, std::size_t count, Visit&& visit) {
  for (const adamant_value& value : read_all(values, count, kValue)) {
    given(value.name, "name of a value");
    visit(value);
  }
}

}  // namespace

Options read_options(const adamant_value* values, std::size_t count) {
  Options options;
  for_each_value(values, count, [&](const adamant_value& value) {
    if (value.text != nullptr) {
      set_option(options, value.name, std::string_view(value.text));
    } else {
      set_option(options, value.name, typed(value));
    }
  });
  return options;
}

void read_settings(Settings& settings, const adamant_value* values, std::size_t count) {
  for_each_value(values, count, [&](const adamant_value& value) {
    set_setting(settings, value.name, value.text != nullptr ? std::string(value.text) : to_text(typed(value)));
  });
}

Notes read_notes(const adamant_value* values, std::size_t count) {
  Notes notes;
  for_each_value(values, count, [&](const adamant_value& value) {
    if (value.text != nullptr) {
      notes.emplace_back(value.name, value.text);
    } else if (value.kind == ADAMANT_NUMBER) {
      notes.emplace_back(value.name, value.number[0]);
    } else {
      refuse(ErrorCode::invalid_argument, "note '" + std::string(value.name) +
                                              "' must be a text or of kind number, is of kind " +
                                              std::to_string(value.kind));
    }
  });
  return notes;
}

std::int32_t kind_of(const OptionValue& value) {
  static_assert(std::is_same_v<OptionValue, std::variant<double, std::array<double, 2>, bool>>);
  static_assert(ADAMANT_NUMBER == 0 && ADAMANT_PAIR == 1 && ADAMANT_FLAG == 2);
  return static_cast<std::int32_t>(value.index());
}

OptionList::OptionList(const Options& options) {
  for_each_option([&](const char*, auto) { texts_.emplace_back(); });
  std::size_t index = 0;
  for_each_option([&](const char* name, auto) {
    std::string& text = texts_[index++];
    const std::optional<OptionValue> value = get_option(options, name);
    if (!value) return;
    text = to_text(*value);
    values_.push_back(value_of(name, *value, text));
  });
}

adamant_value value_of(std::string_view name, const OptionValue& value, const std::string& text) {
  adamant_value filled{};
  filled.struct_size = sizeof(filled);
  filled.name = name.data();
  filled.text = text.c_str();
  filled.kind = kind_of(value);
  if (const auto* number = std::get_if<double>(&value)) filled.number[0] = *number;
  if (const auto* pair = std::get_if<std::array<double, 2>>(&value)) std::ranges::copy(*pair, filled.number);
  if (const auto* flag = std::get_if<bool>(&value)) filled.flag = *flag ? 1 : 0;
  return filled;
}

}  // namespace adamant::c
