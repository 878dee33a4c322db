// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant bench: how near a step comes to what the memory of this machine can do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <adamant/adamant.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/machine.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/rule_options.h"
#include "cli/values.h"
#include "cli/words.h"

namespace adamant::cli {
namespace {

using bench::Case;

// As given; an empty text is an option that was not.
struct Texts {
  std::string rules, param, grad, state, weights, workload = "cache,l3,dram,many", threads = "1,0",
                                                  policy = "propagate";
  std::string max_norm, grad_scale, momentum, tensors, size, seconds, rounds, observe_every, target;
  std::vector<std::string> set;
  bool amsgrad = false, statistics = false, json = false;
};

struct Formats {
  Rule rule;
  Format param, grad;
  StateFormat state;
  WeightFormat weights = WeightFormat::plain;
};

// What is measured where nothing is chosen: each rule in f32, and AdamW in the formats that halve its memory.
std::vector<Formats> tour() {
  std::vector<Formats> all;
  for (const RuleInfo& rule : rules()) {
    all.push_back({rule.rule, Format::f32, Format::f32, StateFormat::f32});
    if (rule.rule != Rule::adamw) continue;
    all.push_back({rule.rule, Format::bf16, Format::bf16, StateFormat::f32});
    all.push_back({rule.rule, Format::bf16, Format::bf16, StateFormat::bf16});
    all.push_back({rule.rule, Format::f16, Format::f16, StateFormat::f16});
    for (const std::string_view name : presets()) {
      const Settings settings = preset(name);
      all.push_back({rule.rule, Format::bf16, Format::bf16, settings.state, settings.weights});
    }
  }
  return all;
}

std::vector<Formats> chosen(const Texts& texts) {
  if (texts.rules.empty() && texts.param.empty() && texts.grad.empty() && texts.state.empty() &&
      texts.weights.empty()) {
    return tour();
  }
  const auto names = [](const char* option, const std::string& text, std::string_view otherwise, const auto& known) {
    return text.empty() ? std::vector<std::string>{std::string(otherwise)} : read_names(option, text, names_of(known));
  };
  std::vector<Formats> all;
  for (const std::string& rule : names("--rules", texts.rules, info(Rule::adamw).name, rules())) {
    for (const std::string& param : names("--param", texts.param, info(Format::f32).name, formats())) {
      const bool wide = format_from_name(param) == Format::f64;
      for (const std::string& grad : names("--grad", texts.grad, param, formats())) {
        for (const std::string& state :
             names("--state", texts.state, info(wide ? StateFormat::f64 : StateFormat::f32).name, state_formats())) {
          for (const std::string& weights :
               names("--weights", texts.weights, info(WeightFormat::plain).name, weight_formats())) {
            all.push_back({rule_from_name(rule), format_from_name(param), format_from_name(grad),
                           state_format_from_name(state), weight_format_from_name(weights)});
          }
        }
      }
    }
  }
  return all;
}

std::vector<NonFinite> read_policies(const std::string& text) {
  constexpr NonFinite kPolicies[] = {NonFinite::propagate, NonFinite::skip, NonFinite::error};
  std::vector<std::string> known;
  for (const NonFinite policy : kPolicies) known.emplace_back(name_of(policy));
  std::vector<NonFinite> policies;
  for (const std::string& name : read_names("--policy", text, known)) {
    const auto at = std::find(known.begin(), known.end(), name);
    policies.push_back(kPolicies[at - known.begin()]);
  }
  return policies;
}

// 0 is all processors; a number that is meant twice counts once.
std::vector<int> read_threads(const std::string& text) {
  const int all = bench::machine().threads;
  std::vector<int> threads;
  for (const std::string_view one : split(text)) {
    const int count = static_cast<int>(read_integer("--threads", one, 0, all));
    const int resolved = count == 0 ? all : count;
    if (std::find(threads.begin(), threads.end(), resolved) == threads.end()) threads.push_back(resolved);
  }
  return threads;
}

double read_positive(const char* option, const std::string& text) {
  const double value = read_number(option, text);
  if (value <= 0.0) throw UsageError(fmt::format("{}: '{}' must be greater than 0", option, text));
  return value;
}

std::vector<Case> read_cases(const Texts& texts) {
  Case common;
  common.policies = read_policies(texts.policy);
  if (!texts.momentum.empty()) common.options.momentum = read_number("--momentum", texts.momentum);
  if (texts.amsgrad) common.options.amsgrad = true;
  for (const std::string& text : texts.set) set_once(common.options, "--set", read_rule_option("--set", text));
  if (!texts.max_norm.empty()) common.max_norm = read_positive("--max-norm", texts.max_norm);
  if (!texts.grad_scale.empty()) common.grad_scale = read_positive("--grad-scale", texts.grad_scale);
  common.statistics = texts.statistics || !texts.observe_every.empty();
  if (!texts.observe_every.empty()) {
    common.observe_every = static_cast<std::uint32_t>(read_integer("--observe-every", texts.observe_every, 1, 1 << 30));
  }
  if (!texts.tensors.empty()) {
    common.tensors = static_cast<std::size_t>(read_integer("--tensors", texts.tensors, 1, 10000000));
  }
  if (!texts.size.empty()) {
    common.size = static_cast<std::size_t>(read_integer("--size", texts.size, 1, std::int64_t{1} << 40));
  }
  const std::vector<std::string> known_workloads(std::begin(bench::kWorkloads), std::end(bench::kWorkloads));
  std::vector<Case> cases;
  for (const std::string& workload : read_names("--workload", texts.workload, known_workloads)) {
    for (const int threads : read_threads(texts.threads)) {
      for (const Formats& formats : chosen(texts)) {
        Case& added = cases.emplace_back(common);
        added.rule = formats.rule;
        added.param = formats.param;
        added.grad = formats.grad;
        added.state = formats.state;
        added.weights = formats.weights;
        added.workload = workload;
        added.threads = threads;
        bench::check_fits(added);  // before anything is measured
      }
    }
  }
  return cases;
}

// Seconds for one case so that the tour takes less than a minute: large memory needs time to be set up, and rounds.
double seconds_of(const Case& what) { return what.workload == "dram" ? 1.2 : 0.3; }

int run(const Texts& texts) {
  if (!texts.target.empty()) use_target(texts.target);
  const std::vector<Case> cases = read_cases(texts);
  bench::Budget chosen_budget{0.0};
  if (!texts.seconds.empty()) chosen_budget.seconds = read_positive("--seconds", texts.seconds);
  if (!texts.rounds.empty())
    chosen_budget.rounds = static_cast<int>(read_integer("--rounds", texts.rounds, 1, 1000000));
  const bench::Machine machine = bench::machine();
  std::vector<BenchReport> reports;
  BenchTable table;
  Progress progress;
  if (!texts.json) print_machine(machine);
  for (const Case& what : cases) {
    progress.show(fmt::format("{}/{}", reports.size() + 1, cases.size()), reports.size(), cases.size(),
                  fmt::format("{} {} {}, {}", what.workload, info(what.rule).name, formats_text(what),
                              counted(static_cast<std::uint64_t>(what.threads), "thread")));
    bench::Budget budget = chosen_budget;
    if (budget.seconds == 0.0) budget.seconds = seconds_of(what);
    const bench::Contest contest(what);
    reports.push_back({what, contest.workload(), contest.run(budget)});
    progress.clear();
    if (!texts.json) table.print(reports.back());
  }
  if (texts.json) print_bench_json(machine, reports);
  return kOk;
}

}  // namespace

Command add_bench(CommandLine& line) {
  auto texts = std::make_shared<Texts>();
  Subcommand options = line.add("bench", "Measure the speed of a step against the ceiling of this machine");
  options.option("--rules,--rule", texts->rules, "NAMES",
                 fmt::format("Rules, of {}", fmt::join(names_of(rules()), ", ")));
  options.option("--param", texts->param, "NAMES",
                 fmt::format("Formats of the parameters, of {} (f32)", fmt::join(names_of(formats()), ", ")));
  options.option("--grad", texts->grad, "NAMES", "Formats of the gradients (as the parameters)");
  options.option(
      "--state", texts->state, "NAMES",
      fmt::format("Formats of the states, of {} (f32; f64 for f64)", fmt::join(names_of(state_formats()), ", ")));
  options.option(
      "--weights", texts->weights, "NAMES",
      fmt::format("What is kept below bf16 parameters, of {} (plain)", fmt::join(names_of(weight_formats()), ", ")));
  options.option("--workload", texts->workload, "NAMES",
                 "cache: 16Ki parameters; l3: 1Mi; dram: 64Mi or more; many: 1000 tensors of 4096 (all)");
  options.option("--threads", texts->threads, "NUMBERS", "Threads of a step; 0: all processors (1,0)");
  options.option("--policy", texts->policy, "NAMES",
                 "What a gradient that is not finite does: propagate, skip, error (propagate). The last two look at "
                 "all gradients first: one more read of them, which is counted");
  options.option("--max-norm", texts->max_norm, "NUMBER", "Clip the global norm; needs the look too");
  options.option("--grad-scale", texts->grad_scale, "NUMBER", "Divide the gradients by this (1)");
  options.repeated("--set", texts->set, "OPTION=VALUE",
                   "An option of the rules, such as centered=true; may be given several times");
  options.option("--momentum", texts->momentum, "NUMBER", "Momentum of sgd and rmsprop (0)");
  options.flag(
      "--statistics", texts->statistics,
      "The step with statistics too: with the sums alone, with all, and as others take them, in passes after it");
  options.option("--observe-every", texts->observe_every, "NUMBER",
                 "Of these, the sums of one block in so many (32, or more or fewer by the size of a tensor)");
  options.flag("--amsgrad", texts->amsgrad, "The amsgrad form of adam and adamw");
  options.option("--tensors", texts->tensors, "NUMBER", "Number of tensors, instead of the workload's");
  options.option("--size", texts->size, "NUMBER", "Elements of each tensor, instead of the workload's");
  options.option("--seconds", texts->seconds, "NUMBER", "Seconds for each case (1.2 for dram, 0.3 for the others)");
  options.option("--rounds", texts->rounds, "NUMBER", "Turns of each contestant, instead of a time");
  options.option("--target", texts->target, "NAME",
                 fmt::format("Instruction set of the step, of {} (the first)", fmt::join(targets(), ", ")));
  options.flag("--json", texts->json, "Print one JSON object");
  options.footer(
      "NAMES and NUMBERS: several separated by commas. Every combination is measured; without --rules, --param,\n"
      "--grad, --state and --weights: every rule in f32, and adamw in narrow formats.");
  return {options, [texts] { return run(*texts); }};
}

}  // namespace adamant::cli
