// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// One step of AdamW in f32 from random states against real arithmetic.
#pragma once

#include <gtest/gtest.h>

#include <adamant/adamant.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <optional>
#include <vector>

#include "tests/support/buffers.h"
#include "tests/support/exact.h"

namespace adamant::testing {

/// The largest errors seen, in units of the last place of f32.
struct Errors {
  double v = 0.0;            // second moment
  double denominator = 0.0;  // √v̂ + ε, from the same gradients and states without any rounding
  double m = 0.0;            // first moment, of the larger of its two terms
};
struct AdamwErrors {
  Errors any;
  /// As training mostly has it: v and the denominator where the old term of v is at least half of the new v, the
  /// denominator where ε is besides less than a thousandth of it; m where β1 is at most 0.95.
  Errors usual;
  std::size_t states = 0;
  std::size_t denominators = 0;  // those that could be told
};

inline void take_larger(double& worst, double error) { worst = std::max(worst, error); }

/// The only f32 d for which numerator / d rounds to quotient, if there is only one.
inline std::optional<float> divisor(float numerator, float quotient) {
  const float near = static_cast<float>(static_cast<double>(numerator) / static_cast<double>(quotient));
  const float above = std::nextafter(near, std::numeric_limits<float>::infinity());
  const float below = std::nextafter(near, 0.0f);
  if (numerator / near != quotient || numerator / above == quotient || numerator / below == quotient) return {};
  return near;
}

struct AdamwMoments {
  std::vector<float> m, v;
};

/// Step t of these options from weights of zero; `w` and `moments` become what the engine makes of them.
inline void step_from(AdamwMoments& moments, std::uint64_t t, const std::vector<float>& g, const Options& options,
                      std::vector<float>& w) {
  w.assign(g.size(), 0.0f);
  Optimizer optimizer(Rule::adamw, {{"w", w, g}}, options);
  StateDict dict = optimizer.state_dict();
  StateDict::Entry& entry = dict.tensors.at("w");
  entry.step = t - 1;
  const std::size_t bytes = g.size() * sizeof(float);
  std::memcpy(entry.states.at("exp_avg").bytes.data(), moments.m.data(), bytes);
  std::memcpy(entry.states.at("exp_avg_sq").bytes.data(), moments.v.data(), bytes);
  optimizer.load_state_dict(dict);
  optimizer.step();
  moments = {optimizer.export_state("w", "exp_avg"), optimizer.export_state("w", "exp_avg_sq")};
}

/// Moments are read from the optimizer. The denominator is not kept anywhere, so it is deduced from a second step with
/// the same gradients and second moments: with β1 = 1/2 and lr = 1 - β1^t the factor of the new first moment N is
/// exactly 1, and the weight, 0 without decay, becomes -N/d, rounded once. N can be chosen by the old first moment;
/// with N/d just below 2 the quotient is known so much more finely than d that only one d fits.
inline void measure(std::size_t size, std::uint64_t seed, AdamwErrors& errors) {
  constexpr double kBeta1[] = {0.0, 0.5, 0.8, 0.9, 0.95, 0.99};
  constexpr double kBeta2[] = {0.8, 0.95, 0.98, 0.99, 0.999, 0.9999};
  constexpr double kEps[] = {1e-8, 1e-3, 1e-12, 1e-20};
  std::uint64_t counter = seed << 32;
  const auto any = [&](std::uint64_t below) { return random_bits(counter++) % below; };
  const double beta1 = kBeta1[any(6)], beta2 = kBeta2[any(6)], eps = kEps[any(4)];
  const std::uint64_t t = 1 + random_bits(counter++) % (std::uint64_t{1} << (any(21)));

  // Half of the states fit their gradients, half are of any size. No term comes near the denormals, which have fewer
  // bits.
  std::vector<float> g(size), w;
  AdamwMoments old = {std::vector<float>(size), std::vector<float>(size)};
  for (std::size_t i = 0; i < size; ++i) {
    const int scale = static_cast<int>(any(60)) - 30;
    const bool fits = any(2) == 0;
    const auto number = [&](int exponent) { return std::ldexp(random_number(counter++), exponent); };
    g[i] = static_cast<float>(number(scale));
    old.m[i] = static_cast<float>(number(fits ? scale : static_cast<int>(any(60)) - 30));
    old.v[i] = static_cast<float>(std::abs(number(fits ? 2 * scale : static_cast<int>(any(120)) - 60)));
  }

  AdamwMoments now = old;
  step_from(now, t, g, {.betas = {beta1, beta2}, .eps = eps}, w);
  const Exact correction = Exact(1.0) - power(Exact(beta2), t);
  std::vector<Exact> denominators;
  denominators.reserve(size);
  std::vector<bool> usual(size);
  AdamwMoments chosen = old;
  for (std::size_t i = 0; i < size; ++i) {
    const Exact gradient = static_cast<double>(g[i]);
    const Exact kept = Exact(beta1) * static_cast<double>(old.m[i]), fresh = (Exact(1.0) - beta1) * gradient;
    const double larger = std::max(static_cast<double>(abs(kept)), static_cast<double>(abs(fresh)));
    const double m_error = ulps_f32(static_cast<double>(now.m[i]), kept + fresh, larger);
    take_larger(errors.any.m, m_error);
    if (beta1 <= 0.95) take_larger(errors.usual.m, m_error);
    const Exact old_term = Exact(beta2) * static_cast<double>(old.v[i]);
    const Exact v = old_term + (Exact(1.0) - beta2) * (gradient * gradient);
    usual[i] = 2.0 * static_cast<double>(old_term) >= static_cast<double>(v);
    const double v_error = ulps_f32(static_cast<double>(now.v[i]), v, v);
    take_larger(errors.any.v, v_error);
    if (usual[i]) take_larger(errors.usual.v, v_error);
    const Exact& d = denominators.emplace_back(sqrt(v / correction) + eps);
    chosen.m[i] = static_cast<float>(2.0 * (2.0 - 0x1p-12) * static_cast<double>(d) - static_cast<double>(g[i]));
  }
  errors.states += size;

  const double lr = 1.0 - std::ldexp(1.0, -static_cast<int>(std::min<std::uint64_t>(t, 100)));
  step_from(chosen, t, g, {.lr = lr, .betas = {0.5, beta2}, .eps = eps, .weight_decay = 0.0}, w);
  ASSERT_EQ(chosen.v, now.v);
  for (std::size_t i = 0; i < size; ++i) {
    const std::optional<float> d = divisor(chosen.m[i], -w[i]);
    if (!d) continue;
    ++errors.denominators;
    const double error = ulps_f32(static_cast<double>(*d), denominators[i], denominators[i]);
    take_larger(errors.any.denominator, error);
    if (usual[i] && eps < 1e-3 * static_cast<double>(*d)) take_larger(errors.usual.denominator, error);
  }
}

/// At least so many states; the promised bounds.
inline void expect_adamw_accuracy(std::size_t states) {
  constexpr std::size_t kSize = 1000;
  AdamwErrors errors;
  for (std::uint64_t seed = 1; errors.states < states; ++seed) {
    measure(kSize, seed, errors);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_LE(errors.usual.v, 2.0);
  EXPECT_LE(errors.usual.denominator, 3.0);
  EXPECT_LE(errors.usual.m, 2.0);
  EXPECT_LE(errors.any.v, 2.5);
  EXPECT_LE(errors.any.denominator, 3.75);
  EXPECT_LE(errors.any.m, 2.5);
  // The test measures something, and could tell nearly every denominator.
  EXPECT_GE(std::min({errors.usual.v, errors.usual.denominator, errors.usual.m}), 1.0);
  EXPECT_GE(errors.denominators, errors.states / 100 * 99);
  for (const auto& [name, worst] : {std::pair("any state", errors.any), std::pair("the usual ones", errors.usual)}) {
    std::cout << name << " of " << errors.states << ": v " << worst.v << " ulp, denominator " << worst.denominator
              << " ulp, m " << worst.m << " ulp of its larger term at most\n";
  }
}

}  // namespace adamant::testing
