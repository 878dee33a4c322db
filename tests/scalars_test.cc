// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The scalars of a step against exact ones, and the shape of sums.
#include "base/scalars.h"

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <limits>
#include <vector>

#include "base/tree_sum.h"
#include "kernel/pipeline.h"
#include "tests/support/buffers.h"
#include "tests/support/exact.h"

namespace adamant::testing {
namespace {

constexpr double kBetas[] = {0.8, 0.9, 0.95, 0.99, 0.999, 0.9999};

// Every step of the beginning, then 4000 drawn up to a thousand million, most of them where β^t still counts.
std::vector<std::uint64_t> steps() {
  std::vector<std::uint64_t> all;
  for (std::uint64_t t = 1; t <= 3000; ++t) all.push_back(t);
  for (std::uint64_t i = 0; i < 4000; ++i) all.push_back(1 + random_bits(i) % (std::uint64_t{1} << (8 + i % 22)));
  for (std::uint64_t t = 1; t <= 1'000'000'000; t *= 10) all.push_back(t);
  return all;
}

// A squaring doubles the relative error and adds half a unit, so β^t takes at most t - 1 times 2^-53.
TEST(Scalars, PowersAreWithinTheBoundOfRepeatedSquaring) {
  double worst = 0.0;
  for (const double beta : kBetas) {
    for (const std::uint64_t t : steps()) {
      const Exact exact = power(Exact(beta), t);
      const double computed = integer_power(beta, t);
      if (computed < std::numeric_limits<double>::min()) {
        ASSERT_LE(static_cast<double>(exact), 0x1.001p-1022) << beta << " " << t;
        continue;
      }
      const double error = static_cast<double>(abs(Exact(computed) - exact) / exact) * 0x1p53;
      ASSERT_LE(error, static_cast<double>(t - 1)) << beta << " " << t;
      worst = std::max(worst, error / static_cast<double>(t));
    }
  }
  EXPECT_GT(worst, 0.01);
  std::cout << "relative error of the powers: at most " << worst << " t 2^-53\n";
}

// That error is (t-1) β^t 2^-53, and 1 - β^t is at least t (1-β) β^(t-1): the relative error is below 2^-53/(1-β), and
// the difference is rounded once. Small beside the 2^-24 of f32, as the next test shows.
TEST(Scalars, BiasCorrectionsAreCloseToExact) {
  for (const double beta : kBetas) {
    double worst = 0.0;
    for (const std::uint64_t t : steps()) {
      const Exact exact = Exact(1.0) - power(Exact(beta), t);
      worst = std::max(worst, ulps_f64(1.0 - integer_power(beta, t), exact));
    }
    std::cout << "1 - " << beta << "^t: at most " << worst << " ulp\n";
    EXPECT_LE(worst, 0.5 + 1.0 / (1.0 - beta)) << beta;
  }
}

/// As they are packed for AdamW.
struct AdamwScalars {
  float b1, c1, b2, c2, keep, step, scale, eps;
};
AdamwScalars prepared(const Options& options, std::uint64_t t) {
  StepScalars packed;
  prepare_scalars(Variant::adamw, Format::f32, merge(defaults(Rule::adamw), options), t, packed);
  AdamwScalars scalars;
  std::memcpy(&scalars, packed.bytes, sizeof(scalars));
  return scalars;
}

// Rounded to f32, that error shows only where the exact number lies very near the middle between two.
TEST(Scalars, AfterRoundingToF32TheyAreExactButInRareCases) {
  std::size_t compared = 0, different = 0;
  constexpr double kLr = 3e-4, kDecay = 0.1, kEps = 1e-8;
  const Exact one = 1.0;
  for (const double beta1 : kBetas) {
    for (const double beta2 : kBetas) {
      for (const std::uint64_t t : steps()) {
        if (t > 300 && (t + static_cast<std::uint64_t>(beta1 * 100)) % 7 != 0) continue;
        const AdamwScalars scalars =
            prepared({.lr = kLr, .betas = {beta1, beta2}, .eps = kEps, .weight_decay = kDecay}, t);
        const std::array<float, 6> constant = {scalars.b1, scalars.c1,   scalars.b2,
                                               scalars.c2, scalars.keep, scalars.eps};
        const std::array<float, 6> exact_constant = {static_cast<float>(beta1),
                                                     static_cast<float>(one - beta1),
                                                     static_cast<float>(beta2),
                                                     static_cast<float>(one - beta2),
                                                     static_cast<float>(one - Exact(kLr) * kDecay),
                                                     static_cast<float>(kEps)};
        ASSERT_EQ(constant, exact_constant) << beta1 << " " << beta2;
        const auto step = static_cast<float>(Exact(kLr) / (one - power(Exact(beta1), t)));
        const auto scale = static_cast<float>(one / sqrt(one - power(Exact(beta2), t)));
        // Never more than the next one.
        ASSERT_LE(std::abs(std::bit_cast<std::int32_t>(scalars.step) - std::bit_cast<std::int32_t>(step)), 1);
        ASSERT_LE(std::abs(std::bit_cast<std::int32_t>(scalars.scale) - std::bit_cast<std::int32_t>(scale)), 1);
        compared += 2;
        different += (scalars.step != step ? 1u : 0u) + (scalars.scale != scale ? 1u : 0u);
      }
    }
  }
  std::cout << different << " of " << compared << " differ from the exact ones rounded to f32\n";
  EXPECT_GE(compared, 100'000u);
  EXPECT_LE(different, compared / 10'000);
}

TEST(Scalars, LongAfterTheBiasIsGone) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  for (const double beta : kBetas) {
    for (const std::uint64_t t : {kMost, kMost + 1, ~std::uint64_t{0}}) EXPECT_EQ(integer_power(beta, t), 0.0);
  }
  EXPECT_EQ(integer_power(1.0, kMost), 1.0);
  // The largest β there is: after 2^62 steps it is gone too.
  const double largest = static_cast<double>(std::nextafter(1.0f, 0.0f));
  EXPECT_EQ(integer_power(largest, kMost), 0.0);
  const AdamwScalars scalars = prepared({.lr = 0.125, .betas = {largest, largest}}, kMost);
  EXPECT_EQ(scalars.step, 0.125f);
  EXPECT_EQ(scalars.scale, 1.0f);
}

TEST(Scalars, BetaZeroRemembersNothing) {
  EXPECT_EQ(integer_power(0.0, 0), 1.0);
  for (const std::uint64_t t : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1'000'000'007}}) {
    EXPECT_EQ(integer_power(0.0, t), 0.0);
    const AdamwScalars scalars = prepared({.lr = 0.125, .betas = {0.0, 0.0}}, t);
    EXPECT_EQ(scalars.b1, 0.0f);
    EXPECT_EQ(scalars.c1, 1.0f);
    EXPECT_EQ(scalars.step, 0.125f);
    EXPECT_EQ(scalars.scale, 1.0f);
  }
}

static_assert(integer_power(0.5, 10) == 0x1p-10, "at compile time too");

TEST(TreeSums, OfSparseValuesAreThoseWithZerosBetween) {
  for (std::uint64_t n = 0; n < 200; ++n) {
    for (const std::uint64_t share : {1u, 2u, 5u, 20u}) {
      std::vector<double> all(n), values;
      std::vector<std::size_t> indices;
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t place = 1000 * n + i;
        if (random_bits(place) % share != 0) continue;
        values.push_back(all[i] = random_normal(place));  // of 53 bits: the order of additions counts
        indices.push_back(i);
      }
      EXPECT_EQ(sparse_tree_sum(indices, values), tree_sum(all.data(), n)) << n << " " << share;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
