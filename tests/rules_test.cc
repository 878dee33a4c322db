// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What holds for every rule: one table of forms against one list of properties.
#include <gtest/gtest.h>

#include <map>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

class EveryForm : public ::testing::TestWithParam<Form> {
 protected:
  static constexpr std::size_t kSize = 300;
  [[nodiscard]] Rule rule() const { return GetParam().rule; }
  [[nodiscard]] const Options& options() const { return GetParam().options; }
  Buffer w = Buffer(Format::f32, kSize).fill(1), g = Buffer(Format::f32, kSize).fill(2);
};

// Steps with the gradients of the given seeds.
void steps(Optimizer& optimizer, Buffer& grad, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    grad.fill(seed);
    optimizer.step();
  }
}

TEST_P(EveryForm, ZeroGradientsWithoutDecayMoveNothing) {
  Options options = this->options();
  options.weight_decay = 0.0;
  const Buffer before = w;
  g.fill(0, 0.0);
  Optimizer optimizer(rule(), {{"w", w.view(), g.view()}}, options);
  for (int step = 0; step < 100; ++step) optimizer.step();
  EXPECT_EQ(w, before);
}

TEST_P(EveryForm, TheFirstStepGoesDownhill) {
  Options options = this->options();
  options.weight_decay = 0.0;
  const Buffer before = w;
  Optimizer(rule(), {{"w", w.view(), g.view()}}, options).step();
  for (std::size_t i = 0; i < kSize; ++i) EXPECT_LT((w[i] - before[i]) * g[i], 0.0) << i;
}

TEST_P(EveryForm, MaximizeMirrorsTheGradient) {
  Options up = options();
  up.maximize = true;
  Buffer mirrored = w, negative = g;
  Optimizer down(rule(), {{"w", w.view(), g.view()}}, options());
  Optimizer climbing(rule(), {{"w", mirrored.view(), negative.view()}}, up);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    g.fill(seed);
    negative.fill(seed, -1.0);
    down.step();
    climbing.step();
  }
  EXPECT_EQ(w, mirrored);
}

TEST_P(EveryForm, StateDictContinuesWithTheSameBits) {
  Optimizer whole(rule(), {{"w", w.view(), g.view()}}, options());
  steps(whole, g, 1, 7);
  Buffer copy = w;
  // Another learning rate, so that the options have to come from the dict too.
  Options other = options();
  other.lr = 0.005;
  Optimizer resumed(rule(), {{"w", copy.view(), g.view()}}, other);
  resumed.load_state_dict(whole.state_dict());
  EXPECT_EQ(bits_of(resumed.state_dict()), bits_of(whole.state_dict()));
  steps(whole, g, 8, 20);
  steps(resumed, g, 8, 20);
  EXPECT_EQ(copy, w);
  EXPECT_EQ(bits_of(resumed.state_dict()), bits_of(whole.state_dict()));
  EXPECT_EQ(resumed.tensor(0).step, 20u);
}

TEST_P(EveryForm, ATensorWithoutGradientIsLeftAlone) {
  Buffer other = Buffer(Format::f32, 20).fill(5);
  const Buffer before = other;
  Optimizer optimizer(rule(), {{"w", w.view(), g.view()}, {"idle", other.view()}}, options());
  steps(optimizer, g, 1, 3);
  EXPECT_EQ(other, before);
  EXPECT_EQ(optimizer.tensor(optimizer.tensor_index("idle")).step, 0u);
  EXPECT_EQ(optimizer.tensor(optimizer.tensor_index("w")).step, 3u);
  // When its gradient comes, it takes its own first step.
  Buffer late = Buffer(Format::f32, 20).fill(6);
  Buffer alone = before;
  optimizer.set_grad("idle", late.view());
  optimizer.step();
  Optimizer(rule(), {{"idle", alone.view(), late.view()}}, options()).step();
  EXPECT_EQ(other, alone);
  optimizer.set_grad("idle", {});
  optimizer.step();
  EXPECT_EQ(other, alone);
  EXPECT_EQ(optimizer.tensor(1).step, 1u);
}

TEST_P(EveryForm, GradientsMayMove) {
  Buffer same = w, elsewhere(Format::f32, kSize);
  Optimizer fixed(rule(), {{"w", w.view(), g.view()}}, options());
  Optimizer moving(rule(), {{"w", same.view(), elsewhere.view()}}, options());
  std::vector<Buffer> places(5, Buffer(Format::f32, kSize));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    g.fill(seed);
    fixed.step();
    moving.set_grad("w", places[seed].fill(seed).view());
    moving.step();
  }
  EXPECT_EQ(w, same);
}

TEST_P(EveryForm, TensorsDoNotTouchEachOther) {
  // Three tensors together, and each alone.
  std::vector<Buffer> together, alone, grads;
  std::vector<Param> params;
  for (const std::size_t size : {5u, 4096u, 1u}) {
    together.push_back(Buffer(Format::f32, size).fill(size));
    grads.push_back(Buffer(Format::f32, size).fill(size + 1));
  }
  alone = together;
  for (std::size_t i = 0; i < 3; ++i) params.emplace_back("t" + std::to_string(i), together[i].view(), grads[i].view());
  Optimizer all(rule(), params, options());
  all.step();
  all.step();
  for (std::size_t i = 0; i < 3; ++i) {
    Optimizer one(rule(), {{"x", alone[i].view(), grads[i].view()}}, options());
    one.step();
    one.step();
    EXPECT_EQ(alone[i], together[i]) << i;
  }
}

TEST_P(EveryForm, GroupsOverrideAnyOption) {
  Buffer second = w, third = w, alone = w;
  const Options slow = {.lr = 1e-4, .weight_decay = 0.25};
  Optimizer optimizer(
      rule(), std::vector<ParamGroup>{{{{"a", w.view(), g.view()}}, {}}, {{{"b", second.view(), g.view()}}, slow}},
      options());
  EXPECT_EQ(optimizer.add_param_group({{{"c", third.view(), g.view()}}, slow}), 2u);
  EXPECT_EQ(optimizer.group_count(), 3u);
  EXPECT_EQ(optimizer.options(0).lr, options().lr);
  EXPECT_EQ(optimizer.options(1).lr, 1e-4);
  EXPECT_EQ(optimizer.options(2).weight_decay, 0.25);
  optimizer.step();
  Optimizer(rule(), {{"b", alone.view(), g.view()}}, merge(options(), slow)).step();
  EXPECT_EQ(second, alone);
  EXPECT_EQ(third, alone);
  EXPECT_NE(w, alone);
}

TEST_P(EveryForm, ALearningRateSetBetweenStepsCounts) {
  Buffer other = w;
  Optimizer a(rule(), {{"w", w.view(), g.view()}}, options());
  Optimizer b(rule(), {{"w", other.view(), g.view()}}, options());
  a.step();
  b.step();
  EXPECT_EQ(w, other);
  a.set_lr(0.0);
  const Buffer before = w;
  a.step();
  EXPECT_EQ(w, before) << "lr 0 moves nothing";
  b.set_options(0, {.lr = 0.0});
  b.step();
  EXPECT_EQ(bits_of(a.state_dict()), bits_of(b.state_dict())) << "but the moments go on";
}

TEST_P(EveryForm, EmptyTensorsAreFine) {
  Buffer nothing(Format::f32, 0), no_grad(Format::f32, 0);
  Optimizer optimizer(rule(), {{"none", nothing.view(), no_grad.view()}, {"w", w.view(), g.view()}}, options());
  EXPECT_TRUE(optimizer.step().applied);
  EXPECT_EQ(optimizer.tensor(0).step, 1u);
  // A table without rows takes a gradient without rows.
  Optimizer table(rule(), {{"none", nothing.view(), {}, {0, 5}}}, options());
  table.set_lazy_row_grad("none", {}, no_grad.view());
  EXPECT_TRUE(table.step().applied);
}

TEST_P(EveryForm, ZeroGradClearsEveryFormat) {
  Buffer narrow = Buffer(Format::bf16, 10).fill(1), narrow_grad = Buffer(Format::bf16, 10).fill(2);
  Optimizer optimizer(rule(), {{"w", w.view(), g.view()}, {"n", narrow.view(), narrow_grad.view()}}, options());
  optimizer.zero_grad();
  EXPECT_EQ(g.values(), std::vector<double>(kSize));
  EXPECT_EQ(narrow_grad.values(), std::vector<double>(10));
}

INSTANTIATE_TEST_SUITE_P(Rules, EveryForm, ::testing::ValuesIn(forms()),
                         [](const auto& info) { return std::string(info.param.name); });

// Written by hand, from the signatures in torch.optim 2.13: the library's own list cannot tell that it changed.
TEST(Rules, DefaultsAreThoseOfTorch) {
  using Texts = std::map<std::string, std::string>;
  const std::map<std::string, Texts> expected = {
      {"AdamW",
       {{"lr", "0.001"},
        {"betas", "(0.9, 0.999)"},
        {"eps", "1e-08"},
        {"weight_decay", "0.01"},
        {"amsgrad", "false"},
        {"maximize", "false"}}},
      {"Adam",
       {{"lr", "0.001"},
        {"betas", "(0.9, 0.999)"},
        {"eps", "1e-08"},
        {"weight_decay", "0"},
        {"amsgrad", "false"},
        {"maximize", "false"}}},
      {"SGD",
       {{"lr", "0.001"},
        {"momentum", "0"},
        {"dampening", "0"},
        {"weight_decay", "0"},
        {"nesterov", "false"},
        {"maximize", "false"}}},
      {"RMSprop",
       {{"lr", "0.01"},
        {"alpha", "0.99"},
        {"momentum", "0"},
        {"eps", "1e-08"},
        {"weight_decay", "0"},
        {"centered", "false"},
        {"maximize", "false"}}},
      {"Adagrad",
       {{"lr", "0.01"},
        {"eps", "1e-10"},
        {"weight_decay", "0"},
        {"lr_decay", "0"},
        {"initial_accumulator_value", "0"},
        {"maximize", "false"}}},
  };
  std::map<std::string, Texts> found;
  for (const RuleInfo& rule : rules()) {
    for (const OptionInfo& option : rule.options) {
      found[std::string(rule.title)][std::string(option.name)] = to_text(option.default_value);
    }
  }
  for (const auto& [title, options] : expected) EXPECT_EQ(found[title], options) << title;
}

TEST(Rules, AreFoundByName) {
  for (const RuleInfo& rule : rules()) EXPECT_EQ(rule_from_name(rule.name), rule.rule);
}

TEST(Rules, StatesHaveTorchsNames) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"adamw", {"exp_avg", "exp_avg_sq"}},
      {"adam_amsgrad", {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}},
      {"sgd", {}},
      {"sgd_momentum", {"momentum_buffer"}},
      {"rmsprop_centered_momentum", {"grad_avg", "momentum_buffer", "square_avg"}},
      {"adagrad", {"sum"}},
  };
  for (const Form& form : forms()) {
    const auto names = expected.find(form.name);
    if (names == expected.end()) continue;
    Buffer w(Format::f32, 3);
    const Optimizer optimizer(form.rule, {{"w", w.view()}}, form.options);
    const StateDict dict = optimizer.state_dict();
    std::vector<std::string> found;
    for (const auto& [name, state] : dict.tensors.at("w").states) found.push_back(name);
    EXPECT_EQ(found, names->second) << form.name;
  }
}

TEST(Rules, AdagradStartsFromItsInitialValue) {
  Buffer w(Format::f32, 5);
  const Optimizer optimizer(Rule::adagrad, {{"w", w.view()}}, {.initial_accumulator_value = 0.25});
  EXPECT_EQ(optimizer.export_state("w", "sum"), std::vector<float>(5, 0.25f));
}

TEST(Rules, EpsilonZeroDividesZeroByNothing) {
  Buffer w = Buffer(Format::f32, 5).fill(1), g(Format::f32, 5);
  const Buffer before = w;
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {.eps = 0.0, .weight_decay = 0.0});
  optimizer.step();
  EXPECT_EQ(w, before);
  g.set(2, 1e-15);
  optimizer.step();
  EXPECT_TRUE(std::isfinite(w[2]));
  EXPECT_LT(w[2], before[2]);
}

// A second moment loses the squares of gradients that a first moment, or the rule itself, still has.
TEST(Rules, StepsAreNotLongBecauseASquareWasLost) {
  for (const Form& form : forms()) {
    if (form.rule == Rule::sgd) continue;
    for (const Format format : {Format::f32, Format::f64}) {
      const int smallest = format == Format::f32 ? -149 : -1074;
      for (const double eps : {0.0, 0x1p-126, 1e-30}) {
        Options options = form.options;
        options.eps = eps;
        options.weight_decay = 0.0;
        options.initial_accumulator_value.reset();
        // Gradients 0, then all powers of 2 to 1, for which nothing is lost.
        std::vector<double> gradients = {0.0};
        for (int exponent = smallest; exponent <= 0; ++exponent) gradients.push_back(std::ldexp(1.0, exponent));
        Buffer w(format, gradients.size()), g(format, gradients);
        Optimizer optimizer(form.rule, {{"w", w.view(), g.view()}}, options);
        // With a gradient that never changes, a centered rule soon divides by nothing, and Adagrad's regular steps
        // shrink.
        const bool once = options.centered.value_or(false) || form.rule == Rule::adagrad;
        for (int t = 0; t < (once ? 1 : 50); ++t) optimizer.step();
        EXPECT_EQ(w[0], 0.0);
        const double regular = std::abs(w[gradients.size() - 1]);
        for (std::size_t i = 1; i < gradients.size(); ++i) {
          ASSERT_LE(std::abs(w[i]), 1.001 * regular) << form.name << ", eps " << eps << ", gradient " << gradients[i];
        }
      }
    }
  }
}

}  // namespace
}  // namespace adamant::testing
