// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the models say of the rules: against gradients of one element that the engine is given, and of rules that lack a
// moment or ε.
#include <gtest/gtest.h>

#include <adamant/model.hpp>
#include <cfenv>
#include <cmath>
#include <limits>

#include "rule/variants.h"
#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

// The state of one element after `t` gradients of 0 but for one of 1, `ago` steps before the last; sums are over states
// that are linear in what enters them.
double response(const Form& form, const std::string& state, std::uint64_t t, std::uint64_t ago) {
  double w = 0.0, g = 0.0;
  Options options = form.options;
  options.lr = 0.0;
  options.weight_decay = 0.0;
  Optimizer optimizer(form.rule, {{"w", Tensor(&w, 1, Format::f64), Tensor(&g, 1, Format::f64)}}, options);
  for (std::uint64_t step = 1; step <= t; ++step) {
    g = t - step == ago ? 1.0 : 0.0;
    optimizer.step();
  }
  return *static_cast<const double*>(optimizer.state("w", state).data);
}

void expect_remembers(const Form& form, const std::string& state, std::uint64_t t, const Memory& memory, double start) {
  double total = 0.0, squares = 0.0;
  for (std::uint64_t ago = 0; ago < t; ++ago) {
    const double weight = response(form, state, t, ago) - start;
    total += weight;
    squares += weight * weight;
    // The first gradient enters SGD's buffer whole.
    if (ago + 1 < t || form.rule != Rule::sgd) {
      EXPECT_NEAR(weight, memory.total * memory.newest * std::pow(memory.ratio, static_cast<double>(ago)), 1e-12)
          << form.name << " " << state << " " << ago << " of " << t;
    }
  }
  EXPECT_NEAR(total, memory.total, 1e-12) << form.name << " " << state;
  EXPECT_NEAR(squares / (total * total), memory.squares, 1e-12) << form.name << " " << state;
}

TEST(RuleModels, RememberGradientsAsTheEngineDoes) {
  for (const Form& form : forms()) {
    const Options options = merge(defaults(form.rule), form.options);
    const VariantInfo& variant = info(variant_of(form.rule, options));
    for (const std::uint64_t t : {1u, 2u, 7u}) {
      const RuleModel model = model_of(form.rule, options, t);
      EXPECT_EQ(model.step, t);
      EXPECT_EQ(model.first_before.has_value(), model.first.has_value() && t > 1) << form.name;
      EXPECT_EQ(model.first_corrected, form.rule == Rule::adam || form.rule == Rule::adamw) << form.name;
      EXPECT_EQ(model.second.has_value(), variant.second_moment >= 0) << form.name;
      if (model.first) expect_remembers(form, std::string(variant.state_names[0]), t, *model.first, 0.0);
      if (model.first_before)
        expect_remembers(form, std::string(variant.state_names[0]), t - 1, *model.first_before, 0.0);
      if (!model.second) continue;
      Memory memory = model.second->memory;
      // The engine's state is before the correction.
      if (model.second->corrected) memory.total = 1.0 - std::pow(memory.ratio, static_cast<double>(t));
      const std::string state(variant.state_names[static_cast<std::size_t>(variant.second_moment)]);
      expect_remembers(form, state, t, memory, options.initial_accumulator_value.value_or(0.0));
    }
  }
}

TEST(RuleModels, AreOfTheOptions) {
  for (const RuleInfo& rule : rules()) EXPECT_EQ(model_of(rule.rule, {.lr = 0.5}, 1).lr, 0.5) << rule.name;
  const RuleModel adamw = model_of(Rule::adamw, {.lr = 0.5, .weight_decay = 0.25}, 3);
  EXPECT_EQ(adamw.lr, 0.5);
  EXPECT_EQ(adamw.decoupled_decay, 0.25);
  EXPECT_EQ(adamw.second.value().eps, 1e-8);  // what is not set has the rule's default
  EXPECT_EQ(model_of(Rule::adam, {.weight_decay = 0.25}, 3).decoupled_decay, std::nullopt);
  EXPECT_EQ(model_of(Rule::adagrad, {.lr = 1.0, .lr_decay = 0.5}, 3).lr, 0.5);
  EXPECT_EQ(model_of(Rule::rmsprop, {.momentum = 0.75}, 3).update_momentum, 0.75);
  EXPECT_EQ(model_of(Rule::sgd, {}, 0).step, 1U);
  EXPECT_FALSE(model_of(Rule::sgd, {.momentum = 0.9, .nesterov = true}, 3).direction);
}

// As Lion: a first moment, nothing that divides, no ε.
TEST(RuleModels, NeedNeitherASecondMomentNorEpsilon) {
  RuleModel model;
  model.lr = 0.01;
  model.decoupled_decay = 0.1;
  model.first = Memory{0.9, 0.1, 1.0, 0.1 / 1.9};
  model.first_before = model.first;
  model.step = 1000;
  TensorStatistics seen;
  seen.step = 1000;
  seen.elements = 100;
  seen.sums = {.gg = 400.0, .mm = 100.0, .mg = 40.0, .uu = 100.0, .max_u = 1.0, .gu = 20.0, .ww = 100.0, .r = 100.0};
  seen.scales.elements = 10;
  seen.scales.zero_grads = 1;
  const Moments moments = moments_of(seen, model);
  EXPECT_NEAR(moments.signal, 0.1, 1e-12);
  EXPECT_NEAR(moments.smoothing, 0.5, 1e-12);
  EXPECT_NEAR(moments.update, 1.0, 1e-12);
  EXPECT_NEAR(moments.decay_share, 1.0 / 11.0, 1e-12);
  EXPECT_NEAR(moments.zero_grads, 0.1, 1e-12);
  for (const double none :
       {moments.lag, moments.eps_tax, moments.angle, moments.typical_lr, moments.spread, moments.dead}) {
    EXPECT_TRUE(std::isnan(none));
  }
  const MomentFloors floors = floors_of(model, 100);
  EXPECT_NEAR(floors.smoothing_noise, std::sqrt(0.1 / 1.9), 1e-12);
  EXPECT_NEAR(floors.signal_noise, std::sqrt(0.1 / 1.9 / 100.0), 1e-12);
  EXPECT_TRUE(std::isnan(floors.alignment_noise) && std::isnan(floors.update_noise) && std::isnan(floors.lag_noise));
  EXPECT_EQ(floors.peak_bound, std::numeric_limits<double>::infinity());
}

TEST(RuleModels, AndRefusalsRaiseNoFloatingPointExceptions) {
  constexpr int kTrapped = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  Buffer w = Buffer(Format::f32, 4).fill(1);
  Optimizer optimizer(Rule::adamw, {{"w", w.view()}});
  std::feclearexcept(FE_ALL_EXCEPT);
  feenableexcept(kTrapped);
  EXPECT_NE(refusal([&] { optimizer.set_lr(kNan); }), "");
  for (const RuleInfo& rule : rules()) {
    for (const OptionInfo& option : rule.options) {
      if (std::holds_alternative<bool>(option.default_value)) continue;
      for (const double value : {kNan, kInfinity, -kInfinity, 1e300, -1e300}) {
        Options options;
        if (std::holds_alternative<double>(option.default_value)) {
          set_option(options, option.name, value);
        } else {
          set_option(options, option.name, std::array{0.5, value});
        }
        EXPECT_FALSE(option.range.holds(value)) << option.name;
        EXPECT_NE(refusal([&] { Optimizer(rule.rule, {{"w", w.view()}}, options); }), "") << option.name;
      }
    }
  }
  // Weights that add up to nothing or without end, a scale without memory.
  for (const std::uint64_t t : {1u, 2u, 1000000u}) {
    static_cast<void>(floors_of(Rule::sgd, {.momentum = 1.5, .dampening = 3.0}, t, 10));
    static_cast<void>(floors_of(Rule::sgd, {.momentum = 1.0, .dampening = 1.0 + 1.0 / static_cast<double>(t)}, t, 10));
    static_cast<void>(floors_of(Rule::adamw, {.betas = {0.9, 0.0}}, t, 10));
    TensorStatistics seen;
    seen.step = t;
    seen.elements = 10;
    static_cast<void>(moments_of(seen, Rule::sgd, {.momentum = 1.5, .dampening = 3.0}));
    seen.sums.gg = seen.sums.uu = kNan;
    static_cast<void>(moments_of(seen, Rule::adamw, {}));
  }
  fedisableexcept(kTrapped);
  EXPECT_EQ(std::fetestexcept(kTrapped), 0);
}

}  // namespace
}  // namespace adamant::testing
