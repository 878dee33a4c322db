// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The rule that HACKING.md adds as its example: what its model says is what its arithmetic does.
#include <gtest/gtest.h>

#include <adamant/moments.hpp>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/buffers.h"

namespace adamant::docs {

// Defined in HACKING.md, by way of rule.cc.in and model.cc.in.
void observe(const Options& options, std::uint64_t t, float* p, const float* g, void* const* states, std::size_t n,
             double* sums);
RuleModel model_at(const Options& options, std::uint64_t t);

namespace {

constexpr std::size_t kBlock = 256, kBlocks = 16;

// Steps along noise of that mean, with the learning rate 0.
struct Trial {
  Options options = {.lr = 0.0, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 0.0};
  std::vector<float> p = std::vector<float>(kBlocks * kBlock, 1.0F), g = p;
  std::vector<float> m = std::vector<float>(kBlocks * kBlock), u = m;
  std::uint64_t t = 0;
  Moments moments;
  MomentFloors floors;

  void step(double mean, double deviation) {
    ++t;
    std::array<double, sizeof(MomentSums) / sizeof(double)> all{};
    for (std::size_t block = 0; block < kBlocks; ++block) {
      const std::size_t at = block * kBlock;
      for (std::size_t i = at; i < at + kBlock; ++i) {
        g[i] = static_cast<float>(mean + deviation * testing::random_normal(t * g.size() + i));
      }
      void* states[] = {&m[at], &u[at], nullptr};
      std::array<double, all.size()> sums{};
      observe(options, t, &p[at], &g[at], states, kBlock, sums.data());
      for (std::size_t j = 0; j < all.size(); ++j) all[j] += sums[j];
    }
    TensorStatistics seen;
    seen.step = t;
    seen.elements = p.size();
    seen.sums = std::bit_cast<MomentSums>(all);
    moments = moments_of(seen, model_at(options, t));
    floors = floors_of(model_at(options, t), p.size());
  }
};

TEST(RuleOfHacking, HasTheFloorsThatNoiseGives) {
  Trial run;
  double smoothing = 0.0, alignment = 0.0, signal = 0.0;
  constexpr int kSteps = 300, kCounted = 200;
  for (int step = 1; step <= kSteps; ++step) {
    run.step(0.0, 3.0);
    if (step <= kSteps - kCounted) continue;
    smoothing += run.moments.smoothing / run.floors.smoothing_noise / kCounted;
    alignment += run.moments.alignment / run.floors.alignment_noise / kCounted;
    signal += std::pow(run.moments.signal / run.floors.signal_noise, 2) / kCounted;
  }
  EXPECT_NEAR(smoothing, 1.0, 0.02);
  EXPECT_NEAR(alignment, 1.0, 0.03);
  EXPECT_NEAR(signal, 1.0, 0.4);
  // Of a maximum nothing else is known.
  EXPECT_TRUE(std::isnan(run.floors.lag_noise) && std::isnan(run.floors.update_noise));
  EXPECT_EQ(run.floors.peak_bound, std::numeric_limits<double>::infinity());
  EXPECT_GT(run.moments.lag, 0.0);
}

TEST(RuleOfHacking, SeesASteadyGradient) {
  Trial run;
  for (int step = 0; step < 30; ++step) run.step(0.5, 0.0);
  EXPECT_NEAR(run.moments.signal, 1.0, 1e-5);
  EXPECT_NEAR(run.moments.smoothing, 1.0, 1e-5);
  EXPECT_NEAR(run.moments.alignment, 1.0, 1e-5);
  EXPECT_NEAR(run.moments.lag, 1.0, 1e-5);
}

}  // namespace
}  // namespace adamant::docs
