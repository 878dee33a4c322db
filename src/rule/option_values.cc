// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options by name, as values and as text.
#include <adamant/error.hpp>
#include <adamant/options.hpp>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/text.h"

namespace adamant {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::optional<double> read(std::string_view text, double) {
  text = trimmed(text);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::array<double, 2>> read(std::string_view text, std::array<double, 2>) {
  text = trimmed(text);
  if (text.starts_with('(') && text.ends_with(')')) text = text.substr(1, text.size() - 2);
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto first = read(text.substr(0, comma), double()), second = read(text.substr(comma + 1), double());
  if (!first || !second) return std::nullopt;
  return std::array{*first, *second};
}

std::optional<bool> read(std::string_view text, bool) {
  text = trimmed(text);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

template <class T>
constexpr std::string_view kKind = "a number";
template <>
constexpr std::string_view kKind<std::array<double, 2>> = "a pair of numbers";
template <>
constexpr std::string_view kKind<bool> = "true or false";

template <class Member>
struct Holds;
template <class Field>
struct Holds<Field Options::*> {
  using Type = typename Field::value_type;
};

// Calls visit(pointer to the field) for the option of that name.
template <class Visit>
void with_option(std::string_view name, Visit&& visit) {
  bool found = false;
  for_each_option([&](std::string_view known, auto member) {
    if (known != name) return;
    found = true;
    visit(member);
  });
  if (found) return;
  std::string all;
  for_each_option([&](std::string_view known, auto) { all += (all.empty() ? "" : ", ") + std::string(known); });
  throw Error(ErrorCode::not_found, "unknown option " + printable(name) + ": must be one of " + all);
}

[[noreturn]] void refuse_kind(std::string_view name, std::string_view wanted, const std::string& given) {
  throw Error(ErrorCode::invalid_argument,
              "option " + std::string(name) + " must be " + std::string(wanted) + ", not " + given);
}

}  // namespace

std::string to_text(const OptionValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return text(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto& pair = std::get<std::array<double, 2>>(value);
  return "(" + text(pair[0]) + ", " + text(pair[1]) + ")";
}

std::optional<OptionValue> get_option(const Options& options, std::string_view name) {
  std::optional<OptionValue> value;
  with_option(name, [&](auto member) {
    if (const auto& option = options.*member) value = *option;
  });
  return value;
}

void set_option(Options& options, std::string_view name, const OptionValue& value) {
  with_option(name, [&](auto member) {
    using T = typename Holds<decltype(member)>::Type;
    if (!std::holds_alternative<T>(value)) refuse_kind(name, kKind<T>, to_text(value));
    (options.*member).emplace(std::get<T>(value));
  });
}

void set_option(Options& options, std::string_view name, std::string_view text) {
  with_option(name, [&](auto member) {
    using T = typename Holds<decltype(member)>::Type;
    const std::optional<T> value = read(text, T());
    if (!value) refuse_kind(name, kKind<T>, printable(text));
    (options.*member).emplace(*value);
  });
}

}  // namespace adamant
