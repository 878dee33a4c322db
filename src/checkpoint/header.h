// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The header of a safetensors file: JSON from and to text, strictly as the format has it.
#pragma once

#include <adamant/safetensors.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::checkpoint {

/// What is wrong with a header or a text in it; who knows the file makes an Error of it.
struct Wrong {
  std::string why;
};

/// Bytes before the header, which say how long it is.
inline constexpr std::size_t kLengthBytes = 8;
/// The longest header that readers take, in bytes.
inline constexpr std::size_t kMostHeader = 100'000'000;

struct Header {
  std::vector<SafetensorsEntry> entries;  // by offset
  Metadata metadata;
};

[[nodiscard]] std::array<std::byte, kLengthBytes> length_bytes(std::uint64_t length);
[[nodiscard]] std::uint64_t length_from(std::span<const std::byte, kLengthBytes> bytes);

/// Throws Wrong. `data` is how many bytes follow the header.
[[nodiscard]] Header parse_header(std::string_view text, std::uint64_t data);
/// Padded to whole 8 bytes.
[[nodiscard]] std::string header_text(const Header& header);

/// What a name in a file must not have: it would only mislead who reads it in a message.
[[nodiscard]] bool has_control_character(std::string_view name);

/// Throws Wrong for a text that the JSON parser would take for one that ends at its first zero byte.
void check_zero_bytes(std::string_view json, const std::string& what);

/// Elements × bits, in bytes, multiplied from the first extent on. Throws Wrong where that is no whole number, or does
/// not fit in 64 bits before an extent of 0 makes it 0.
[[nodiscard]] std::uint64_t bytes_of_shape(const std::vector<std::size_t>& shape, const SafetensorsType& type);
/// Throws Wrong.
[[nodiscard]] const SafetensorsType& type_of(std::string_view name);

}  // namespace adamant::checkpoint
