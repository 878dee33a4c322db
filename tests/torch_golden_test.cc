// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The engine against PyTorch: what tools/make_torch_golden wrote down.
#include "tests/support/torch_golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/text.h"
#include "rule/options.h"
#include "rule/variants.h"
#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

using nlohmann::json;

void read(const json& from, std::optional<double>& to) { to = from.get<double>(); }
void read(const json& from, std::optional<bool>& to) { to = from.get<bool>(); }
void read(const json& from, Betas& to) { to = Betas(from[0], from[1]); }

Options read_options(const json& from) {
  Options options;
  std::size_t known = 0;
  for_each_option([&](std::string_view name, auto member) {
    if (!from.contains(name)) return;
    read(from[std::string(name)], options.*member);
    ++known;
  });
  EXPECT_EQ(known, from.size()) << "an option that Options does not have: " << from;
  return options;
}

std::string shown(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_array()) return "(" + text(value[0]) + ", " + text(value[1]) + ")";
  return text(value);
}

TEST(TorchGolden, DefaultsAndOptionsAreTorchs) {
  for (const char* rule : {"adamw", "adam", "sgd", "rmsprop", "adagrad"}) {
    EXPECT_TRUE(torch_golden()["defaults"].contains(rule)) << rule;
  }
  for (const auto& [name, torch] : torch_golden()["defaults"].items()) {
    const RuleInfo& rule = info(rule_from_name(name));
    EXPECT_EQ(torch.size(), rule.options.size()) << rule.name;
    for (const OptionInfo& option : rule.options) {
      ASSERT_TRUE(torch.contains(option.name)) << rule.name << " " << option.name;
      EXPECT_EQ(shown(torch[std::string(option.name)]), to_text(option.default_value))
          << rule.name << " " << option.name;
    }
  }
}

/// One tensor of a run, with what the run does to its gradient.
struct RunTensor {
  RunTensor(const json& golden, std::uint64_t number, Format format)
      : golden(golden),
        name("tensor" + std::to_string(number)),
        shape(golden["shape"].get<std::vector<std::size_t>>()),
        param(format, size()),
        grad(format, size()),
        seed(1000 * number) {
    param.fill(seed);
    before = param.values();
  }

  [[nodiscard]] std::size_t size() const {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  }
  [[nodiscard]] bool absent(std::uint64_t step) const {
    return std::ranges::find(golden["absent"], json(step)) != golden["absent"].end();
  }
  void set_grad(Optimizer& optimizer, std::uint64_t step) {
    if (absent(step)) return optimizer.set_grad(name, {});
    if (!golden.contains("rows")) return optimizer.set_grad(name, grad.fill(seed + step).view());
    rows = golden["rows"][step - 1].get<std::vector<std::int64_t>>();
    grad = Buffer(param.format(), rows.size() * size() / shape[0]).fill(seed + step);
    optimizer.set_lazy_row_grad(name, rows, grad.view());
  }

  const json& golden;
  std::string name;
  std::vector<std::size_t> shape;
  Buffer param, grad;
  std::vector<double> before;
  std::vector<std::int64_t> rows;
  std::uint64_t seed;
};

double largest(const std::vector<double>& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

std::vector<double> numbers(const json& from) { return from.get<std::vector<double>>(); }

/// A run of PyTorch's, done again.
struct Run {
  explicit Run(const json& golden) : golden(golden), format(format_from_name(golden["format"].get<std::string>())) {
    for (const json& tensor : golden["tensors"]) tensors.emplace_back(tensor, tensors.size() + 1, format);
    std::vector<ParamGroup> groups;
    for (const json& options : golden["groups"]) groups.push_back({{}, read_options(options)});
    for (RunTensor& tensor : tensors) {
      groups[tensor.golden["group"]].params.emplace_back(tensor.name, tensor.param.view(), Tensor(), tensor.shape);
    }
    Settings settings;
    if (golden.contains("max_norm")) settings.max_norm = golden["max_norm"].get<double>();
    optimizer.emplace(rule_from_name(golden["rule"].get<std::string>()), std::move(groups),
                      read_options(golden["options"]), settings);
  }

  StepReport step(std::uint64_t number) {
    for (RunTensor& tensor : tensors) tensor.set_grad(*optimizer, number);
    for (std::size_t group = 0; golden.contains("lr") && group < optimizer->group_count(); ++group) {
      optimizer->set_options(group, {.lr = golden["lr"][number - 1][group].get<double>()});
    }
    return optimizer->step();
  }

  /// How far two numbers of size 1 may lie apart after a run. Both sides round each number about three times a step,
  /// each time by at most half a unit in the last place and in either direction: a random walk of 6 · steps such
  /// roundings, of which twice the expected length is allowed. For 12 steps that is 8.5 units in the last place. The
  /// worst that was seen is 2.4 of them, in 900 steps 6.8.
  [[nodiscard]] double tolerance() const {
    const double half_unit = format == Format::f32 ? 0x1p-24 : 0x1p-53;
    return 2.0 * std::sqrt(6.0 * golden["steps"].get<double>()) * half_unit;
  }

  const json& golden;
  Format format;
  std::vector<RunTensor> tensors;
  std::optional<Optimizer> optimizer;
};

void expect_close(const std::vector<double>& found, const std::vector<double>& expected, double tolerance,
                  const std::function<double(std::size_t)>& size_of, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], tolerance * size_of(i)) << what << " element " << i;
  }
}

// Second moments are sums of positive terms, and wrong by a share of themselves. First moments are sums of terms of
// either sign, and wrong by a share of the largest of those.
void compare_state(const Run& run, const RunTensor& tensor, const std::string& name, const StateDict::State& state) {
  const std::vector<double> expected = numbers(tensor.golden["states"][name]);
  Buffer found(run.format, expected.size());
  ASSERT_EQ(state.bytes.size(), expected.size() * info(run.format).bytes);
  std::ranges::copy(state.bytes, found.data());
  const auto* known = std::ranges::find(kStateList, name, &StateInfo::name);
  expect_close(
      found.values(), expected, run.tolerance(),
      [&](std::size_t i) { return known->negative ? largest(expected) : expected[i]; }, tensor.name + " " + name);
}

void compare(const json& golden) {
  Run run(golden);
  for (std::uint64_t step = 1; step <= golden["steps"]; ++step) {
    const StepReport report = run.step(step);
    if (!golden.contains("norms")) continue;
    const double norm = golden["norms"][step - 1];
    EXPECT_NEAR(*report.grad_norm, norm, norm * run.tolerance()) << "norm of step " << step;
  }
  const StateDict dict = run.optimizer->state_dict();
  for (const RunTensor& tensor : run.tensors) {
    const StateDict::Entry& entry = dict.tensors.at(tensor.name);
    // SGD does not count its steps there.
    EXPECT_EQ(entry.step, tensor.golden.value("step", entry.step)) << tensor.name;
    const std::vector<double> expected = numbers(tensor.golden["param"]);
    expect_close(
        tensor.param.values(), expected, run.tolerance(),
        [&](std::size_t i) { return std::max(std::abs(expected[i]), std::abs(tensor.before[i])); }, tensor.name);
    EXPECT_EQ(entry.states.size(), tensor.golden["states"].size()) << tensor.name;
    for (const auto& [name, state] : entry.states) {
      ASSERT_TRUE(tensor.golden["states"].contains(name)) << tensor.name << " " << name;
      compare_state(run, tensor, name, state);
    }
  }
}

TEST(TorchGolden, Runs) {
  for (const json& run : torch_golden()["cases"]) {
    SCOPED_TRACE(run["name"].get<std::string>() + " " + run["format"].get<std::string>());
    compare(run);
  }
}

// Every form the engine has is among the runs, or somebody forgot to ask.
TEST(TorchGolden, EveryFormWasAsked) {
  std::set<std::string_view> asked;
  for (const json& golden : torch_golden()["cases"]) {
    const Rule rule = rule_from_name(golden["rule"].get<std::string>());
    asked.insert(info(variant_of(rule, resolve(rule, defaults(rule), read_options(golden["options"])))).name);
  }
  for (const VariantInfo& variant : kVariants) EXPECT_TRUE(asked.contains(variant.name)) << variant.name;
}

}  // namespace
}  // namespace adamant::testing
