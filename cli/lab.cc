// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant lab: trains real workloads with each rule from the same start on the same batches, and compares them.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <adamant/format.hpp>
#include <adamant/targets.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/lab_report.h"
#include "cli/progress.h"
#include "cli/rule_options.h"
#include "cli/values.h"
#include "lab/text.h"
#include "lab/train.h"
#include "lab/tune.h"
#include "report/report.h"

namespace adamant::cli {
namespace {

using lab::Outcome;
using lab::RuleConfig;
using lab::RunConfig;
using lab::RunResult;
using lab::Tuned;
using lab::Workload;
using lab::WorkloadInfo;

// The options as they are written.
struct LabArguments {
  std::string workloads, rules, steps, seeds, lr, weight_decay, betas, batch_size, threads, state, text, out, log_every;
  std::string checkpoint_every, checkpoints;
  std::vector<std::string> set;
  bool sparse = false, json = false, tune = false, resume = false;
};

// A workload with its data, as this command runs it.
struct Job {
  const WorkloadInfo* info = nullptr;
  std::unique_ptr<Workload> workload;
  std::uint64_t steps = 0;
  std::size_t batch_size = 0;
  std::uint64_t seeds = 0;  // from 1 to it
};

template <class List>
const auto& entry_named(const List& list, const std::string& name) {
  return *std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
}

class Lab {
 public:
  explicit Lab(const LabArguments& arguments) : arguments_(arguments) {}

  int run() {
    if (arguments_.tune) refuse_with_tune();
    read_options();
    make_jobs();
    check_settings();
    return arguments_.tune ? tune() : compare();
  }

 private:
  void refuse_with_tune() const {
    const std::pair<const char*, const std::string&> chosen[] = {{"--lr", arguments_.lr},
                                                                 {"--weight-decay", arguments_.weight_decay},
                                                                 {"--seeds", arguments_.seeds},
                                                                 {"--out", arguments_.out},
                                                                 {"--log-every", arguments_.log_every},
                                                                 {"--checkpoint-every", arguments_.checkpoint_every},
                                                                 {"--checkpoints", arguments_.checkpoints}};
    for (const auto& [option, value] : chosen) {
      if (!value.empty()) throw UsageError(fmt::format("{}: '{}' cannot be given with --tune", option, value));
    }
    if (arguments_.resume) throw UsageError("--resume: cannot be given with --tune");
  }

  void read_options() {
    const auto integer = [](const char* option, const std::string& text, std::int64_t low, std::int64_t high) {
      return text.empty() ? std::optional<std::int64_t>() : read_integer(option, text, low, high);
    };
    const std::string rules = arguments_.rules.empty() ? default_rules() : arguments_.rules;
    for (const std::string& name : read_names("--rules", rules, names_of(lab::rule_configs()))) {
      rules_.push_back(lab::rule_config(name));
    }
    read_rule_options();
    steps_ = integer("--steps", arguments_.steps, 1, 10'000'000);
    batch_size_ = integer("--batch-size", arguments_.batch_size, 1, 4096);
    log_every_ = static_cast<std::uint64_t>(integer("--log-every", arguments_.log_every, 1, 10'000'000).value_or(10));
    if (const auto every = integer("--checkpoint-every", arguments_.checkpoint_every, 1, 10'000'000)) {
      checkpoint_every_ = static_cast<std::uint64_t>(*every);
    }
    if (arguments_.resume && arguments_.out.empty()) {
      throw UsageError("--resume: needs --out with the folder of the runs that go on");
    }
    if (!arguments_.checkpoints.empty() && !has_checkpoints()) {
      throw UsageError(fmt::format("--checkpoints: '{}' needs --checkpoint-every or --resume", arguments_.checkpoints));
    }
    threads_ = static_cast<int>(integer("--threads", arguments_.threads, 0, 1024).value_or(0));
    seeds_ = integer("--seeds", arguments_.seeds, 1, 1000);
    const std::string states = arguments_.state.empty() ? "f32" : arguments_.state;
    for (const std::string& name : read_names("--state", states, names_of(lab::memory_formats()))) {
      memories_.push_back(entry_named(lab::memory_formats(), name));
    }
  }

  // Each option goes to those of the rules that have it.
  void read_rule_options() {
    const LabArguments& given = arguments_;
    if (!given.betas.empty()) {
      const auto [beta1, beta2] = read_pair("--betas", given.betas);
      set("--betas", {"betas", std::array{beta1, beta2}});
    }
    if (!given.lr.empty()) set("--lr", {"lr", read_number("--lr", given.lr)});
    if (!given.weight_decay.empty()) {
      set("--weight-decay", {"weight_decay", read_number("--weight-decay", given.weight_decay)});
    }
    for (const std::string& text : given.set) set("--set", read_rule_option("--set", text));
    for (RuleConfig& rule : rules_) rule.options = merge(rule.options, known_to(rule.rule, set_));
  }

  void set(std::string_view flag, const RuleOption& option) {
    const auto has = [&](Rule rule) { return get_option(defaults(rule), option.name).has_value(); };
    const auto uses = [&](const RuleConfig& rule) {
      return has(rule.rule) || (!rule.vectors.empty() && has(lab::rule_config(rule.vectors).rule));
    };
    if (std::ranges::none_of(rules_, uses)) {
      throw UsageError(fmt::format("{}: none of the rules has {}: {}", flag, option.name, arguments_.rules));
    }
    if (arguments_.tune && (option.name == "lr" || option.name == "weight_decay")) {
      throw UsageError(fmt::format("{}: '{}' cannot be given with --tune", flag, option.name));
    }
    set_once(set_, flag, option);
  }

  // All that are one rule.
  static std::string default_rules() {
    auto single = lab::rule_configs() | std::views::filter([](const RuleConfig& c) { return c.vectors.empty(); });
    return fmt::format("{}", fmt::join(names_of(single), ","));
  }

  static std::vector<std::string> chosen(const char* option, const std::string& text,
                                         const std::vector<std::string>& all) {
    return text.empty() ? all : read_names(option, text, all);
  }

  void make_jobs() {
    text_ = arguments_.text.empty() ? lab::kJargonFile : arguments_.text;
    for (const std::string& name : chosen("--workload", arguments_.workloads, names_of(lab::workloads()))) {
      const WorkloadInfo& info = entry_named(lab::workloads(), name);
      const bool asked_for = !arguments_.workloads.empty() || !arguments_.text.empty();
      if (info.reads_text && !asked_for && !std::filesystem::exists(text_)) {
        progress_.line(
            fmt::format("{}: left out, there is no text at {} (apt install jargon-text; or --text FILE)", name, text_));
        continue;
      }
      const auto batch_size =
          static_cast<std::size_t>(batch_size_.value_or(static_cast<std::int64_t>(info.batch_size)));
      auto workload = info.make({.batch_size = batch_size,
                                 .held_out = arguments_.tune ? lab::HeldOut::validation : lab::HeldOut::test,
                                 .text = text_,
                                 .sparse_rows = arguments_.sparse});
      jobs_.push_back({&info, std::move(workload),
                       static_cast<std::uint64_t>(steps_.value_or(static_cast<std::int64_t>(info.steps))), batch_size,
                       static_cast<std::uint64_t>(seeds_.value_or(static_cast<std::int64_t>(info.seeds)))});
    }
  }

  [[nodiscard]] Tuned chosen(const Tuned& tuned) const {
    return {set_.lr.value_or(tuned.lr), set_.weight_decay.value_or(tuned.weight_decay)};
  }

  RunConfig config(const Job& job, const RuleConfig& rule, const lab::MemoryFormats& memory, std::uint64_t seed) const {
    std::optional<lab::TunedRule> vectors = lab::vectors_of(job.info->name, rule);
    if (vectors) {
      vectors->settings = chosen(vectors->settings);
      vectors->rule.options = merge(vectors->rule.options, known_to(vectors->rule.rule, set_));
    }
    return {.rule = rule,
            .settings = chosen(lab::tuned(job.info->name, rule.name)),
            .vectors = vectors,
            .steps = job.steps,
            .warmup = lab::warmup_of(*job.info, job.steps),
            .seed = seed,
            .target_loss = job.info->target_loss,
            .memory = memory,
            .threads = threads_};
  }

  // Refuses what the engine refuses before the first run, not in the middle of the work.
  void check_settings() const {
    std::vector<float> value(1), grad(1), matrix(2), matrix_grad(2);
    for (const lab::MemoryFormats& memory : memories_) {
      if (arguments_.sparse && info(memory.state).group > 1) {
        throw UsageError(
            fmt::format("--sparse: cannot be given with --state {}: its groups of {} states lie across "
                        "the rows of the embedding",
                        memory.name, info(memory.state).group));
      }
      for (const Job& job : jobs_) {
        for (const RuleConfig& rule : rules_) {
          static_cast<void>(lab::make_optimizer(config(job, rule, memory, 1),
                                                {{"matrix", matrix, matrix_grad, {2, 1}}, {"vector", value, grad}}));
        }
      }
    }
  }

  [[nodiscard]] bool has_checkpoints() const { return checkpoint_every_ > 0 || arguments_.resume; }

  // Where the run logs go. Without --out a new folder in ./runs named after the time.
  std::filesystem::path make_folder() const {
    const bool given = !arguments_.out.empty();
    const std::filesystem::path wanted =
        given ? std::filesystem::path(arguments_.out)
              : std::filesystem::path("runs") / fmt::format("lab-{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
    std::filesystem::path folder = wanted;
    const auto refuse = [&](const std::string& why) {
      if (given) throw std::runtime_error(fmt::format("--out: '{}' {}", folder.string(), why));
      throw std::runtime_error(
          fmt::format("'{}' {}; --out DIR names another folder for the run logs", folder.string(), why));
    };
    for (int copy = 2; !given && std::filesystem::exists(folder); ++copy) {
      folder = fmt::format("{}-{}", wanted.string(), copy);
    }
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) refuse("cannot be made: " + error.message());
    if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(std::string("cannot be written: ") + std::strerror(errno));
    return folder;
  }

  [[nodiscard]] std::filesystem::path checkpoints_of(const std::filesystem::path& folder,
                                                     const std::string& run) const {
    return (arguments_.checkpoints.empty() ? folder / "checkpoints" : std::filesystem::path(arguments_.checkpoints)) /
           run;
  }

  // Whether a checkpoint of any of the runs is there.
  [[nodiscard]] bool can_resume(const std::filesystem::path& folder) const {
    for (const Job& job : jobs_) {
      for (const RuleConfig& rule : rules_) {
        for (const lab::MemoryFormats& memory : memories_) {
          for (std::uint64_t seed = 1; seed <= job.seeds; ++seed) {
            std::error_code missing;
            for (const auto& entry : std::filesystem::directory_iterator(
                     checkpoints_of(folder, run_name(job, rule, memory, seed)), missing)) {
              if (entry.path().extension() == ".safetensors") return true;
            }
          }
        }
      }
    }
    return false;
  }

  int compare() {
    const std::filesystem::path folder = make_folder();
    // A job that is restarted passes --resume the first time, too; who mistyped the folder must know.
    if (arguments_.resume && !can_resume(folder)) {
      progress_.line(fmt::format("nothing to resume in {}: starting anew",
                                 arguments_.checkpoints.empty() ? folder.string() : arguments_.checkpoints));
    }
    const Interrupt interrupt;
    LabReport report;
    report.folder = folder.string();
    for (const Job& job : jobs_) {
      report.workloads.push_back({job.info, job.workload->describe(), job.steps, job.batch_size, job.seeds, {}});
      for (const RuleConfig& rule : rules_) {
        for (const lab::MemoryFormats& memory : memories_) {
          if (!report.interrupted) compare(job, rule, memory, folder, interrupt, report);
        }
      }
    }
    if (report.interrupted && has_checkpoints()) {
      progress_.line(fmt::format("The same command with --out {} --resume goes on", report.folder));
    }
    std::string trouble;  // with the page, which does not take the results along
    try {
      write_page(report);
    } catch (const std::exception& error) {
      report.page.clear();
      trouble = error.what();
    }
    if (arguments_.json) {
      print_json(report);
    } else {
      print_table(report);
    }
    if (!trouble.empty()) throw std::runtime_error(trouble);
    return report.interrupted ? kInterrupted : kOk;
  }

  // As its log and the folder of its checkpoints are called.
  static std::string run_name(const Job& job, const RuleConfig& rule, const lab::MemoryFormats& memory,
                              std::uint64_t seed) {
    return fmt::format("{}-{}-{}", job.info->name, compared_name(rule, memory), seed);
  }

  // One rule in one memory on one workload, with every seed.
  void compare(const Job& job, const RuleConfig& rule, const lab::MemoryFormats& memory,
               const std::filesystem::path& folder, const Interrupt& interrupt, LabReport& report) {
    const std::string name = compared_name(rule, memory);
    RuleReport runs{rule, memory, {}};
    for (std::uint64_t seed = 1; seed <= job.seeds; ++seed) {
      const std::string what = fmt::format("{} {} seed {}/{}", job.info->name, name, seed, job.seeds);
      const std::string run = run_name(job, rule, memory, seed);
      lab::LogConfig log{.path = folder / (run + ".jsonl"),
                         .every = log_every_,
                         .title = fmt::format("{} {} seed {}", job.info->name, name, seed),
                         .metric = job.info->metric,
                         .notes = {{"workload", std::string(job.info->name)},
                                   {"description", job.workload->describe()},
                                   {"metric", std::string(job.info->metric)},
                                   {"batch_size", static_cast<double>(job.batch_size)}}};
      if (job.info->reads_text) {
        log.notes.emplace_back("text", text_);
        log.notes.emplace_back("sparse_rows", arguments_.sparse ? "yes" : "no");
      }
      const lab::CheckpointConfig checkpoints{
          .folder = checkpoints_of(folder, run), .every = checkpoint_every_, .resume = arguments_.resume};
      const RunResult result =
          lab::train(*job.workload, config(job, rule, memory, seed), &log, watch(what, job.steps, interrupt),
                     has_checkpoints() ? &checkpoints : nullptr);
      report.interrupted = result.outcome == Outcome::interrupted;
      if (report.interrupted) break;
      progress_.line(fmt::format("{}: {}, {:.2f} s", what, score_text(*job.info, result), result.seconds));
      runs.runs.push_back({seed, result, log.path});
    }
    report.workloads.back().rules.push_back(std::move(runs));
  }

  // About the runs of the first seed, side by side; the rules of most moments come first.
  void write_page(LabReport& report) const {
    report::ReportInput input;
    for (const WorkloadReport& workload : report.workloads) {
      for (const RuleReport& rule : std::views::reverse(workload.rules)) {
        if (!rule.runs.empty()) input.runs.push_back(rule.runs.front().log);
      }
    }
    if (input.runs.empty()) return;
    input.title = "adamant lab";
    report.page = (std::filesystem::path(report.folder) / "report.html").string();
    replace_file(report.page, report::report_html(input));
  }

  lab::Watch watch(const std::string& what, std::uint64_t steps, const Interrupt& interrupt) {
    return [this, what, steps, &interrupt](std::uint64_t step, double loss) {
      progress_.show(what, step, steps, step == 0 ? "" : fmt::format("loss {:.4g}", loss));
      return !interrupt.pending();
    };
  }

  int tune() {
    const Interrupt interrupt;
    std::vector<TuneReport> reports;
    for (const Job& job : jobs_) {
      for (const RuleConfig& rule : rules_) {
        const std::string what = fmt::format("{} {}", job.info->name, rule.name);
        const auto trials = lab::tune(*job.info, *job.workload, config(job, rule, memories_.front(), 1),
                                      watch(what, job.steps, interrupt));
        if (!trials.empty()) reports.push_back({job.info, rule, trials});
        if (interrupt.pending()) break;
        const lab::Trial& best = lab::best(trials);
        progress_.line(fmt::format("{}: lr {:g}, weight_decay {:g}: loss {:.4g}", what, best.settings.lr,
                                   best.settings.weight_decay, best.loss));
      }
      if (interrupt.pending()) break;
    }
    if (arguments_.json) {
      print_tune_json(reports, interrupt.pending());
    } else {
      print_tune_tables(reports, interrupt.pending());
    }
    return interrupt.pending() ? kInterrupted : kOk;
  }

  const LabArguments& arguments_;
  std::vector<RuleConfig> rules_;
  std::optional<std::int64_t> steps_, batch_size_, seeds_;
  Options set_;  // instead of what is tuned, and of the rules' own
  std::uint64_t log_every_ = 1, checkpoint_every_ = 0;
  int threads_ = 0;
  std::vector<lab::MemoryFormats> memories_;
  std::string text_;
  std::vector<Job> jobs_;
  Progress progress_;
};

std::string rules_help() {
  std::string help = "Rules:\n";
  for (const RuleConfig& rule : lab::rule_configs()) help += fmt::format("  {:<10} {}\n", rule.name, rule.words);
  return help;
}

}  // namespace

Command add_lab(CommandLine& line) {
  Subcommand options = line.add("lab", "Train real workloads with each rule, from the same start, and compare");
  auto arguments = std::make_shared<LabArguments>();
  const auto list = [](const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ",")); };
  options.option("--workload", arguments->workloads, "NAMES",
                 "Only these, separated by commas: " + list(names_of(lab::workloads())));
  options.option("--rules", arguments->rules, "NAMES",
                 "Only these (all but mixed): " + list(names_of(lab::rule_configs())));
  options.option("--steps", arguments->steps, "N", "Steps of each run");
  options.option("--seeds", arguments->seeds, "N",
                 "Runs of each rule, each with its own start and batches (3; words and attention: 2)");
  options.option("--lr", arguments->lr, "X", "Learning rate, instead of the one tuned for rule and workload");
  options.option("--weight-decay", arguments->weight_decay, "X", "Weight decay, instead of the tuned one");
  options.option("--betas", arguments->betas, "B1,B2", "Betas of adam and adamw (0.9,0.999)");
  options.repeated("--set", arguments->set, "OPTION=VALUE",
                   "An option of the rules that have it, such as momentum=0.9; may be given several times");
  options.option("--batch-size", arguments->batch_size, "N", "Samples in a batch");
  options.option("--threads", arguments->threads, "N",
                 "Threads of an optimizer step; 0: all (0). No effect on results");
  options.option("--state", arguments->state, "NAMES",
                 "What weights and states are kept in, to be compared (f32): " + list(names_of(lab::memory_formats())));
  options.option("--text", arguments->text, "FILE",
                 "Text that words and attention learn, plain or gzip (The Jargon File)");
  options.flag("--sparse", arguments->sparse,
               "words, attention: give the embedding's gradient as rows; only touched rows move");
  options.option("--out", arguments->out, "DIR", "Folder of the run logs (a new one in ./runs)");
  options.option("--log-every", arguments->log_every, "N", "Log every N-th step (10)");
  options.option("--checkpoint-every", arguments->checkpoint_every, "N",
                 "Save each run every N steps, where it ends, and at Ctrl-C; the last two checkpoints stay");
  options.option("--checkpoints", arguments->checkpoints, "DIR",
                 "Folder of the checkpoints (checkpoints, in that of the logs)");
  options.flag("--resume", arguments->resume,
               "Go on with the runs of --out DIR where they were saved last; what is finished is not trained again");
  options.flag("--tune", arguments->tune, "Repeat the search that found the tuned settings, and print it");
  options.flag("--json", arguments->json, "Print one JSON object instead of tables");
  options.footer(rules_help());
  return {options, [arguments] { return Lab(*arguments).run(); }};
}

}  // namespace adamant::cli
