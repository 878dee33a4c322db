// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Values as they appear in messages.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace adamant {

/// The shortest decimal that reads back as the same number.
inline std::string text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return {buffer, end};
}

/// Not quoted(): std has one, which arguments of std would find.
inline std::string in_quotes(std::string_view value) { return "'" + std::string(value) + "'"; }

/// Text from outside, in quotes: what is not printable ASCII in hexadecimal, and no more than 64 bytes.
inline std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 64)) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr char kHex[] = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7F) {
      shown += c;
    } else {
      shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return "'" + shown + (text.size() > 64 ? "...'" : "'");
}

/// "a, b, c"
template <class Range, class Name>
std::string listed(const Range& range, Name name) {
  std::string list;
  for (const auto& item : range) {
    if (!list.empty()) list += ", ";
    list += name(item);
  }
  return list;
}

}  // namespace adamant
