// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant report: one HTML page about runs, from their logs.
#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/values.h"

namespace adamant::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> runs;
  std::string out, title;
  bool json = false;
};

// A folder stands for the run logs in it, in the order of their names.
std::vector<std::string> logs_of(const std::vector<std::string>& given) {
  std::vector<std::string> logs;
  for (const std::string& path : given) {
    if (!std::filesystem::is_directory(path)) {
      logs.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".jsonl") inside.push_back(entry.path().string());
    }
    if (inside.empty()) throw std::runtime_error(fmt::format("RUN: '{}' is a folder without *.jsonl", path));
    std::sort(inside.begin(), inside.end());
    logs.insert(logs.end(), inside.begin(), inside.end());
  }
  return logs;
}

int run(const ReportArguments& arguments) {
  const std::vector<std::string> logs = logs_of(arguments.runs);
  check_writable("--out", arguments.out);
  for (const std::string& log : logs) {
    std::error_code missing;
    if (std::filesystem::equivalent(log, arguments.out, missing)) {
      throw UsageError(fmt::format("--out: '{}' is one of the runs: it would be lost", arguments.out));
    }
  }
  const std::string html = report::report_html({.title = arguments.title, .runs = logs, .claims = {}});
  replace_file(arguments.out, html);
  if (arguments.json) {
    print_json({{"report", arguments.out}, {"bytes", html.size()}});
  } else {
    fmt::print("{}\n", arguments.out);
  }
  return kOk;
}

}  // namespace

Command add_report(CommandLine& line) {
  Subcommand options = line.add("report", "Write one HTML page about runs, from their logs; it needs no network");
  auto arguments = std::make_shared<ReportArguments>();
  arguments->out = "report.html";
  options.operands("RUN", arguments->runs, "Run logs, or folders of them (*.jsonl)");
  options.option("--out", arguments->out, "FILE", "Where to write the page (report.html)");
  options.option("--title", arguments->title, "TEXT", "Heading of the page (the name of the run)");
  options.flag("--json", arguments->json, "Print one JSON object instead of the path");
  return {options, [arguments] { return run(*arguments); }};
}

}  // namespace adamant::cli
