// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The dither's words: even where every step counts, and as good as random ones for any choice of steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "format/rounding.h"
#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

constexpr Dither kStreams[] = {Dither::first_moment, Dither::second_moment, Dither::weight};

TEST(Dither, HasAnId) { EXPECT_EQ(dither_id(), "dither-2"); }

TEST(Dither, EveryAlignedRunOfStepsFillsAllIntervals) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    for (const Dither stream : kStreams) {
      for (int bits = 1; bits <= 12; ++bits) {
        const std::uint64_t run = random_bits(seed) >> (2 + bits);
        std::set<std::uint32_t> tops;
        for (std::uint64_t t = run << bits; t < (run + 1) << bits; ++t) {
          tops.insert(dither(stream, seed, t).base >> (32 - bits));
        }
        ASSERT_EQ(tops.size(), std::size_t{1} << bits) << "run " << run << " of 2^" << bits;
      }
    }
  }
}

/// How far the roundings up of 128 neighbouring elements are from what they should be, in standard deviations of
/// independent random ones: of touches at some steps, with that chance each.
struct Touch {
  std::uint64_t step;
  double chance;
};
struct Deviation {
  double square_sum = 0.0, most = 0.0;
  std::size_t count = 0;
  [[nodiscard]] double rms() const { return std::sqrt(square_sum / static_cast<double>(count)); }
};
void add(Deviation& all, Dither stream, std::uint32_t seed, const std::vector<Touch>& touches) {
  double mean = 0.0, variance = 0.0;
  std::vector<Rounding> roundings;
  std::vector<std::uint32_t> below;
  for (const auto& [step, chance] : touches) {
    mean += chance;
    variance += chance * (1.0 - chance);
    roundings.push_back(dither(stream, seed, step));
    below.push_back(static_cast<std::uint32_t>(std::ldexp(chance, 32)));
  }
  for (std::size_t i = 0; i < 128; ++i) {
    double up = 0.0;
    for (std::size_t n = 0; n < touches.size(); ++n) up += roundings[n].from(i).base < below[n] ? 1.0 : 0.0;
    const double deviation = (up - mean) / std::sqrt(variance);
    all.square_sum += deviation * deviation;
    all.most = std::max(all.most, std::abs(deviation));
    ++all.count;
  }
}

constexpr int kTouches = 60;

using Pattern = std::function<Touch(std::uint64_t n)>;
Deviation of(std::uint64_t seed, const Pattern& pattern) {
  Deviation all;
  for (const Dither stream : kStreams) {
    std::vector<Touch> touches;
    for (std::uint64_t n = 0; n < kTouches; ++n) touches.push_back(pattern(n));
    add(all, stream, static_cast<std::uint32_t>(seed), touches);
  }
  return all;
}

// Of 60 independent roundings up with a chance of a half, one sum in six million is further away than five deviations.
TEST(Dither, NoStrideOfTouchesMovesWithIt) {
  double square_sum = 0.0;
  constexpr std::uint64_t kLast = 10'000;
  for (std::uint64_t stride = 1; stride <= kLast; ++stride) {
    const std::uint64_t phase = random_bits(stride) % stride;
    const Deviation found = of(7, [&](std::uint64_t n) { return Touch{phase + n * stride, 0.5}; });
    EXPECT_LT(found.most, 5.0) << "stride " << stride;
    square_sum += found.rms() * found.rms();
  }
  EXPECT_NEAR(std::sqrt(square_sum / kLast), 1.0, 0.02);
}

TEST(Dither, NoOtherPatternOfTouchesDoes) {
  double square_sum = 0.0;
  int count = 0;
  const auto expect_even = [&](const char* what, std::uint64_t stride, const Pattern& pattern) {
    const Deviation found = of(11, pattern);
    EXPECT_LT(found.most, 5.0) << what << " " << stride;
    square_sum += found.rms() * found.rms();
    ++count;
  };
  for (std::uint64_t stride = 6; stride <= 3000; stride += stride < 200 ? 1 : 17) {
    expect_even("two interleaved strides", stride,
                [&](std::uint64_t n) { return Touch{n / 2 * stride + (n % 2 == 0 ? 0 : stride / 3 + 1), 0.5}; });
    expect_even("neighbouring steps", stride, [&](std::uint64_t n) { return Touch{n / 2 * stride + n % 2, 0.5}; });
    expect_even("every fifth one skipped", stride, [&](std::uint64_t n) { return Touch{(n + n / 4) * stride, 0.5}; });
    expect_even("a learning rate that falls", stride,
                [&](std::uint64_t n) { return Touch{n * stride, 0.7 - 0.4 * static_cast<double>(n) / kTouches}; });
    expect_even("any steps", stride,
                [&](std::uint64_t n) { return Touch{n * stride + random_bits(n * 10'007 + stride) % stride, 0.5}; });
  }
  EXPECT_LT(std::sqrt(square_sum / count), 1.02);
}

TEST(Dither, StepAfterStepItIsMuchMoreEven) {
  const auto rms = [](std::uint64_t steps, double chance) {
    Deviation all;
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
      std::vector<Touch> touches;
      for (std::uint64_t n = 0; n < steps; ++n) touches.push_back({random_bits(seed) % 100'000 + n, chance});
      for (const Dither stream : kStreams) add(all, stream, seed, touches);
    }
    return all.rms();
  };
  EXPECT_LT(rms(20, 0.3), 0.5);
  EXPECT_LT(rms(50, 0.3), 0.4);
  EXPECT_LT(rms(200, 0.02), 0.5);
  EXPECT_LT(rms(2000, 0.002), 0.5);
  EXPECT_LT(rms(2000, 0.3), 0.1);
}

TEST(Dither, StreamsAndTensorsHaveWordsOfTheirOwn) {
  // The differences between two streams fill every interval too: neither is the other one moved.
  const auto differences = [](Dither a, std::uint32_t seed_a, Dither b, std::uint32_t seed_b) {
    std::vector<int> sixteenths(16);
    for (std::uint64_t t = 1; t <= 4000; ++t) {
      ++sixteenths[(dither(a, seed_a, t).base - dither(b, seed_b, t).base) >> 28];
    }
    return *std::ranges::max_element(sixteenths);
  };
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    EXPECT_LT(differences(Dither::first_moment, seed, Dither::second_moment, seed), 400);
    EXPECT_LT(differences(Dither::second_moment, seed, Dither::weight, seed), 400);
    EXPECT_LT(differences(Dither::weight, seed, Dither::weight, seed + 1), 400);
  }
}

}  // namespace
}  // namespace adamant::testing
