// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The subcommands of the program, as main() sees them.
#pragma once

#include <functional>

#include "cli/command_line.h"

namespace adamant::cli {

/// Exit statuses of the program; stable, and documented in --help and in README.md.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         ///< a check failed, or the work could not be done: what files and memory do not allow
  kUsage = 2,          ///< the command line is wrong in itself or does not fit what its files are; nothing was done
  kInterrupted = 130,  ///< Ctrl-C; what was finished is reported
};

/// A subcommand and what it does. `run` returns an ExitCode. It throws UsageError (values.h) or adamant::Error for
/// wrong usage (but with ErrorCode::io where a file is the trouble), and any other exception where the work could not
/// be done; main() prints the text.
struct Command {
  Subcommand options;
  std::function<int()> run;
};

// Each adds its subcommand with its options to the program. The list of them is in main.cc.
Command add_lab(CommandLine& line);
Command add_report(CommandLine& line);
Command add_claims(CommandLine& line);
Command add_inspect(CommandLine& line);
Command add_step(CommandLine& line);
Command add_bench(CommandLine& line);
Command add_targets(CommandLine& line);
Command add_selftest(CommandLine& line);

}  // namespace adamant::cli
