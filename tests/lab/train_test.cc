// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The training loop on every workload with every rule.
#include "lab/train.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "lab/tune.h"

namespace adamant::lab {
namespace {

// A text in which the next word can be told from the ones before.
std::string small_text() {
  const auto path = std::filesystem::temp_directory_path() / ("adamant-train-" + std::to_string(getpid()));
  std::ofstream file(path);
  for (int i = 0; i < 500; ++i) file << "one two three four five six seven eight nine ten ";
  return path.string();
}

const WorkloadInfo& workload_named(std::string_view name) {
  for (const WorkloadInfo& info : workloads()) {
    if (info.name == name) return info;
  }
  throw std::logic_error("no such workload");
}

struct Trained {
  std::vector<double> losses;
  RunResult result{};
};

Trained run(Workload& workload, RunConfig config) {
  Trained run;
  const Watch watch = [&](std::uint64_t step, double loss) {
    if (step > 0) run.losses.push_back(loss);
    return true;
  };
  run.result = train(workload, config, nullptr, watch);
  return run;
}

TEST(Training, EveryRuleOnEveryWorkloadLowersTheLoss) {
  const std::string text = small_text();
  // How much of the first loss is left at most after that many steps.
  const std::map<std::string_view, std::pair<std::uint64_t, double>> expected = {{"digits", {150, 0.3}},
                                                                                 {"words", {150, 0.5}},
                                                                                 {"attention", {60, 0.5}},
                                                                                 {"ravine", {400, 0.7}},
                                                                                 {"rosenbrock", {400, 0.3}}};
  for (const WorkloadInfo& info : workloads()) {
    const auto workload = info.make({.batch_size = info.batch_size, .text = text});
    const auto [steps, left] = expected.at(info.name);
    for (const RuleConfig& rule : rule_configs()) {
      const Trained trained = run(*workload, {.rule = rule,
                                              .settings = tuned(info.name, rule.name),
                                              .vectors = vectors_of(info.name, rule),
                                              .steps = steps,
                                              .seed = 1});
      EXPECT_EQ(trained.result.outcome, Outcome::finished) << info.name << " " << rule.name;
      EXPECT_LT(trained.losses.back(), left * trained.losses.front()) << info.name << " " << rule.name;
    }
  }
  std::filesystem::remove(text);
}

// What a step makes of ones as gradients tells the rules apart: SGD moves by lr, AdamW too but for ε and decay;
// momentum adds up, AdamW does not.
TEST(Training, MixesTwoRulesInOneOptimizer) {
  std::vector<float> matrix(6, 1.0f), vector(3, 1.0f), ones(6, 1.0f);
  const RunConfig config{
      .rule = rule_config("adamw"), .settings = {0.5, 0.0}, .vectors = TunedRule{rule_config("momentum"), {0.25, 0.0}}};
  Optimizer optimizer =
      make_optimizer(config, {{"bias", vector, std::span(ones).first(3), {1, 3}}, {"weight", matrix, ones, {2, 3}}});
  ASSERT_EQ(optimizer.group_count(), 2u);
  EXPECT_EQ(optimizer.rule(0), Rule::adamw);
  EXPECT_EQ(optimizer.rule(1), Rule::sgd);
  for (int step = 0; step < 2; ++step) static_cast<void>(optimizer.step());
  EXPECT_NEAR(matrix.front(), 1.0 - 2 * 0.5, 1e-5);
  EXPECT_NEAR(vector.front(), 1.0 - 0.25 * (1.0 + 1.9), 1e-6);
}

TEST(Training, TheLearningRateOfEachGroupFalls) {
  const WorkloadInfo& info = workload_named("digits");
  const auto workload = info.make({.batch_size = 16});
  RunConfig config{.rule = rule_config("adamw"), .settings = {3e-3, 0.0}, .steps = 60, .seed = 5};
  const Trained alone = run(*workload, config);
  config.vectors = TunedRule{rule_config("adamw"), {3e-3, 0.0}};
  EXPECT_EQ(run(*workload, config).losses, alone.losses) << "twice the same rule is one rule";
  config.vectors->settings.lr = 0.0;
  EXPECT_NE(run(*workload, config).losses, alone.losses);
}

TEST(Training, IsAPureFunctionOfItsSeed) {
  const WorkloadInfo& info = workload_named("digits");
  const auto workload = info.make({.batch_size = 16});
  RunConfig config{.rule = rule_config("adamw"), .settings = {3e-3, 0.01}, .steps = 60, .seed = 5, .threads = 1};
  const Trained first = run(*workload, config);
  config.threads = 3;
  EXPECT_EQ(run(*workload, config).losses, first.losses) << "nor of the threads, nor of the run before";
  config.seed = 6;
  EXPECT_NE(run(*workload, config).losses, first.losses);
}

TEST(Training, StartsFromTheSamePlaceInEveryMemory) {
  const WorkloadInfo& info = workload_named("digits");
  const auto workload = info.make({.batch_size = 64});
  RunConfig config{.rule = rule_config("adamw"), .settings = {3e-3, 0.01}, .steps = 150, .seed = 1};
  const Trained f32 = run(*workload, config);
  for (const MemoryFormats& memory : memory_formats()) {
    config.memory = memory;
    const Trained other = run(*workload, config);
    EXPECT_NEAR(other.losses.front(), f32.losses.front(), memory.bf16_weights ? 0.02 : 0.0) << memory.name;
    EXPECT_EQ(other.losses.front() != f32.losses.front(), memory.bf16_weights) << "the model computes with bf16";
    if (memory.name == "f16") {
      EXPECT_GT(other.losses.back(), f32.losses.back()) << "second moments below 3e-8 vanish, as its documents say";
    } else {
      EXPECT_NEAR(other.losses.back(), f32.losses.back(), 0.1 * f32.losses.back()) << memory.name;
    }
    if (memory.name != "f32") {
      EXPECT_LT(other.result.bytes_per_param, f32.result.bytes_per_param);
    }
  }
}

TEST(Training, SaysWhenItDiverges) {
  const auto workload = workload_named("ravine").make({.batch_size = 1});
  const Trained wild = run(*workload, {.rule = rule_config("sgd"), .settings = {1.0, 0.0}, .steps = 100, .seed = 1});
  EXPECT_EQ(wild.result.outcome, Outcome::diverged);
  EXPECT_LT(wild.result.steps, 100u);
}

TEST(Training, CountsTheStepsToItsTarget) {
  const WorkloadInfo& info = workload_named("digits");
  const auto workload = info.make({.batch_size = 64});
  RunConfig config{.rule = rule_config("adamw"), .settings = {3e-3, 0.01}, .steps = 200, .seed = 1, .target_loss = 0.5};
  const Trained trained = run(*workload, config);
  ASSERT_TRUE(trained.result.steps_to_target);
  const std::size_t reached = *trained.result.steps_to_target;
  const auto mean_until = [&](std::size_t end) {
    double sum = 0.0;
    for (std::size_t i = end - 20; i < end; ++i) sum += trained.losses[i] / 20;
    return sum;
  };
  EXPECT_LE(mean_until(reached), 0.5);
  EXPECT_GT(mean_until(reached - 1), 0.5);
  config.target_loss = 0.0;
  EXPECT_FALSE(run(*workload, config).result.steps_to_target);
}

TEST(Tuning, GivesEveryRuleTheSameGridAndNoneAtItsEdge) {
  for (const WorkloadInfo& info : workloads()) {
    const std::vector<Tuned> grid = tuning_grid(info);
    double smallest = HUGE_VAL, largest = 0.0;
    for (const Tuned& point : grid) {
      smallest = std::min(smallest, point.lr);
      largest = std::max(largest, point.lr);
    }
    for (const RuleConfig& rule : rule_configs()) {
      const Tuned chosen = tuned(info.name, rule.name);
      EXPECT_GT(chosen.lr, smallest) << info.name << " " << rule.name;
      EXPECT_LT(chosen.lr, largest) << info.name << " " << rule.name;
      EXPECT_TRUE(std::ranges::any_of(grid, [&](const Tuned& point) {
        return point.lr == chosen.lr && point.weight_decay == chosen.weight_decay;
      }));
    }
  }
}

}  // namespace
}  // namespace adamant::lab
