// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/bench_report.h"

#include <fmt/format.h>

#include <adamant/adamant.hpp>
#include <cstdio>
#include <optional>

#include "cli/json.h"
#include "cli/rule_options.h"
#include "cli/words.h"

namespace adamant::cli {
namespace {

using bench::Case;
using bench::Result;
using bench::Times;

// What the step is compared with: in JSON, and in words.
struct Other {
  std::optional<Times> Result::* times;
  const char *key, *words;
};
constexpr Other kOthers[] = {
    {&Result::sums, "sums", "with sums"},
    {&Result::statistics, "statistics", "with statistics"},
    {&Result::composer, "composer", "Composer-style"},
    {&Result::olmo, "olmo", "OLMo-style"},
    {&Result::bare, "bare", "bare step"},
    {&Result::f32, "f32", "f32 step"},
    {&Result::one_tensor, "one_tensor", "one tensor"},
    {&Result::plain, "plain", "plain kernel"},
    {&Result::unfused, "unfused", "8 passes"},
    {&Result::naive, "naive", "naive -O2"},
};

Json json_of(const Case& what, const bench::Workload& workload, const Result& result) {
  const auto parameters = static_cast<double>(workload.total());
  const auto per_param = [&](const Times& times) { return times.median() / parameters; };
  const auto bytes = static_cast<double>(result.bytes_per_param);
  Json object = {
      {"rule", info(what.rule).name},
      {"param", info(what.param).name},
      {"grad", info(what.grad).name},
      {"state", info(what.state).name},
      {"weights", info(what.weights).name},
      {"workload", workload.name},
      {"threads", what.threads},
      {"policy", name_of(result.policy)},
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
  if (Json options = options_json(what.options); !options.empty()) object["options"] = std::move(options);
  for (const Other& other : kOthers) {
    if (const auto& times = result.*other.times) object[fmt::format("{}_ns_per_param", other.key)] = per_param(*times);
  }
  return object;
}

Json json_of(const bench::Machine& machine) {
  return {{"cpu", machine.cpu},           {"threads", machine.threads}, {"caches", machine.caches},
          {"compiler", machine.compiler}, {"target", current_target()}, {"version", version()}};
}

std::string rivals(const Result& result) {
  std::string text;
  for (const Other& other : kOthers) {
    if (const auto& times = result.*other.times) {
      text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", other.words, ratio(*times, result.step));
    }
  }
  return text;
}

void print_line(const Case& what, const bench::Workload& workload, const Result& result) {
  const double ns = result.step.median() / static_cast<double>(workload.total());
  const auto percent = [&](double time) { return 100.0 * (time / result.step.median() - 1.0); };
  fmt::print("{:<8} {:<22} {:<15} {:>9.4f} {:>6} {:>7.1f} {:>7.1f}%  {:<13} {}\n", info(what.rule).name,
             formats_text(what), fmt::format("{}{}", name_of(result.policy), what.max_norm ? ", clip" : ""), ns,
             result.bytes_per_param, static_cast<double>(result.bytes_per_param) / ns,
             100.0 * ratio(result.ceiling, result.step),
             fmt::format("{:+.0f}% {:+.0f}%", percent(result.step.min()), percent(result.step.max())), rivals(result));
}

}  // namespace

std::string formats_text(const Case& what) {
  const std::string weights = what.weights == WeightFormat::plain ? "" : fmt::format("+{}", info(what.weights).name);
  return fmt::format("{}{}/{}/{}", info(what.param).name, weights, info(what.grad).name, info(what.state).name);
}

void print_machine(const bench::Machine& machine) {
  fmt::print("{}, {} processors; {}; {}; {}\n", machine.cpu, machine.threads, machine.caches, machine.compiler,
             current_target());
  fmt::print(
      "ceiling: speed of the step as a share of a loop with the same loads and stores and no arithmetic,\n"
      "measured turn by turn with it. Medians.\n");
}

void BenchTable::print(const BenchReport& report) {
  const auto& [what, workload, results] = report;
  if (workload.name != workload_ || what.threads != threads_) {
    workload_ = workload.name;
    threads_ = what.threads;
    fmt::print("\n{}: {}{} parameters, {}\n", workload.name,
               workload.tensors > 1 ? fmt::format("{} × ", workload.tensors) : "", workload.size,
               counted(static_cast<std::uint64_t>(what.threads), "thread"));
    fmt::print("{:<8} {:<22} {:<15} {:>9} {:>6} {:>7} {:>8}  {:<13} {}\n", "rule", "p/g/states", "policy", "ns/param",
               "bytes", "GB/s", "ceiling", "step min-max", "times as fast as");
  }
  for (const Result& result : results) print_line(what, workload, result);
  std::fflush(stdout);
}

void print_bench_json(const bench::Machine& machine, std::span<const BenchReport> reports) {
  Json results = Json::array();
  for (const BenchReport& report : reports) {
    for (const Result& result : report.results) results.push_back(json_of(report.what, report.workload, result));
  }
  print_json({{"machine", json_of(machine)}, {"results", std::move(results)}});
}

}  // namespace adamant::cli
