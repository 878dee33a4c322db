// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant targets: the instruction sets of this build that this CPU runs.
#include <fmt/format.h>

#include <adamant/targets.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/json.h"

namespace adamant::cli {
namespace {

int print_targets(bool json) {
  if (json) {
    print_json({{"targets", targets()}, {"current", current_target()}});
    return kOk;
  }
  for (const std::string& target : targets()) {
    fmt::print("{}{}\n", target, target == current_target() ? " (in use)" : "");
  }
  return kOk;
}

}  // namespace

Command add_targets(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Subcommand options = line.add("targets", "List the instruction sets of this CPU, best first");
  options.flag("--json", *json, "Print one JSON object");
  return {options, [json] { return print_targets(*json); }};
}

}  // namespace adamant::cli
