// adamant targets: the instruction sets of this build that this CPU runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <adamant/targets.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands.h"

namespace adamant::cli {
namespace {

int run(bool json) {
  if (json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"targets", targets()}, {"current", current_target()}}.dump(2));
    return kOk;
  }
  for (const std::string& target : targets()) {
    fmt::print("{}{}\n", target, target == current_target() ? " (in use)" : "");
  }
  return kOk;
}

}  // namespace

Command add_targets(CLI::App& program) {
  auto json = std::make_shared<bool>(false);
  CLI::App* app = program.add_subcommand("targets", "List the instruction sets of this CPU, best first");
  app->add_flag("--json", *json, "Print one JSON object");
  return {app, [json] { return run(*json); }};
}

}  // namespace adamant::cli
