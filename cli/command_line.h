// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The command line: the program's subcommands with their options. CLI11 reads it, and only command_line.cc sees that,
// because its header takes long to compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace adamant::cli {

/// The options of a subcommand. What is read is put `into` variables that must outlive CommandLine::read; an option
/// that is not given leaves its variable alone. `names` are several spellings, separated by commas; `value` is what
/// --help calls the value.
class Subcommand {
 public:
  explicit Subcommand(CLI::App& app) : app_(&app) {}

  void option(const std::string& names, std::string& into, const std::string& value, const std::string& help);
  /// May be given several times.
  void repeated(const std::string& names, std::vector<std::string>& into, const std::string& value,
                const std::string& help);
  void flag(const std::string& names, bool& into, const std::string& help);
  /// One value without a name.
  void operand(const std::string& name, std::string& into, const std::string& help);
  /// One or more values without a name.
  void operands(const std::string& name, std::vector<std::string>& into, const std::string& help);
  void footer(const std::string& text);

  [[nodiscard]] const std::string& name() const;
  /// Whether it was read on the command line.
  [[nodiscard]] bool chosen() const;

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description, const std::string& version,
              const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Subcommand add(const std::string& name, const std::string& description);

  /// Exactly one subcommand is chosen then, or an exit status is returned: help or the version was printed on standard
  /// output, or what is wrong (without any argument: help) on standard error.
  [[nodiscard]] std::optional<int> read(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace adamant::cli
