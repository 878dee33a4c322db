// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What docs/fidelity.md shows, held: how faithfully 8-bit and dithered 16-bit states keep the moments.
#include "bench/fidelity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace adamant::fidelity {
namespace {

constexpr std::size_t kSize = 4096;

TEST(Fidelity, SecondMomentsFollowTheirGradientsDown) {
  for (const StateFormat state : {StateFormat::q8, StateFormat::b16}) {
    for (const double beta2 : {0.95, 0.99, 0.999}) {
      const Spread spread = tracking({state, beta2, 4 * kSize});
      EXPECT_NEAR(spread.median, 1.0, 0.05) << info(state).name << " " << beta2;
      EXPECT_GT(spread.low, 0.84) << info(state).name << " " << beta2;
      EXPECT_LT(spread.high, 1.15) << info(state).name << " " << beta2;
    }
  }
  EXPECT_GT(tracking({StateFormat::bf16, 0.999, kSize}).median, 5.0) << "rounded to nearest they do not";
}

TEST(Fidelity, CoordinatesWithoutGradientsStop) {
  for (const double beta2 : {0.95, 0.999}) {
    EXPECT_LT(stopped({StateFormat::q8, beta2, kSize}), 0.065) << beta2;
    EXPECT_LT(rare({StateFormat::q8, beta2, kSize}), 0.06) << beta2;
    EXPECT_LT(stopped({StateFormat::b16, beta2, kSize}), 0.02) << beta2;
  }
}

TEST(Fidelity, UpdatesAreNear) {
  const struct {
    double beta2, decades, most;
  } kCases[] = {{0.95, 0.3, 0.045},  {0.95, 1.5, 0.045}, {0.95, 3.0, 0.09},
                {0.999, 0.3, 0.075}, {0.999, 1.5, 0.08}, {0.999, 3.0, 0.115}};
  for (const auto& [beta2, decades, most] : kCases) {
    EXPECT_LT(update_error({StateFormat::q8, beta2, kSize}, decades), most) << beta2 << " " << decades;
  }
}

TEST(Fidelity, TheScaleOfGradientsDoesNotMatter) {
  const double error = update_error({StateFormat::q8, 0.95, kSize}, 1.5);
  for (const double scale : {1e-12, 1e-6, 1e3}) {
    EXPECT_NEAR(update_error({StateFormat::q8, 0.95, kSize}, 1.5, scale), error, 0.004) << scale;
  }
}

TEST(Fidelity, NoPeriodMovesWithTheDither) {
  for (const double beta2 : {0.95, 0.999}) {
    for (const std::uint64_t period :
         {1u, 2u, 3u, 4u, 5u, 7u, 8u, 13u, 16u, 21u, 32u, 34u, 55u, 64u, 89u, 128u, 144u, 233u, 256u, 377u}) {
      EXPECT_LT(periodic({StateFormat::q8, beta2, kSize}, period, 1000), 0.08) << beta2 << " " << period;
    }
  }
}

// Rows of a table in a fixed order: each has its gradient in every K-th step.
TEST(Fidelity, NoStrideOfGradientsMovesWithTheDither) {
  std::vector<std::uint64_t> strides(138);  // 33 to 170
  std::iota(strides.begin(), strides.end(), std::uint64_t{33});
  for (const Rounded what : kRounded) {
    std::vector<double> squares(strides.size());
    constexpr std::uint64_t kSeeds = 8;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::vector<Deviation> found = strided(what, strides, 100 * seed);
      for (std::size_t i = 0; i < strides.size(); ++i) {
        EXPECT_LT(found[i].most, 5.0) << name_of(what) << ", every " << strides[i] << " steps";
        squares[i] += found[i].rms * found[i].rms / kSeeds;
      }
    }
    for (std::size_t i = 0; i < strides.size(); ++i) {
      EXPECT_LT(squares[i], 2.5) << name_of(what) << ", every " << strides[i] << " steps";
    }
  }
}

// Half the noise of independent rounding, or less.
TEST(Fidelity, GradientsInEveryStepAreRoundedEvenly) {
  const std::vector<std::uint64_t> every = {1};
  for (const Rounded what : kRounded) {
    double square = 0.0;
    constexpr std::uint64_t kSeeds = 50;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const double rms = strided(what, every, 100 * seed).front().rms;
      square += rms * rms / kSeeds;
    }
    EXPECT_LT(std::sqrt(square), 0.5) << name_of(what);
  }
}

TEST(Fidelity, SmallUpdatesOfWeightsCount) {
  EXPECT_EQ(weight_movement(WeightFormat::plain, kSize).high, 0.0) << "each is lost";
  for (const WeightFormat format : {WeightFormat::split16, WeightFormat::split8}) {
    const Spread spread = weight_movement(format, kSize);
    EXPECT_GT(spread.low, 0.99);
    EXPECT_LT(spread.high, 1.01);
  }
  EXPECT_NEAR(weight_movement(WeightFormat::dithered, kSize).median, 1.0, 0.05);
}

// A second moment that grows, or falls, by a small part each step has to cross every power of two.
TEST(Fidelity, SlowGrowthAndDecayCrossEveryPowerOfTwo) {
  for (const double rate : {1.002, 0.998}) {
    std::vector<float> weights(kSize), grad(kSize);
    Settings settings;
    settings.state = StateFormat::q8;
    settings.nonfinite = NonFinite::propagate;
    Optimizer optimizer(Rule::adamw, {{"w", weights, grad}}, {.lr = 0.0, .betas = {0.9, 0.99}, .weight_decay = 0.0},
                        settings);
    double size = 1.0;
    for (int step = 0; step < 7000; ++step, size *= rate) {
      std::ranges::fill(grad, static_cast<float>(size));
      optimizer.step();
      if (step < 1000 || step % 100 != 0) continue;
      // Of a gradient that grows by `rate`: v = (1-β2) Σ β2^k g² rate^(-2k).
      const double expected = size * size * 0.01 / (1.0 - 0.99 / (rate * rate));
      double mean = 0.0;
      for (const float v : optimizer.export_state("w", "exp_avg_sq"))
        mean += static_cast<double>(v) / (kSize * expected);
      ASSERT_NEAR(mean, 1.0, 0.05) << rate << " " << step;
    }
    EXPECT_GT(std::abs(std::log2(size)), 19.0) << "as many powers of two for the gradient, and twice as many for v";
  }
}

// What has no gradient does not move, however long.
void stand_still(int steps) {
  for (const std::string_view name : presets()) {
    std::vector<bf16> weights(kSize);
    std::vector<float> grad(kSize);
    for (std::size_t i = 0; i < kSize; ++i) weights[i] = bf16(static_cast<float>(i) - 100.0f);
    Optimizer optimizer(Rule::adamw, {{"w", weights, grad}}, {.weight_decay = 0.0}, preset(name));
    const std::vector<float> before = optimizer.export_param("w");
    for (int step = 0; step < steps; ++step) optimizer.step();
    EXPECT_EQ(optimizer.export_param("w"), before) << name;
    EXPECT_EQ(optimizer.export_state("w", "exp_avg"), std::vector<float>(kSize)) << name;
    EXPECT_EQ(optimizer.export_state("w", "exp_avg_sq"), std::vector<float>(kSize)) << name;
  }
}
TEST(Fidelity, ZeroGradientsMoveNothing) { stand_still(20'000); }

}  // namespace
}  // namespace adamant::fidelity
