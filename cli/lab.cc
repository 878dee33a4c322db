// adamant lab
#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace adamant::cli {

Command add_lab(CLI::App& program) {
  CLI::App* app = program.add_subcommand("lab", "Train real workloads with each rule and compare");
  return {app, [] { return kOk; }};
}

}  // namespace adamant::cli
