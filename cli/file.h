// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Writes a whole file.
#pragma once

#include <string>
#include <string_view>

namespace adamant::cli {

/// A file that was there is replaced when the new one is complete, and keeps its permissions; links and devices are
/// written through. Throws std::runtime_error naming a path that cannot be written.
void replace_file(const std::string& path, std::string_view text);

/// Throws, before any work, where replace_file would.
void check_writable(const char* option, const std::string& path);

}  // namespace adamant::cli
