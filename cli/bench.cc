// adamant bench: how near a step comes to what the memory of this machine can do.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <adamant/adamant.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/contest.h"
#include "bench/machine.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/values.h"

namespace adamant::cli {
namespace {

using bench::Case;
using bench::Result;
using nlohmann::ordered_json;

// As given; an empty text is an option that was not.
struct Texts {
  std::string rules, param, grad, state, weights, workload = "cache,l3,dram,many", threads = "1,0",
                                                  policy = "propagate";
  std::string max_norm, grad_scale, momentum, size, seconds, rounds, observe_every;
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

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& entry : list) names.emplace_back(entry.name);
  return names;
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
  for (const NonFinite policy : kPolicies) known.emplace_back(bench::name_of(policy));
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
  for (const std::string& one : CLI::detail::split(text, ',')) {
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
  if (!texts.max_norm.empty()) common.max_norm = read_positive("--max-norm", texts.max_norm);
  if (!texts.grad_scale.empty()) common.grad_scale = read_positive("--grad-scale", texts.grad_scale);
  common.statistics = texts.statistics || !texts.observe_every.empty();
  if (!texts.observe_every.empty()) {
    common.observe_every = static_cast<std::uint32_t>(read_integer("--observe-every", texts.observe_every, 1, 1 << 30));
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
        if (!texts.momentum.empty()) added.options.momentum = read_number("--momentum", texts.momentum);
        if (texts.amsgrad) added.options.amsgrad = true;
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

ordered_json json_of(const Case& what, const bench::Workload& workload, const Result& result) {
  const auto parameters = static_cast<double>(workload.total());
  const auto per_param = [&](const bench::Times& times) { return times.median() / parameters; };
  const auto bytes = static_cast<double>(result.bytes_per_param);
  ordered_json object = {
      {"rule", info(what.rule).name},
      {"param", info(what.param).name},
      {"grad", info(what.grad).name},
      {"state", info(what.state).name},
      {"weights", info(what.weights).name},
      {"workload", workload.name},
      {"threads", what.threads},
      {"policy", bench::name_of(result.policy)},
      {"tensors", workload.tensors},
      {"params", workload.total()},
      {"ns_per_param", per_param(result.step)},
      {"bytes_per_param", result.bytes_per_param},
      {"allocated_bytes_per_param", result.allocated_bytes_per_param},
      {"gb_per_s", bytes / per_param(result.step)},
      {"ceiling_ratio", ratio(result.ceiling, result.step)},
      {"ceiling_ns_per_param", per_param(result.ceiling)},
      {"rounds", result.step.ns.size()},
      {"min_ns", result.step.min()},
      {"median_ns", result.step.median()},
      {"max_ns", result.step.max()},
  };
  if (what.max_norm) object["max_norm"] = *what.max_norm;
  if (what.grad_scale != 1.0) object["grad_scale"] = what.grad_scale;
  const auto add = [&](const char* name, const std::optional<bench::Times>& times) {
    if (times) object[name] = per_param(*times);
  };
  add("bare_ns_per_param", result.bare);
  add("f32_ns_per_param", result.f32);
  add("one_tensor_ns_per_param", result.one_tensor);
  add("sums_ns_per_param", result.sums);
  add("statistics_ns_per_param", result.statistics);
  add("composer_ns_per_param", result.composer);
  add("olmo_ns_per_param", result.olmo);
  add("plain_ns_per_param", result.plain);
  add("unfused_ns_per_param", result.unfused);
  add("naive_ns_per_param", result.naive);
  return object;
}

ordered_json json_of(const bench::Machine& machine) {
  return {{"cpu", machine.cpu},
          {"threads", machine.threads},
          {"caches", machine.caches},
          {"compiler", machine.compiler},
          {"target", current_target()},
          {"version", fmt::format("{}.{}.{}", ADAMANT_VERSION_MAJOR, ADAMANT_VERSION_MINOR, ADAMANT_VERSION_PATCH)}};
}

std::string formats_text(const Case& what) {
  const std::string weights = what.weights == WeightFormat::plain ? "" : fmt::format("+{}", info(what.weights).name);
  return fmt::format("{}{}/{}/{}", info(what.param).name, weights, info(what.grad).name, info(what.state).name);
}

class Table {
 public:
  void add(const Case& what, const bench::Workload& workload, const Result& result) {
    if (workload.name != workload_ || what.threads != threads_) {
      workload_ = workload.name;
      threads_ = what.threads;
      fmt::print("\n{}: {}{} parameters, {} thread{}\n", workload.name,
                 workload.tensors > 1 ? fmt::format("{} × ", workload.tensors) : "", workload.size, what.threads,
                 what.threads == 1 ? "" : "s");
      fmt::print("{:<8} {:<22} {:<15} {:>9} {:>6} {:>7} {:>8}  {:<13} {}\n", "rule", "p/g/states", "policy", "ns/param",
                 "bytes", "GB/s", "ceiling", "step min-max", "times as fast as");
    }
    const double ns = result.step.median() / static_cast<double>(workload.total());
    const auto percent = [&](double time) { return 100.0 * (time / result.step.median() - 1.0); };
    fmt::print(
        "{:<8} {:<22} {:<15} {:>9.4f} {:>6} {:>7.1f} {:>7.1f}%  {:<13} {}\n", info(what.rule).name, formats_text(what),
        fmt::format("{}{}", bench::name_of(result.policy), what.max_norm ? ", clip" : ""), ns, result.bytes_per_param,
        static_cast<double>(result.bytes_per_param) / ns, 100.0 * ratio(result.ceiling, result.step),
        fmt::format("{:+.0f}% {:+.0f}%", percent(result.step.min()), percent(result.step.max())), rivals(result));
    std::fflush(stdout);
  }

 private:
  static std::string rivals(const Result& result) {
    std::string text;
    const auto add = [&](const char* name, const std::optional<bench::Times>& times) {
      if (times) text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", name, ratio(*times, result.step));
    };
    add("with sums", result.sums);
    add("with statistics", result.statistics);
    add("Composer-style", result.composer);
    add("OLMo-style", result.olmo);
    add("bare step", result.bare);
    add("f32 step", result.f32);
    add("one tensor", result.one_tensor);
    add("plain kernel", result.plain);
    add("8 passes", result.unfused);
    add("naive -O2", result.naive);
    return text;
  }

  std::string workload_;
  int threads_ = 0;
};

// One line on a terminal, overwritten; nothing elsewhere.
class ProgressLine {
 public:
  void show(std::size_t done, std::size_t all, const Case& what) const {
    if (!terminal_) return;
    say("\r\033[K[{}/{}] {} {} {}, {} threads", done + 1, all, what.workload, info(what.rule).name, formats_text(what),
        what.threads);
  }
  void clear() const {
    if (terminal_) say("\r\033[K");
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) != 0;
};

int run(const Texts& texts) {
  const std::vector<Case> cases = read_cases(texts);
  bench::Budget chosen_budget{0.0};
  if (!texts.seconds.empty()) chosen_budget.seconds = read_positive("--seconds", texts.seconds);
  if (!texts.rounds.empty())
    chosen_budget.rounds = static_cast<int>(read_integer("--rounds", texts.rounds, 1, 1000000));
  const bench::Machine machine = bench::machine();
  ordered_json results = ordered_json::array();
  Table table;
  const ProgressLine progress;
  if (!texts.json) {
    fmt::print("{}, {} processors; {}; {}; {}\n", machine.cpu, machine.threads, machine.caches, machine.compiler,
               current_target());
    fmt::print(
        "ceiling: speed of the step as a share of a loop with the same loads and stores and no arithmetic,\n"
        "measured turn by turn with it. Medians.\n");
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    progress.show(i, cases.size(), cases[i]);
    bench::Budget budget = chosen_budget;
    if (budget.seconds == 0.0) budget.seconds = seconds_of(cases[i]);
    const bench::Contest contest(cases[i]);
    const std::vector<Result> measured = contest.run(budget);
    progress.clear();
    for (const Result& result : measured) {
      if (texts.json) {
        results.push_back(json_of(cases[i], contest.workload(), result));
      } else {
        table.add(cases[i], contest.workload(), result);
      }
    }
  }
  if (texts.json) {
    fmt::print("{}\n", ordered_json{{"machine", json_of(machine)}, {"results", results}}.dump(2));
  }
  return kOk;
}

}  // namespace

Command add_bench(CLI::App& program) {
  auto texts = std::make_shared<Texts>();
  CLI::App* app = program.add_subcommand("bench", "Measure the speed of a step against the ceiling of this machine");
  const auto option = [app](const char* name, std::string& into, const char* value, const std::string& help) {
    app->add_option(name, into, help)->type_name(value);
  };
  option("--rules,--rule", texts->rules, "NAMES", fmt::format("of {}", fmt::join(names_of(rules()), ", ")));
  option("--param", texts->param, "NAMES",
         fmt::format("formats of the parameters, of {} [f32]", fmt::join(names_of(formats()), ", ")));
  option("--grad", texts->grad, "NAMES", "formats of the gradients [as the parameters]");
  option("--state", texts->state, "NAMES",
         fmt::format("formats of the states, of {} [f32; f64 for f64]", fmt::join(names_of(state_formats()), ", ")));
  option("--weights", texts->weights, "NAMES",
         fmt::format("what is kept below bf16 parameters, of {} [plain]", fmt::join(names_of(weight_formats()), ", ")));
  option("--workload", texts->workload, "NAMES",
         "cache: 16Ki parameters; l3: 1Mi; dram: 64Mi or more; many: 1000 tensors of 4096 [all]");
  option("--threads", texts->threads, "NUMBERS", "0: all processors [1,0]");
  option("--policy", texts->policy, "NAMES",
         "what a gradient that is not finite does: propagate, skip, error [propagate]. The last two look at all "
         "gradients first: one more read of them, which is counted");
  option("--max-norm", texts->max_norm, "NUMBER", "clip the global norm; needs the look too");
  option("--grad-scale", texts->grad_scale, "NUMBER", "divide the gradients by this");
  option("--momentum", texts->momentum, "NUMBER", "of sgd and rmsprop [0]");
  app->add_flag(
      "--statistics", texts->statistics,
      "the step with statistics too: with the sums alone, with all, and as others take them, in passes after it");
  option("--observe-every", texts->observe_every, "NUMBER",
         "of these, the sums of one block in so many [about 64 of a tensor]");
  app->add_flag("--amsgrad", texts->amsgrad, "the amsgrad form of adam and adamw");
  option("--size", texts->size, "NUMBER", "elements of each tensor, instead of the workload's");
  option("--seconds", texts->seconds, "NUMBER", "time for each case [1.2 for dram, 0.3 for the others]");
  option("--rounds", texts->rounds, "NUMBER", "turns of each contestant, instead of a time");
  app->add_flag("--json", texts->json, "print one JSON object");
  app->footer(
      "NAMES and NUMBERS: several separated by commas. Every combination is measured; without --rules, --param,\n"
      "--grad, --state and --weights: every rule in f32, and adamw in narrow formats.");
  return {app, [texts] { return run(*texts); }};
}

}  // namespace adamant::cli
