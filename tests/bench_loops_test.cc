// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The loops that a step with statistics is compared with compute what they are said to.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bench/loops.h"

namespace adamant::bench {
namespace {

constexpr std::size_t kFirst = 3, kCount = 10007;  // neither a whole number of vectors nor of runs

std::vector<float> numbers(double rate) {
  std::vector<float> values(kFirst + kCount + 5);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(std::sin(rate * static_cast<double>(i)) + 0.1);
  }
  values.front() = values.back() = 100.0F;  // outside of what is asked for
  return values;
}

TEST(BenchLoops, ReductionsSeeWhatIsThere) {
  const std::vector<float> x = numbers(1.0), y = numbers(0.7);
  Seen expected;
  for (std::size_t i = kFirst; i < kFirst + kCount; ++i) {
    const double a = static_cast<double>(x[i]), b = static_cast<double>(y[i]);
    expected.add({.sum = a, .xx = a * a, .xy = a * b, .yy = b * b, .least = std::abs(a), .largest = std::abs(a)});
  }
  for (const Loops* set : loops()) {
    SCOPED_TRACE(set->name);
    const auto seen = [&](Loops::Reduction pass) { return pass(x.data(), y.data(), kFirst, kCount); };
    EXPECT_NEAR(seen(set->norm).xx, expected.xx, 1e-5 * expected.xx);
    EXPECT_NEAR(seen(set->average).sum, expected.sum, 1e-5 * expected.xx);
    EXPECT_NEAR(seen(set->cosine).xx, expected.xx, 1e-5 * expected.xx);
    EXPECT_NEAR(seen(set->cosine).xy, expected.xy, 1e-5 * expected.xx);
    EXPECT_NEAR(seen(set->cosine).yy, expected.yy, 1e-5 * expected.yy);
    EXPECT_EQ(seen(set->least).least, expected.least);
    EXPECT_EQ(seen(set->largest).largest, expected.largest);
  }
}

TEST(BenchLoops, TheUpdateIsWhatTheStepSubtracts) {
  const AdamwScalars scalars = adamw_scalars(0.01, 0.9, 0.999, 1e-8, 0.1, 100);
  const std::vector<float> g = numbers(1.3);
  for (const Loops* set : loops()) {
    SCOPED_TRACE(set->name);
    std::vector<float> before = numbers(1.0), p = before, m = numbers(0.7), v(p.size(), 0.5F), update(p.size());
    set->plain(scalars, {p.data(), g.data(), m.data(), v.data(), nullptr}, kFirst, kCount);
    set->update(scalars, {before.data(), g.data(), m.data(), v.data(), update.data()}, kFirst, kCount);
    for (std::size_t i = kFirst; i < kFirst + kCount; ++i) ASSERT_NEAR(update[i], before[i] - p[i], 1e-6F) << i;
  }
}

}  // namespace
}  // namespace adamant::bench
