// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checksums of files: XXH3, 64 bits. They find what disks and memory do to a file; they do not tell who wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::checkpoint {

[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> bytes);

/// Bytes of an entry that have a checksum together; its last may be fewer.
inline constexpr std::size_t kChunk = std::size_t{1} << 20;
[[nodiscard]] constexpr std::uint64_t chunks_of(std::uint64_t bytes) { return (bytes + kChunk - 1) / kChunk; }

/// 16 hexadecimal digits, the highest first.
inline constexpr std::size_t kHexDigits = 16;
void append_hex(std::string& to, std::uint64_t number);
/// Nothing where the text is not 16 lower-case hexadecimal digits.
[[nodiscard]] std::optional<std::uint64_t> from_hex(std::string_view text);

/// Checksums of a file's chunks, as its metadata has them.
[[nodiscard]] std::string to_text(std::span<const std::uint64_t> checksums);
/// Nothing where the text is not `count` checksums.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> checksums_from(std::string_view text, std::uint64_t count);

}  // namespace adamant::checkpoint
