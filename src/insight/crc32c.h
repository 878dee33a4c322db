// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The checksum of TensorBoard's records: CRC-32C, Castagnoli's polynomial as RFC 3720 has it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace adamant {

/// Of the bytes, first bit lowest.
[[nodiscard]] constexpr std::uint32_t crc32c(std::string_view bytes) {
  constexpr std::array<std::uint32_t, 256> kOfByte = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
      table[byte] = crc;
    }
    return table;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ kOfByte[(crc ^ static_cast<unsigned char>(c)) & 0xFFu];
  return ~crc;
}

}  // namespace adamant
