// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Values as they appear in messages.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
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

/// Bytes of the UTF-8 character that a text, which is not empty, begins with; 0 where it begins with none.
inline std::size_t utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xE ? 3 : lead >> 3 == 0x1E ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  std::uint32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  // The least code point that needs so many bytes.
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < kLeast[size] || point > 0x10FFFF || surrogate ? 0 : size;
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_character(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

/// "1 tensor", "2 tensors"
inline std::string counted(std::uint64_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

/// "a, b, c"
template <class Range, class Name>
std::string listed(const Range& range, Name name, std::string_view between = ", ") {
  std::string list;
  for (const auto& item : range) {
    if (!list.empty()) list += between;
    list += name(item);
  }
  return list;
}

}  // namespace adamant
