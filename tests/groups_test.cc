// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Groups of several rules in one optimizer: one norm, one clip, one decision about gradients that are not finite.
#include <gtest/gtest.h>
#include <unistd.h>

#include <adamant/checkpoint.hpp>
#include <adamant/run_log.hpp>
#include <filesystem>
#include <limits>
#include <string>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

constexpr std::size_t kSize = 700;

// A matrix under AdamW and a vector under SGD with momentum, beside two optimizers of one rule each on copies of them.
class TwoRules : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<ParamGroup> groups() {
    return {{{{"matrix", matrix.view(), g1.view()}}, {}},
            {{{"vector", vector.view(), g2.view()}}, {.lr = 0.1, .momentum = 0.9}, Rule::sgd}};
  }
  Buffer matrix = Buffer(Format::f32, kSize).fill(1), g1 = Buffer(Format::f32, kSize).fill(2);
  Buffer vector = Buffer(Format::f32, kSize).fill(3), g2 = Buffer(Format::f32, kSize).fill(4);
  Buffer matrix_alone = matrix, vector_alone = vector;
};

TEST_F(TwoRules, TakeTheStepsOfTwoOptimizers) {
  Optimizer both(Rule::adamw, groups(), {.lr = 0.01});
  Optimizer adamw(Rule::adamw, {{"matrix", matrix_alone.view(), g1.view()}}, {.lr = 0.01});
  Optimizer sgd(Rule::sgd, {{"vector", vector_alone.view(), g2.view()}}, {.lr = 0.1, .momentum = 0.9});
  for (std::uint64_t seed = 5; seed < 12; ++seed) {
    g1.fill(seed);
    g2.fill(seed + 100);
    both.step();
    adamw.step();
    sgd.step();
  }
  EXPECT_EQ(matrix, matrix_alone);
  EXPECT_EQ(vector, vector_alone);
  EXPECT_EQ(both.rule(0), Rule::adamw);
  EXPECT_EQ(both.rule(1), Rule::sgd);
  EXPECT_EQ(both.options(1).momentum, 0.9);
  EXPECT_FALSE(both.options(1).eps) << "a group starts from its own rule's options";
  EXPECT_EQ(both.export_state("vector", "momentum_buffer"), sgd.export_state("vector", "momentum_buffer"));
}

TEST_F(TwoRules, AreClippedByOneNorm) {
  Optimizer both(Rule::adamw, groups(), {}, {.max_norm = 1.0});
  Optimizer one(Rule::sgd, {{"matrix", matrix_alone.view(), g1.view()}, {"vector", vector_alone.view(), g2.view()}}, {},
                {.max_norm = 1.0});
  const StepReport report = both.step(), expected = one.step();
  EXPECT_EQ(report.grad_norm, expected.grad_norm);
  EXPECT_EQ(report.clip_coefficient, expected.clip_coefficient);
  EXPECT_LT(report.clip_coefficient, 1.0);
}

TEST_F(TwoRules, AreSkippedTogether) {
  const Buffer before = matrix;
  Optimizer both(Rule::adamw, groups());
  g2.set(7, std::numeric_limits<double>::quiet_NaN());
  const StepReport report = both.step();
  EXPECT_FALSE(report.applied);
  EXPECT_EQ(report.nonfinite->tensor, "vector");
  EXPECT_EQ(matrix, before);
  EXPECT_EQ(both.tensor(0).step, 0u);
}

TEST_F(TwoRules, ResumeWithTheSameBits) {
  Optimizer whole(Rule::adamw, groups(), {}, {.max_norm = 1.0});
  whole.step();
  Buffer matrix_copy = matrix, vector_copy = vector;
  Optimizer resumed(
      Rule::adamw,
      std::vector<ParamGroup>{{{{"matrix", matrix_copy.view(), g1.view()}}, {}},
                              {{{"vector", vector_copy.view(), g2.view()}}, {.momentum = 0.5}, Rule::sgd}},
      {}, {.max_norm = 1.0});
  resumed.load_state_dict(whole.state_dict());
  for (int step = 0; step < 3; ++step) {
    whole.step();
    resumed.step();
  }
  EXPECT_EQ(matrix, matrix_copy);
  EXPECT_EQ(vector, vector_copy);
  EXPECT_EQ(bits_of(whole.state_dict()), bits_of(resumed.state_dict()));
}

// As where the parameters without weight decay happen to be none.
TEST_F(TwoRules, MayHaveGroupsWithoutTensorsBesideThem) {
  std::vector<ParamGroup> more = groups();
  more.insert(more.begin() + 1, ParamGroup{{}, {.weight_decay = 0.0}});
  Optimizer beside(Rule::adamw, std::move(more));
  Optimizer both(Rule::adamw,
                 {{{{"matrix", matrix_alone.view(), g1.view()}}, {}},
                  {{{"vector", vector_alone.view(), g2.view()}}, {.lr = 0.1, .momentum = 0.9}, Rule::sgd}});
  const std::string path = ::testing::TempDir() + "adamant-empty-group-" + std::to_string(getpid());
  RunLog log(path + ".jsonl", beside);
  for (std::uint64_t step = 0; step < 3; ++step) {
    both.step();
    log.step(beside, 1.0, beside.step({.statistics = log.statistics()}));
  }
  log.end();
  EXPECT_EQ(matrix, matrix_alone);
  EXPECT_EQ(vector, vector_alone);
  EXPECT_EQ(beside.options(1).weight_decay, 0.0);
  EXPECT_EQ(beside.tensor(1).group, 2u);
  EXPECT_EQ(beside.add_param_group({{}, {.lr = 0.5}}), 3u);

  save(beside, path);
  Optimizer again(Rule::adamw, {ParamGroup{{{"matrix", matrix.view(), g1.view()}}, {}}, ParamGroup{{}, {}},
                                ParamGroup{{{"vector", vector.view(), g2.view()}}, {.momentum = 0.5}, Rule::sgd},
                                ParamGroup{{}, {}}});
  load(again, path);
  EXPECT_EQ(bits_of(again.state_dict()), bits_of(beside.state_dict()));
  EXPECT_EQ(again.options(3).lr, 0.5);
  EXPECT_EQ(RunLogReader(path + ".jsonl").info().groups.size(), 3u);
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".jsonl");
}

TEST_F(TwoRules, ChangeTheOptionsOfTheirOwnRule) {
  Optimizer both(Rule::adamw, groups());
  both.set_lr(0.25);
  EXPECT_EQ(both.options(0).lr, 0.25);
  EXPECT_EQ(both.options(1).lr, 0.25);
  both.set_options(1, {.momentum = 0.5});
  EXPECT_EQ(both.options(1).momentum, 0.5);
  EXPECT_EQ(refusal([&] { both.set_options(0, {.momentum = 0.5}); }),
            "invalid_argument: AdamW has no option momentum (0.5 given); it has lr, betas, eps, weight_decay, amsgrad, "
            "maximize");
  EXPECT_EQ(
      refusal([&] { both.set_options(1, {.eps = 0.5}); }),
      "invalid_argument: SGD has no option eps (0.5 given); it has lr, momentum, dampening, weight_decay, nesterov, "
      "maximize");
  Buffer third = vector;
  EXPECT_EQ(both.add_param_group({{{"third", third.view()}}, {.betas = {0.8, 0.9}}, Rule::adam}), 2u);
  EXPECT_EQ(both.rule(2), Rule::adam);
}

}  // namespace
}  // namespace adamant::testing
