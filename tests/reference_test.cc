// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The engine against the papers' formulae in f64.
#include "tests/support/reference.h"

#include <gtest/gtest.h>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

struct Formats {
  Format param, grad;
  StateFormat state;
  double tolerance;  // of a parameter, relative to 1 + |parameter|
};

// Parameters of 16 bits take an error of half a unit in each step; those of 16-bit states are of the states' size.
constexpr Formats kFormats[] = {
    {Format::f64, Format::f64, StateFormat::f64, 1e-12}, {Format::f32, Format::f32, StateFormat::f32, 1e-5},
    {Format::f32, Format::bf16, StateFormat::f32, 1e-5}, {Format::f32, Format::f16, StateFormat::f32, 1e-5},
    {Format::f16, Format::f16, StateFormat::f32, 0.05},  {Format::bf16, Format::f32, StateFormat::f32, 0.3},
};

void compare(const Form& form, const Formats& formats, std::size_t size, int steps, bool maximize) {
  Options options = form.options;
  options.maximize = maximize;
  Buffer param = Buffer(formats.param, size).fill(1);
  Buffer grad(formats.grad, size);
  Optimizer optimizer(form.rule, {{"w", param.view(), grad.view()}}, options, {.state = formats.state});
  std::vector<ReferenceElement> expected(size);
  for (std::size_t i = 0; i < size; ++i) expected[i].p = param[i];
  for (int step = 1; step <= steps; ++step) {
    grad.fill(static_cast<std::uint64_t>(step));
    optimizer.step();
    for (std::size_t i = 0; i < size; ++i) reference_step(form.rule, optimizer.options(), expected[i], grad[i]);
  }
  double worst = 0.0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double error = std::abs(param[i] - expected[i].p) / (1.0 + std::abs(expected[i].p));
    if (!(error <= worst)) {
      worst = error;
      where = i;
    }
  }
  EXPECT_LE(worst, formats.tolerance) << form.name << " " << info(formats.param).name << "/" << info(formats.grad).name
                                      << "/" << info(formats.state).name << " size " << size << " element " << where
                                      << ": " << param[where] << " must be " << expected[where].p;
}

TEST(Reference, EveryRuleFollowsItsPaper) {
  for (const Form& form : forms()) {
    for (const Formats& formats : kFormats) {
      for (const bool maximize : {false, true}) compare(form, formats, 257, 100, maximize);
    }
  }
}

TEST(Reference, AtEverySize) {
  for (const Form& form : forms()) {
    for (const std::size_t size : {1u, 2u, 15u, 16u, 17u, 63u, 64u, 255u, 256u, 4099u})
      compare(form, kFormats[1], size, 5, false);
  }
}

TEST(Reference, ThousandsOfSteps) {
  for (const Form& form : forms()) {
    compare(form, kFormats[0], 9, 5000, false);
    Formats f32 = kFormats[1];
    f32.tolerance = 1e-3;  // rounding errors of five thousand steps
    compare(form, f32, 9, 5000, false);
  }
}

TEST(Reference, StatesAreTheMoments) {
  Buffer param = Buffer(Format::f64, 100).fill(1), grad(Format::f64, 100);
  Optimizer optimizer(Rule::adamw, {{"w", param.view(), grad.view()}}, {.amsgrad = true});
  std::vector<ReferenceElement> expected(100);
  for (std::size_t i = 0; i < 100; ++i) expected[i].p = param[i];
  for (std::uint64_t step = 1; step <= 50; ++step) {
    grad.fill(step, step < 20 ? 1.0 : 0.1);
    optimizer.step();
    for (std::size_t i = 0; i < 100; ++i) reference_step(Rule::adamw, optimizer.options(), expected[i], grad[i]);
  }
  const auto state = [&](const char* name) { return static_cast<const double*>(optimizer.state("w", name).data); };
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_NEAR(state("exp_avg")[i], expected[i].m, 1e-14);
    EXPECT_NEAR(state("exp_avg_sq")[i], expected[i].v, 1e-13);
    EXPECT_NEAR(state("max_exp_avg_sq")[i], expected[i].vmax, 1e-13);
  }
}

// Adam with L2 in the gradient is not AdamW: if it were, one of the two would be missing.
TEST(Reference, DecoupledDecayIsNotL2) {
  Buffer one = Buffer(Format::f32, 10).fill(1), two = one, grad = Buffer(Format::f32, 10).fill(2);
  Optimizer(Rule::adamw, {{"w", one.view(), grad.view()}}, {.lr = 0.01, .weight_decay = 0.5}).step();
  Optimizer(Rule::adam, {{"w", two.view(), grad.view()}}, {.lr = 0.01, .weight_decay = 0.5}).step();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_GT(std::abs(one[i] - two[i]), 1e-5);
}

}  // namespace
}  // namespace adamant::testing
