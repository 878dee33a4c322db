// The program `adamant`: a list of subcommands.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <adamant/error.hpp>
#include <adamant/version.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <vector>

#include "cli/commands.h"
#include "cli/say.h"
#include "cli/values.h"

namespace {

using namespace adamant::cli;

constexpr Command (*kCommands[])(CLI::App&) = {
    add_lab, add_report, add_claims, add_bench, add_selftest, add_targets,
};

int complain(const CLI::App* command, const char* what, int code) {
  say("adamant {}: {}\n", command->get_name(), what);
  return code;
}

int run(const Command& command) {
  try {
    const int code = command.run();
    if (std::fflush(stdout) != 0) return complain(command.app, "cannot write to standard output", kFailed);
    return code;
  } catch (const UsageError& error) {
    return complain(command.app, error.what(), kUsage);
  } catch (const adamant::Error& error) {
    return complain(command.app, error.what(), error.code() == adamant::ErrorCode::io ? kFailed : kUsage);
  } catch (const std::exception& error) {
    return complain(command.app, error.what(), kFailed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("Adamant: the AdamW engine for C++. Optimizers at the speed of memory, the same bits everywhere.",
                   "adamant");
  program.set_version_flag("--version", fmt::format("adamant {}.{}.{}", ADAMANT_VERSION_MAJOR, ADAMANT_VERSION_MINOR,
                                                    ADAMANT_VERSION_PATCH));
  program.require_subcommand(1);
  program.footer(
      "Exit status: 0 done; 1 a check failed or the work could not be done; 2 wrong usage; 130 interrupted.\n"
      "Each command has its own --help.");
  std::vector<Command> commands;
  for (const auto add : kCommands) commands.push_back(add(program));

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (program.exit(error) != 0) return kUsage;  // prints help, version or what is wrong
    return std::cout.flush() ? kOk : complain(&program, "cannot write to standard output", kFailed);
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return run(command);
  }
  return kUsage;
}
