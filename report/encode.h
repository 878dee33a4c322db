// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How numbers travel in the page: many in a string, in base64, little-endian.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::report {

/// f32: 16 characters for 3 numbers.
[[nodiscard]] std::string encode_f32(std::span<const float> values);
/// The upper half of f32, to nearest even: 8 characters for 3 numbers, three digits of each. For pictures.
[[nodiscard]] std::string encode_bf16(std::span<const float> values);

/// For pictures: f32 of each.
template <class Number>
[[nodiscard]] std::vector<float> floats(const std::vector<Number>& values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const Number value : values) result.push_back(static_cast<float>(value));
  return result;
}

/// JSON as it may stand in a <script>: without '<'. Only strings may hold one.
[[nodiscard]] std::string json_for_html(std::string_view json);

}  // namespace adamant::report
