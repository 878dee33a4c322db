// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Learning-rate schedules: their closed forms, torch's values where torch has the same one, and their ends.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <adamant/schedule.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"
#include "tests/support/torch_golden.h"

namespace adamant::testing {
namespace {

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

TEST(Schedules, ConstantIsConstant) {
  for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}, kForever}) {
    EXPECT_EQ(schedule::constant(0.3, step), 0.3);
  }
}

TEST(Schedules, LinearIsALine) {
  for (std::uint64_t step = 0; step <= 40; ++step) {
    EXPECT_DOUBLE_EQ(schedule::linear(0.2, step, 40), 0.2 * (1.0 - static_cast<double>(step) / 40.0));
    EXPECT_DOUBLE_EQ(schedule::linear(0.2, step, 40, 0.5, 2.0), 0.2 * (0.5 + 1.5 * static_cast<double>(step) / 40.0));
  }
  EXPECT_EQ(schedule::linear(0.2, 41, 40), 0.0);
  EXPECT_EQ(schedule::linear(0.2, kForever, 40, 0.5, 2.0), 0.4);
  EXPECT_EQ(schedule::linear(0.2, 0, 0, 0.5, 2.0), 0.4) << "no steps to go is the end";
}

TEST(Schedules, WarmupReachesItsRateAndStays) {
  for (std::uint64_t step = 0; step < 9; ++step) {
    EXPECT_DOUBLE_EQ(schedule::warmup(0.7, step, 10), 0.07 * static_cast<double>(step + 1));
  }
  for (const std::uint64_t step : {std::uint64_t{9}, std::uint64_t{10}, kForever - 1, kForever}) {
    EXPECT_EQ(schedule::warmup(0.7, step, 10), 0.7) << step;
  }
  for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, kForever}) {
    EXPECT_EQ(schedule::warmup(0.7, step, 0), 0.7);
    EXPECT_EQ(schedule::warmup(0.7, step, 1), 0.7);
  }
}

// Loshchilov & Hutter 2017, equation 5, without restarts.
double sgdr(double lr, double min_lr, double t, double total) {
  return min_lr + 0.5 * (lr - min_lr) * (1.0 + std::cos(t / total * std::numbers::pi));
}

TEST(Schedules, CosineIsHalfACosine) {
  for (std::uint64_t step = 0; step <= 30; ++step) {
    const auto t = static_cast<double>(step);
    EXPECT_NEAR(schedule::cosine(0.4, step, 30), sgdr(0.4, 0.0, t, 30.0), 1e-16);
    EXPECT_NEAR(schedule::cosine(0.4, step, 30, 0.1), sgdr(0.4, 0.1, t, 30.0), 1e-16);
  }
  EXPECT_EQ(schedule::cosine(0.4, 0, 30), 0.4);
  EXPECT_DOUBLE_EQ(schedule::cosine(0.4, 15, 30, 0.1), 0.25);
  for (const std::uint64_t step : {std::uint64_t{30}, std::uint64_t{31}, kForever}) {
    EXPECT_EQ(schedule::cosine(0.4, step, 30, 0.1), 0.1) << "it does not come up again";
  }
  EXPECT_EQ(schedule::cosine(0.4, 0, 0, 0.1), 0.1);
}

TEST(Schedules, WarmupCosineIsOneAfterTheOther) {
  for (std::uint64_t step = 0; step < 5; ++step) {
    EXPECT_EQ(schedule::warmup_cosine(0.4, step, 5, 25, 0.1), schedule::warmup(0.4, step, 5));
  }
  for (std::uint64_t step = 5; step <= 40; ++step) {
    EXPECT_EQ(schedule::warmup_cosine(0.4, step, 5, 25, 0.1), schedule::cosine(0.4, step - 5, 20, 0.1));
  }
  for (std::uint64_t step = 0; step <= 40; ++step) {
    EXPECT_EQ(schedule::warmup_cosine(0.4, step, 0, 25), schedule::cosine(0.4, step, 25));
  }
  EXPECT_EQ(schedule::warmup_cosine(0.4, 8, 9, 5, 0.1), 0.4) << "a warm-up longer than everything";
  EXPECT_EQ(schedule::warmup_cosine(0.4, 9, 9, 5, 0.1), 0.1);
}

TEST(Schedules, StepDecayIsAStaircase) {
  for (std::uint64_t step = 0; step <= 50; ++step) {
    const double gamma_power = std::pow(0.3, std::floor(static_cast<double>(step) / 7.0));
    EXPECT_NEAR(schedule::step_decay(0.4, step, 7, 0.3), 0.4 * gamma_power, 1e-15 * 0.4 * gamma_power);
  }
  EXPECT_EQ(schedule::step_decay(0.4, 6, 7), 0.4);
  EXPECT_DOUBLE_EQ(schedule::step_decay(0.4, 7, 7), 0.04);
  EXPECT_EQ(schedule::step_decay(0.4, kForever, 7, 1.0), 0.4);
  EXPECT_EQ(schedule::step_decay(0.4, kForever, 1, 0.5), 0.0);
  EXPECT_EQ(schedule::step_decay(0.4, 100, 0), 0.4) << "a stair without end";
}

TEST(Schedules, OneCycleGoesUpAndDown) {
  // Smith & Topin's shape: 25 times lower at the start, 25e4 times at the end, the top after three tenths.
  EXPECT_NEAR(schedule::one_cycle(1.0, 0, 100), 0.04, 1e-16);
  EXPECT_DOUBLE_EQ(schedule::one_cycle(1.0, 29, 100), 1.0);
  EXPECT_DOUBLE_EQ(schedule::one_cycle(1.0, 99, 100), 0.04 / 1e4);
  EXPECT_EQ(schedule::one_cycle(1.0, kForever, 100), schedule::one_cycle(1.0, 99, 100));
  for (std::uint64_t step = 1; step < 100; ++step) {
    const double before = schedule::one_cycle(1.0, step - 1, 100), now = schedule::one_cycle(1.0, step, 100);
    EXPECT_EQ(now > before, step <= 29) << step;
  }
}

TEST(Schedules, AreThoseOfTorch) {
  const auto& all = torch_golden()["schedules"];
  std::size_t compared = 0;
  for (const auto& torch : all) {
    const auto& arguments = torch["arguments"];
    const std::string name = torch["name"];
    const double lr = torch["base_lr"];
    const auto rate = [&](std::uint64_t step) {
      if (name == "LinearLR") {
        return schedule::linear(lr, step, arguments["total_iters"], arguments["start_factor"], arguments["end_factor"]);
      }
      if (name == "CosineAnnealingLR") return schedule::cosine(lr, step, arguments["T_max"], arguments["eta_min"]);
      if (name == "StepLR") return schedule::step_decay(lr, step, arguments["step_size"], arguments["gamma"]);
      EXPECT_EQ(name, "OneCycleLR");
      return schedule::one_cycle(arguments["max_lr"], step, arguments["total_steps"], arguments.value("pct_start", 0.3),
                                 arguments.value("div_factor", 25.0), arguments.value("final_div_factor", 1e4));
    };
    for (std::uint64_t step = 0; step < torch["lr"].size(); ++step, ++compared) {
      // torch goes from one rate to the next, and rounds at each of the twenty.
      EXPECT_NEAR(rate(step), torch["lr"][step].get<double>(), 1e-15) << name << " " << arguments << " step " << step;
    }
  }
  EXPECT_EQ(compared, 100u);
  // A warm-up over n steps is a line from 1/n over n - 1.
  const auto& line = all[0]["lr"];
  for (std::uint64_t step = 0; step < line.size(); ++step) {
    EXPECT_NEAR(schedule::warmup(0.1, step, 10), line[step].get<double>(), 1e-15) << step;
  }
}

TEST(Schedules, StayBetweenTheirEnds) {
  EXPECT_TRUE(rc::check("at any step", [] {
    const auto number = [](double to) { return to * *rc::gen::inRange(0, 1001) / 1000.0; };
    const auto count = [] {
      return *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 50), rc::gen::arbitrary<std::uint64_t>());
    };
    const std::uint64_t step = count(), total = count(), warmup = count();
    const double lr = number(10.0), low = number(lr);
    const auto inside = [&](double rate) { return rate >= low - 1e-15 * lr && rate <= lr * (1.0 + 1e-15); };
    RC_ASSERT(inside(schedule::cosine(lr, step, total, low)));
    RC_ASSERT(inside(schedule::linear(lr, step, total, 1.0, lr > 0.0 ? low / lr : 1.0)));
    RC_ASSERT(schedule::warmup(lr, step, warmup) <= lr * (1.0 + 1e-15));
    RC_ASSERT(lr == 0.0 || schedule::warmup(lr, step, warmup) > 0.0);
    RC_ASSERT(step < warmup || inside(schedule::warmup_cosine(lr, step, warmup, total, low)));
    const double once = schedule::one_cycle(lr, step, total);
    RC_ASSERT(once >= lr / 25e4 * (1.0 - 1e-9) && once <= lr * (1.0 + 1e-15));
    const double stair = schedule::step_decay(lr, step, total, 0.5);
    RC_ASSERT(stair >= 0.0 && stair <= lr);
  }));
}

// A schedule is arithmetic and refuses nothing: what came of senseless arguments is refused where it would do harm.
TEST(Schedules, WhatTheyMakeOfNonsenseIsRefusedByTheOptimizer) {
  Buffer w = Buffer(Format::f32, 4).fill(1);
  Optimizer optimizer(Rule::sgd, {{"w", w.view()}}, {.lr = 0.5});
  const auto set = [&](double lr) { return refusal([&] { optimizer.set_lr(lr); }); };
  const auto refused = [](const std::string& shown) {
    return "invalid_argument: Invalid learning rate: " + shown + " (lr must be a finite f32 number >= 0)";
  };
  EXPECT_EQ(set(schedule::one_cycle(0.1, 0, 10, 0.3, 0.0)), refused("inf"));
  EXPECT_EQ(set(schedule::step_decay(0.5, 3, 1, -1.0)), refused("-0.5"));
  EXPECT_EQ(set(schedule::linear(0.5, 1, 2, 1.0, -2.0)), refused("-0.25"));
  EXPECT_EQ(set(schedule::cosine(std::numeric_limits<double>::infinity(), 0, 10)), refused("inf"));
  EXPECT_EQ(*optimizer.options().lr, 0.5);
  EXPECT_EQ(set(schedule::cosine(0.5, 10, 10)), "accepted");
}

}  // namespace
}  // namespace adamant::testing
