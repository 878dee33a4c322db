// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The program `adamant`: a list of subcommands.
#include <fmt/format.h>

#include <adamant/error.hpp>
#include <adamant/version.hpp>
#include <cstdio>
#include <exception>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/values.h"

namespace {

using namespace adamant::cli;

constexpr Command (*kCommands[])(CommandLine&) = {
    add_lab, add_report, add_claims, add_inspect, add_step, add_bench, add_selftest, add_targets,
};

int complain(const Command& command, const char* what, int code) {
  say("adamant {}: {}\n", command.options.name(), what);
  return code;
}

int run(const Command& command) {
  try {
    const int code = command.run();
    if (std::fflush(stdout) != 0) return complain(command, "cannot write to standard output", kFailed);
    return code;
  } catch (const UsageError& error) {
    return complain(command, error.what(), kUsage);
  } catch (const adamant::Error& error) {
    return complain(command, error.what(), error.code() == adamant::ErrorCode::io ? kFailed : kUsage);
  } catch (const std::exception& error) {
    return complain(command, error.what(), kFailed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("adamant",
                   "Adamant: the AdamW engine for C++. Optimizers at the speed of memory, the same bits everywhere.",
                   std::string(adamant::version()),
                   "Exit status: 0 done; 1 a check failed or the work could not be done, as where a file cannot be "
                   "read or written;\n"
                   "2 the command line is wrong, or has no command: nothing was done; 130 interrupted.\n"
                   "Each command has its own --help.");
  std::vector<Command> commands;
  for (const auto add : kCommands) commands.push_back(add(line));
  if (const auto status = line.read(argc, argv)) return *status;
  for (const Command& command : commands) {
    if (command.options.chosen()) return run(command);
  }
  return kUsage;
}
