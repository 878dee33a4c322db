// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace adamant::cli {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view rule) {
  throw UsageError(fmt::format("{}: '{}' {}", option, text, rule));
}

}  // namespace

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size(); begin += parts.back().size() + 1) {
    parts.push_back(text.substr(begin, std::min(text.find(',', begin), text.size()) - begin));
  }
  return parts;
}

double read_number(std::string_view option, std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    refuse(option, text, "is not a number (decimal, such as 0.1 or 1e-3)");
  }
  if (error == std::errc::result_out_of_range) refuse(option, text, "is outside the range of a 64-bit number");
  if (!std::isfinite(value)) refuse(option, text, "is not a finite number");
  if (value == 0.0 && std::signbit(value)) refuse(option, text, "is negative zero: must be 0 or another number");
  return value;
}

std::pair<double, double> read_pair(std::string_view option, std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) refuse(option, text, "is not two numbers separated by a comma");
  return {read_number(option, text.substr(0, comma)), read_number(option, text.substr(comma + 1))};
}

std::int64_t read_integer(std::string_view option, std::string_view text, std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    refuse(option, text, "is not a whole number");
  }
  if (error == std::errc::result_out_of_range || value < low || value > high) {
    refuse(option, text, fmt::format("must be from {} to {}", low, high));
  }
  return value;
}

std::vector<std::string> read_names(std::string_view option, std::string_view text,
                                    const std::vector<std::string>& known) {
  std::vector<std::string> names;
  for (const std::string_view part : split(text)) {
    const std::string name(part);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      refuse(option, name, fmt::format("is not known: must be one of {}", fmt::join(known, ", ")));
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) refuse(option, name, "is given twice");
    names.push_back(name);
  }
  return names;
}

}  // namespace adamant::cli
