// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/json.h"

#include <fmt/format.h>

namespace adamant::cli {

void print_json(const Json& json, int indent) {
  fmt::print("{}\n", json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

std::string escaped(std::string_view text) {
  const std::string quoted = Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace adamant::cli
