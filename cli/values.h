// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Option values: read strictly, refused with the option's name, the value and the rule it broke. Subcommands take
// options as text and read them with these, so that all refusals are worded alike.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adamant::cli {

/// Wrong usage: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The parts between commas; an empty text is one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text);

/// Of the entries of a list.
template <class List>
[[nodiscard]] std::vector<std::string> names_of(List&& list) {
  std::vector<std::string> names;
  for (const auto& entry : list) names.emplace_back(entry.name);
  return names;
}

/// A finite decimal number such as 0.1 or 1e-3, whatever the locale; nothing may follow it.
[[nodiscard]] double read_number(std::string_view option, std::string_view text);
/// Two of them, separated by a comma.
[[nodiscard]] std::pair<double, double> read_pair(std::string_view option, std::string_view text);
/// A whole decimal number in [low, high].
[[nodiscard]] std::int64_t read_integer(std::string_view option, std::string_view text, std::int64_t low,
                                        std::int64_t high);
/// Names separated by commas, each one of `known` and given once, in the order given.
[[nodiscard]] std::vector<std::string> read_names(std::string_view option, std::string_view text,
                                                  const std::vector<std::string>& known);

}  // namespace adamant::cli
