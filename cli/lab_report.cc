// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/lab_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <adamant/format.hpp>
#include <adamant/targets.hpp>
#include <algorithm>
#include <cmath>
#include <functional>

#include "cli/json.h"
#include "cli/rule_options.h"
#include "lab/comparison.h"
#include "lab/summary.h"

namespace adamant::cli {
namespace {

using lab::Outcome;
using lab::Summary;
using lab::WorkloadInfo;

std::string with_spread(const std::string& mean, const std::string& deviation, const Summary& summary) {
  return summary.count < 2 ? mean : mean + " ±" + deviation;
}

// The cells of a rule's line.
struct Cells {
  std::string loss = "diverged", metric = "-", target = "not reached", step, bytes, note;
};

Cells cells_of(const WorkloadReport& workload, const RuleReport& rule) {
  std::vector<double> losses, metrics, targets, step_ns, bytes;
  for (const auto& [seed, result, log] : rule.runs) {
    step_ns.push_back(result.step_ns);
    bytes.push_back(result.bytes_per_param);
    if (result.steps_to_target) targets.push_back(static_cast<double>(*result.steps_to_target));
    if (result.outcome != Outcome::finished) continue;
    losses.push_back(result.score.loss);
    metrics.push_back(result.score.metric);
  }
  Cells cells;
  const Summary loss = lab::summarize(losses), metric = lab::summarize(metrics), target = lab::summarize(targets);
  if (loss.count > 0) {
    cells.loss = with_spread(fmt::format("{:.4g}", loss.mean), fmt::format("{:.2g}", loss.deviation), loss);
    const auto text = workload.info->metric_text;
    cells.metric = with_spread(text(metric.mean), text(metric.deviation), metric);
  }
  if (target.count > 0) cells.target = fmt::format("{:.0f}", target.mean);
  if (target.count > 0 && target.count < rule.runs.size()) {
    cells.target += fmt::format(" ({} of {})", target.count, rule.runs.size());
  }
  cells.step = fmt::format("{:.2f} µs", lab::summarize(step_ns).mean / 1000.0);
  cells.bytes = fmt::format("{:.1f}", lab::summarize(bytes).mean);
  if (loss.count > 0 && loss.count < rule.runs.size()) {
    cells.note = fmt::format("  {} of {} diverged", rule.runs.size() - loss.count, rule.runs.size());
  }
  if (rule.runs.front().result.f32_states) {
    cells.note += fmt::format("  f32 states: fewer than {} elements", kSmallTensor);
  }
  if (rule.runs.size() < workload.seeds) {
    cells.note += fmt::format("  {} of {} seeds done", rule.runs.size(), workload.seeds);
  }
  return cells;
}

// What each group of a run uses: one value if it is the same for all.
std::vector<double> of_groups(const RuleReport& rule, double lab::Tuned::* setting) {
  std::vector<double> values;
  for (const lab::TunedRule& group : rule.runs.front().result.groups) values.push_back(group.settings.*setting);
  if (std::ranges::adjacent_find(values, std::ranges::not_equal_to()) == values.end()) values.resize(1);
  return values;
}

std::string text_of(const std::vector<double>& values) { return fmt::format("{:g}", fmt::join(values, "/")); }

// One value, or an array of those of all groups.
Json json_of(const std::vector<double>& values) { return values.size() == 1 ? Json(values.front()) : Json(values); }

Json options_of(const std::vector<lab::TunedRule>& groups) {
  Json options = Json::array();
  for (const auto& [rule, settings] : groups) options.push_back(options_json(lab::options_of(rule, settings)));
  return options.size() == 1 ? Json(options.front()) : options;
}

// What the same seeds lose or gain in another memory than f32: "loss +0.12% ±0.20% (standard error) against f32".
std::string against_f32(const WorkloadReport& workload, const RuleReport& rule) {
  const std::string_view f32 = lab::memory_formats().front().name;
  if (rule.memory.name == f32 || rule.runs.front().result.f32_states) return "";
  const auto base = std::ranges::find_if(workload.rules, [&](const RuleReport& other) {
    return other.rule.name == rule.rule.name && other.memory.name == f32;
  });
  if (base == workload.rules.end()) return "";
  std::vector<double> differences, losses;
  for (std::size_t i = 0; i < std::min(rule.runs.size(), base->runs.size()); ++i) {
    const lab::RunResult& here = rule.runs[i].result;
    const lab::RunResult& there = base->runs[i].result;
    if (here.outcome != Outcome::finished || there.outcome != Outcome::finished) continue;
    differences.push_back(here.score.loss - there.score.loss);
    losses.push_back(there.score.loss);
  }
  if (losses.empty()) return "";
  const Summary difference = lab::summarize(differences);
  const double percent = 100.0 / lab::summarize(losses).mean;
  std::string words = fmt::format("  loss {:+.2f}%", percent * difference.mean);
  if (difference.count > 1) {
    words +=
        fmt::format(" ±{:.2f}%", percent * difference.deviation / std::sqrt(static_cast<double>(difference.count)));
  }
  return words + " against f32";
}

// The sentence below a table.
std::string sentence_of(const WorkloadReport& workload) {
  std::vector<lab::ComparedRule> rules;
  rules.reserve(workload.rules.size());
  for (const RuleReport& rule : workload.rules) {
    lab::ComparedRule compared{compared_name(rule.rule, rule.memory), rule.rule.rule != Rule::sgd, {}};
    compared.losses.reserve(rule.runs.size());
    for (const auto& [seed, result, log] : rule.runs) {
      compared.losses.push_back(result.outcome == Outcome::finished ? result.score.loss : std::nan(""));
    }
    rules.push_back(std::move(compared));
  }
  return lab::comparison_sentence(rules);
}

constexpr const char* kLine = "  {:<16} {:>10} {:>7}  {:<17} {:<14} {:<16} {:>10} {:>12}{}\n";

}  // namespace

std::string compared_name(const lab::RuleConfig& rule, const lab::MemoryFormats& memory) {
  const bool f32 = memory.name == lab::memory_formats().front().name;
  return f32 ? std::string(rule.name) : fmt::format("{}-{}", rule.name, memory.name);
}

std::string score_text(const WorkloadInfo& info, const lab::RunResult& result) {
  if (result.outcome == Outcome::diverged) return fmt::format("diverged at step {}", result.steps + 1);
  return fmt::format("loss {:.4g}, {} {}", result.score.loss, info.metric, info.metric_text(result.score.metric));
}

void print_table(const LabReport& report) {
  bool compared = false, any = false;
  for (const WorkloadReport& workload : report.workloads) {
    // Where Ctrl-C came before.
    if (std::ranges::all_of(workload.rules, [](const RuleReport& rule) { return rule.runs.empty(); })) continue;
    any = true;
    fmt::print("\n{}: {}\n  {} steps of batch {}, {}\n", workload.info->name, workload.description, workload.steps,
               workload.batch_size,
               workload.seeds == 1 ? "1 seed" : fmt::format("{} seeds (mean ± standard deviation)", workload.seeds));
    fmt::print(kLine, "rule", "lr", "decay", "loss", workload.info->metric,
               fmt::format("steps to {:g}", workload.info->target_loss), "step", "bytes/param", "");
    for (const RuleReport& rule : workload.rules) {
      if (rule.runs.empty()) continue;
      const Cells cells = cells_of(workload, rule);
      const std::string difference = against_f32(workload, rule);
      compared = compared || !difference.empty();
      fmt::print(kLine, compared_name(rule.rule, rule.memory), text_of(of_groups(rule, &lab::Tuned::lr)),
                 text_of(of_groups(rule, &lab::Tuned::weight_decay)), cells.loss, cells.metric, cells.target,
                 cells.step, cells.bytes, cells.note + difference);
    }
    if (const std::string sentence = sentence_of(workload); !sentence.empty()) fmt::print("  {}\n", sentence);
  }
  if (any) {
    fmt::print(
        "\nloss and score: on data held out from training; of ravine and rosenbrock, without noise. steps to: until "
        "the "
        "mean\n"
        "of the last 20 training losses is that low. step: median time of an optimizer step.{} ",
        compared ? " ± after a difference: standard error." : "");
  }
  fmt::print("Run logs: {}\n", report.folder);
  if (!report.page.empty()) fmt::print("What the moments did, run by run: {}\n", report.page);
  if (report.interrupted) fmt::print("Interrupted: only what was finished is shown.\n");
}

void print_json(const LabReport& report) {
  Json results = Json::array();
  for (const WorkloadReport& workload : report.workloads) {
    for (const RuleReport& rule : workload.rules) {
      for (const auto& [seed, result, log] : rule.runs) {
        const bool finished = result.outcome == Outcome::finished;
        results.push_back({{"workload", workload.info->name},
                           {"rule", rule.rule.name},
                           {"state", rule.memory.name},
                           {"seed", seed},
                           {"outcome", lab::name(result.outcome)},
                           {"steps", result.steps},
                           {"batch_size", workload.batch_size},
                           {"lr", json_of(of_groups(rule, &lab::Tuned::lr))},
                           {"weight_decay", json_of(of_groups(rule, &lab::Tuned::weight_decay))},
                           {"betas", rule.rule.options.betas ? Json(*rule.rule.options.betas) : Json()},
                           {"options", options_of(result.groups)},
                           {"loss", finished ? Json(result.score.loss) : Json()},
                           {std::string(workload.info->metric), finished ? Json(result.score.metric) : Json()},
                           {"target_loss", workload.info->target_loss},
                           {"steps_to_target", result.steps_to_target ? Json(*result.steps_to_target) : Json()},
                           {"step_ns", result.step_ns},
                           {"bytes_per_param", result.bytes_per_param},
                           {"seconds", result.seconds},
                           {"log", log}});
      }
    }
  }
  const Json json = {{"command", "lab"},      {"target", current_target()},        {"folder", report.folder},
                     {"report", report.page}, {"interrupted", report.interrupted}, {"results", std::move(results)}};
  print_json(json);
}

void print_tune_tables(const std::vector<TuneReport>& reports, bool interrupted) {
  for (const TuneReport& report : reports) {
    const lab::Trial& best = lab::best(report.trials);
    fmt::print("\n{} {}: best lr {:g}, weight_decay {:g}: loss {:.4g} on validation data\n", report.info->name,
               report.rule.name, best.settings.lr, best.settings.weight_decay, best.loss);
    fmt::print("  {:>7} {:>12} {:>10}\n", "lr", "weight_decay", "loss");
    for (const auto& [settings, loss] : report.trials) {
      fmt::print("  {:>7} {:>12} {:>10}\n", fmt::format("{:g}", settings.lr),
                 fmt::format("{:g}", settings.weight_decay),
                 std::isfinite(loss) ? fmt::format("{:.4g}", loss) : "diverged");
    }
  }
  if (interrupted) fmt::print("\nInterrupted: only what was finished was compared.\n");
}

void print_tune_json(const std::vector<TuneReport>& reports, bool interrupted) {
  Json results = Json::array();
  for (const TuneReport& report : reports) {
    const lab::Trial& best = lab::best(report.trials);
    for (const lab::Trial& trial : report.trials) {
      results.push_back({{"workload", report.info->name},
                         {"rule", report.rule.name},
                         {"lr", trial.settings.lr},
                         {"weight_decay", trial.settings.weight_decay},
                         {"loss", std::isfinite(trial.loss) ? Json(trial.loss) : Json()},
                         {"best", &trial == &best}});
    }
  }
  const Json json = {{"command", "lab --tune"}, {"interrupted", interrupted}, {"results", std::move(results)}};
  print_json(json);
}

}  // namespace adamant::cli
