// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <ranges>
#include <string_view>

#include "cli/commands.h"
#include "cli/say.h"

namespace adamant::cli {
namespace {

// In the words of all other refusals. CLI11 alone would speak of a missing command before an unknown option.
void say_wrong_usage(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* command = &program;
  if (program.remaining_size() == 0 && !program.get_subcommands().empty()) command = program.get_subcommands().front();
  std::string why = error.what();
  if (command->remaining_size() > 0) {
    const std::string unknown = command->remaining().front();
    why = fmt::format("{} {}", unknown.starts_with('-') ? "unknown option" : "unexpected argument", unknown);
  }
  const std::string name =
      command == &program ? program.get_name() : fmt::format("{} {}", program.get_name(), command->get_name());
  say("{}: {}; see {} --help\n", name, why, name);
}

}  // namespace

void Subcommand::option(const std::string& names, std::string& into, const std::string& value,
                        const std::string& help) {
  app_->add_option(names, into, help)->type_name(value);
}

void Subcommand::repeated(const std::string& names, std::vector<std::string>& into, const std::string& value,
                          const std::string& help) {
  app_->add_option(names, into, help)->type_name(value)->allow_extra_args(false);  // one value each time
}

void Subcommand::flag(const std::string& names, bool& into, const std::string& help) {
  app_->add_flag(names, into, help);
}

void Subcommand::operand(const std::string& name, std::string& into, const std::string& help) {
  app_->add_option(name, into, help)->required();
}

void Subcommand::operands(const std::string& name, std::vector<std::string>& into, const std::string& help) {
  app_->add_option(name, into, help)->required();
}

void Subcommand::footer(const std::string& text) { app_->footer(text); }

const std::string& Subcommand::name() const { return app_->get_name(); }

bool Subcommand::chosen() const { return app_->parsed(); }

CommandLine::CommandLine(const std::string& name, const std::string& description, const std::string& version,
                         const std::string& footer)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_version_flag("--version", name + " " + version);
  app_->require_subcommand(1);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Subcommand CommandLine::add(const std::string& name, const std::string& description) {
  CLI::App* command = app_->add_subcommand(name, description);
  command->footer("");  // not that of the program, which it would inherit
  return Subcommand(*command);
}

std::optional<int> CommandLine::read(int argc, const char* const* argv) {
  if (argc < 2) {
    say("{}", app_->help());
    return kUsage;
  }
  // CLI11 would only say that a command is missing.
  const std::string_view first = argv[1];
  const auto names = [](const CLI::App* command) { return command->get_name(); };
  const auto commands = app_->get_subcommands({});
  if (!first.starts_with('-') && std::ranges::find(commands, first, names) == commands.end()) {
    say("{}: unknown command {}: must be one of {}\n", app_->get_name(), first,
        fmt::join(commands | std::views::transform(names), ", "));
    return kUsage;
  }
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      say_wrong_usage(*app_, error);
      return kUsage;
    }
    app_->exit(error);
    if (std::cout.flush()) return kOk;
    say("{}: cannot write to standard output\n", app_->get_name());
    return kFailed;
  }
  return {};
}

}  // namespace adamant::cli
