// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// JSON on standard output.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace adamant::cli {

using Json = nlohmann::ordered_json;

/// One value, indented, with a line break at its end. Bytes that are not UTF-8, as in a path, become U+FFFD.
void print_json(const Json& json, int indent = 2);

/// Text from outside, as printable ASCII: all else in JSON's escapes.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace adamant::cli
