// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// gzip, by zlib.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adamant::lab {

/// Unpacks a gzip file that is in memory. Throws std::runtime_error where it is damaged.
[[nodiscard]] std::string unpack_gzip(std::span<const unsigned char> packed);

/// Reads a file, unpacking it if it is gzip. Throws adamant::Error naming the path for a file that cannot be read, is
/// not a regular file, is damaged, or has more than `limit` bytes when unpacked.
[[nodiscard]] std::string read_file(const std::string& path, std::size_t limit);

}  // namespace adamant::lab
