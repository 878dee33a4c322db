// The subcommands of the program, as main() sees them.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace adamant::cli {

/// Exit statuses of the program; stable, and documented in --help.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         ///< a check failed, or the work could not be done (a full disk)
  kUsage = 2,          ///< an option that does not exist, or a value outside its range; nothing was done
  kInterrupted = 130,  ///< Ctrl-C; what was finished is reported
};

/// A subcommand and what it does. `run` returns an ExitCode. It throws UsageError (values.h) or adamant::Error for
/// wrong usage (but with ErrorCode::io where a file is the trouble), and any other exception where the work could not
/// be done; main() prints the text.
struct Command {
  const CLI::App* app;
  std::function<int()> run;
};

// Each adds its subcommand with its options to the program. The list of them is in main.cc.
Command add_lab(CLI::App& program);
Command add_report(CLI::App& program);
Command add_claims(CLI::App& program);
Command add_bench(CLI::App& program);
Command add_targets(CLI::App& program);
Command add_selftest(CLI::App& program);

}  // namespace adamant::cli
