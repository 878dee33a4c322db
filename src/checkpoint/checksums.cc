// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/checksums.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace adamant::checkpoint {
namespace {

// Names the function and the size of a chunk.
constexpr std::string_view kKind = "xxh3-64 1Mi ";
static_assert(kChunk == std::size_t{1} << 20, "another size needs another kKind");

}  // namespace

std::uint64_t checksum_of(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void append_hex(std::string& to, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) to += "0123456789abcdef"[number >> shift & 15u];
}

std::optional<std::uint64_t> from_hex(std::string_view text) {
  if (text.size() != kHexDigits) return {};
  std::uint64_t number = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return {};
    number = number << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return number;
}

std::string to_text(std::span<const std::uint64_t> checksums) {
  std::string text(kKind);
  text.reserve(kKind.size() + kHexDigits * checksums.size());
  for (const std::uint64_t checksum : checksums) append_hex(text, checksum);
  return text;
}

std::optional<std::vector<std::uint64_t>> checksums_from(std::string_view text, std::uint64_t count) {
  if (!text.starts_with(kKind)) return {};
  text.remove_prefix(kKind.size());
  if (text.size() / kHexDigits != count || text.size() % kHexDigits != 0) return {};
  std::vector<std::uint64_t> checksums;
  checksums.reserve(count);
  for (; !text.empty(); text.remove_prefix(kHexDigits)) {
    const std::optional<std::uint64_t> checksum = from_hex(text.substr(0, kHexDigits));
    if (!checksum) return {};
    checksums.push_back(*checksum);
  }
  return checksums;
}

}  // namespace adamant::checkpoint
