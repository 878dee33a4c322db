// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant claims: the statements about the two moments, each as an experiment on the engine.
#include "lab/claims/claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "claim/svg.h"
#include "claim/words.h"
#include "cli/claims_report.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/values.h"
#include "lab/text.h"
#include "report/report.h"

namespace adamant::cli {
namespace {

using lab::Claim;
using lab::ClaimInfo;

// The options as they are written.
struct ClaimsArguments {
  std::string only, seeds, threads, text, out, pictures;
  bool figures = false, json = false;
};

std::vector<std::string> ids() {
  std::vector<std::string> found;
  for (const ClaimInfo& claim : lab::claims()) found.emplace_back(claim.id);
  return found;
}

std::vector<ClaimInfo> chosen(const std::string& only) {
  std::vector<ClaimInfo> found(lab::claims().begin(), lab::claims().end());
  if (only.empty()) return found;
  const std::vector<std::string> names = read_names("--only", only, ids());
  std::erase_if(found, [&](const ClaimInfo& claim) { return std::ranges::find(names, claim.id) == names.end(); });
  return found;
}

lab::Setup setup_of(const ClaimsArguments& arguments) {
  lab::Setup setup;
  if (!arguments.seeds.empty()) {
    setup.seeds = static_cast<std::uint64_t>(read_integer("--seeds", arguments.seeds, 2, 1000));
  }
  if (!arguments.threads.empty()) {
    setup.threads = static_cast<int>(read_integer("--threads", arguments.threads, 0, 1024));
  }
  setup.text = arguments.text;
  if (setup.text.empty() && std::filesystem::exists(lab::kJargonFile)) setup.text = lab::kJargonFile;
  return setup;
}

void make_folder(const char* option, const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw std::runtime_error(fmt::format("{}: '{}' cannot be made: {}", option, path, error.message()));
}

int run(const ClaimsArguments& arguments) {
  const std::vector<ClaimInfo> infos = chosen(arguments.only);
  lab::Setup setup = setup_of(arguments);
  if (!arguments.pictures.empty()) make_folder("--pictures", arguments.pictures);
  if (!arguments.out.empty()) check_writable("--out", arguments.out);

  const Interrupt interrupt;
  Progress progress;
  std::vector<Claim> claims;
  bool interrupted = false;
  for (const ClaimInfo& info : infos) {
    const std::string what = fmt::format("{} {}/{}", info.id, claims.size() + 1, infos.size());
    setup.watch = [&](std::size_t done, std::size_t total) {
      progress.show(what, done, total, "");
      return !interrupt.pending();
    };
    try {
      claims.push_back(lab::measure(info, setup));
    } catch (const lab::Interrupted&) {
      interrupted = true;
      break;
    }
    progress.line(fmt::format("{}: {}", what, verdict_text(claims.back())));
    interrupted = interrupt.pending();
    if (interrupted) break;
  }
  if (arguments.json) {
    print_claims_json(claims, interrupted);
  } else {
    print_claims(claims, arguments.figures, interrupted);
  }
  if (!arguments.pictures.empty()) {
    for (const Claim& claim : claims) {
      for (std::size_t i = 0; i < claim.plots.size(); ++i) {
        replace_file(fmt::format("{}/{}-{}.svg", arguments.pictures, claim.id, i + 1), svg(claim.plots[i]));
      }
    }
  }
  if (!arguments.out.empty() && !claims.empty()) {
    replace_file(arguments.out, report::report_html({.title = "What the two moments of AdamW do", .claims = claims}));
  }
  return interrupted ? kInterrupted : kOk;
}

}  // namespace

Command add_claims(CommandLine& line) {
  Subcommand options = line.add("claims", "What the two moments of AdamW do: each statement as an experiment");
  auto arguments = std::make_shared<ClaimsArguments>();
  options.option("--only", arguments->only, "IDS",
                 fmt::format("Only these, separated by commas: {}", fmt::join(ids(), ",")));
  options.option("--seeds", arguments->seeds, "N", "Final runs of each rule where models are trained (6)");
  options.option("--threads", arguments->threads, "N",
                 "Experiments at once; 0: one for each processor (0). No effect on results");
  options.option("--text", arguments->text, "FILE",
                 "Text that words and attention learn, plain or gzip (The Jargon File)");
  options.option("--out", arguments->out, "FILE", "Write an HTML page with words and plots; it needs no network");
  options.option("--pictures", arguments->pictures, "DIR", "Write the plots as SVG into this folder");
  options.flag("--figures", arguments->figures, "Print all numbers, not only the first of each claim");
  options.flag("--json", arguments->json, "Print one JSON object instead of the table");
  options.footer(
      "Verdicts: 'holds'; 'holds if', with what it takes; 'not shown', where chance may have made the difference; "
      "'does\n"
      "not hold'. They do not change the exit status: it is 1 only where something could not be done or written.");
  return {options, [arguments] { return run(*arguments); }};
}

}  // namespace adamant::cli
