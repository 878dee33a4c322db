// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/encode.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace adamant::report {
namespace {

std::string base64(const std::vector<std::uint8_t>& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

// The lower `count` bytes of each.
template <class Bits>
std::string encode(std::span<const float> values, Bits bits, std::size_t count) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size() * count);
  for (const float value : values) {
    const std::uint32_t word = bits(value);
    for (std::size_t k = 0; k < count; ++k) bytes.push_back(static_cast<std::uint8_t>(word >> (8 * k)));
  }
  return base64(bytes);
}

}  // namespace

std::string encode_f32(std::span<const float> values) {
  return encode(values, [](float value) { return std::bit_cast<std::uint32_t>(value); }, 4);
}

std::string encode_bf16(std::span<const float> values) {
  return encode(
      values,
      [](float value) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        if (std::isnan(value)) return std::uint32_t{0x7FC0};
        return (word + 0x7FFFU + (word >> 16 & 1U)) >> 16;
      },
      2);
}

std::string json_for_html(std::string_view json) {
  std::string html;
  html.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      html += "\\u003c";
    } else {
      html += c;
    }
  }
  return html;
}

}  // namespace adamant::report
