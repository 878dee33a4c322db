// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The statistics of the moments: what noise, decay and a constant gradient give is what their floors say.
#include <gtest/gtest.h>

#include <adamant/moments.hpp>
#include <cmath>
#include <set>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

constexpr std::size_t kSize = 4096;

// One tensor, all of it observed and sampled.
struct Trial {
  Trial(Rule rule, const Options& options) : w(kSize, 1.0F), g(kSize), optimizer(rule, {{"w", w, g}}, options) {
    statistics.observe_every = statistics.sample_every = 1;
  }
  void step(double mean, double deviation) {
    ++t;
    for (std::size_t i = 0; i < kSize; ++i) {
      g[i] = static_cast<float>(mean + deviation * random_normal(t * kSize + i));
    }
    optimizer.step({.statistics = &statistics});
    seen = statistics.tensors.at(0);
    moments = moments_of(seen, optimizer.rule(), optimizer.options());
    floors = floors_of(optimizer.rule(), optimizer.options(), t, kSize);
  }

  std::vector<float> w, g;
  Optimizer optimizer;
  Statistics statistics;
  std::uint64_t t = 0;
  TensorStatistics seen;
  Moments moments;
  MomentFloors floors;
};

// Mean of a statistic and of its floor, over steps.
class Compared {
 public:
  void add(double value, double floor) {
    value_ += value;
    floor_ += floor;
    count_ += 1;
  }
  void expect_near(double tolerance, const char* what) const {
    EXPECT_GT(count_, 0) << what;
    EXPECT_NEAR(value_ / count_, floor_ / count_, tolerance * std::abs(floor_ / count_)) << what;
  }

 private:
  double value_ = 0.0, floor_ = 0.0;
  int count_ = 0;
};

struct NoiseCase {
  const char* name;
  Rule rule;
  Options options;
  std::uint64_t steps;
  bool also_early;  // are the floors also those of the first steps?
};

TEST(Moments, OfPureNoiseAreTheFloors) {
  const NoiseCase cases[] = {
      {"adamw .9 .999", Rule::adamw, {.lr = 0.0, .betas = {0.9, 0.999}}, 400, true},
      {"adamw .9 .95", Rule::adamw, {.lr = 0.0, .betas = {0.9, 0.95}}, 200, true},
      {"adamw .95 .9", Rule::adamw, {.lr = 0.0, .betas = {0.95, 0.9}}, 200, true},
      {"adam 0 .99", Rule::adam, {.lr = 0.0, .betas = {0.0, 0.99}}, 200, true},
      {"rmsprop", Rule::rmsprop, {.lr = 0.0, .alpha = 0.98}, 400, true},
      {"rmsprop momentum", Rule::rmsprop, {.lr = 0.0, .alpha = 0.98, .momentum = 0.8}, 400, false},
      {"adagrad", Rule::adagrad, {.lr = 0.0}, 100, true},
      {"sgd momentum", Rule::sgd, {.lr = 0.0, .momentum = 0.9}, 100, true},
      {"sgd dampened", Rule::sgd, {.lr = 0.0, .momentum = 0.9, .dampening = 0.7}, 100, true},
  };
  for (const NoiseCase& c : cases) {
    SCOPED_TRACE(c.name);
    Trial run(c.rule, c.options);
    Compared lag, update, smoothing, alignment, signal;
    for (std::uint64_t t = 1; t <= c.steps; ++t) {
      run.step(0.0, 3.0);
      const auto near = [&](double value, double floor, const char* what) {
        if (!std::isnan(floor)) {
          EXPECT_NEAR(value, floor, 0.06 * floor) << what << " of step " << t;
        }
      };
      if (c.also_early && t <= 4) {
        near(run.moments.lag, run.floors.lag_noise, "lag");
        near(run.moments.update, run.floors.update_noise, "update");
        near(run.moments.smoothing, run.floors.smoothing_noise, "smoothing");
      }
      if (t > 1 && !std::isnan(run.floors.signal_noise)) {
        signal.add(run.moments.signal * run.moments.signal, run.floors.signal_noise * run.floors.signal_noise);
      }
      EXPECT_LE(run.moments.peak_update, run.floors.peak_bound * 1.00001);
      if (t <= c.steps * 2 / 3) continue;
      lag.add(run.moments.lag, run.floors.lag_noise);
      update.add(run.moments.update, run.floors.update_noise);
      smoothing.add(run.moments.smoothing, run.floors.smoothing_noise);
      alignment.add(run.moments.alignment, run.floors.alignment_noise);
    }
    const bool second = c.rule != Rule::sgd, first = c.rule != Rule::rmsprop && c.rule != Rule::adagrad;
    if (second) {
      lag.expect_near(0.02, "lag");
      update.expect_near(0.02, "update");
    }
    if (first && (!c.options.betas || (*c.options.betas)[0] > 0.0)) {
      smoothing.expect_near(0.02, "smoothing");
      signal.expect_near(0.4, "squared signal");  // m moves slowly: few of its values are independent
    }
    if (c.options.betas ? (*c.options.betas)[1] >= 0.99 : c.rule == Rule::sgd) alignment.expect_near(0.02, "alignment");
  }
}

// Against the sums over all steps, where the library has closed forms.
TEST(Moments, HaveTheFloorsOfTheirDefinition) {
  const double beta1 = 0.9, beta2 = 0.8;
  Trial run(Rule::adamw, {.lr = 0.0, .betas = {beta1, beta2}});
  for (int t = 1; t <= 30; ++t) {
    run.step(0.0, 1.0);
    double squares = 0.0, shared = 0.0, scale_squares = 0.0;
    for (int k = 0; k < t; ++k) {
      const double c = (1.0 - beta1) * std::pow(beta1, k) / (1.0 - std::pow(beta1, t));
      const double a = (1.0 - beta2) * std::pow(beta2, k) / (1.0 - std::pow(beta2, t));
      squares += c * c;
      shared += c * c * a;
      scale_squares += a * a;
    }
    const double newest = (1.0 - beta2) / (1.0 - std::pow(beta2, t));
    EXPECT_NEAR(run.floors.update_noise, std::sqrt(squares - 2.0 * shared + 2.0 * squares * scale_squares), 1e-12);
    EXPECT_NEAR(run.floors.lag_noise, std::sqrt(1.0 - 2.0 * newest + 2.0 * scale_squares), 1e-12);
  }
}

TEST(Moments, OfAConstantGradientAreSignal) {
  for (const auto& [rule, options] : {std::pair<Rule, Options>{Rule::adamw, {.lr = 0.0, .betas = {0.9, 0.95}}},
                                      {Rule::rmsprop, {.lr = 0.0, .momentum = 0.5}},
                                      {Rule::adagrad, {.lr = 0.0}},
                                      {Rule::sgd, {.lr = 0.0, .momentum = 0.9, .dampening = 0.5}}}) {
    Trial run(rule, options);
    for (int t = 0; t < 30; ++t) run.step(0.5, 0.0);
    const bool first = rule == Rule::adamw || rule == Rule::sgd;
    if (first) {
      EXPECT_NEAR(run.moments.signal, 1.0, 1e-5);
      EXPECT_NEAR(run.moments.smoothing, 1.0, 1e-5);
    }
    EXPECT_NEAR(run.moments.alignment, 1.0, 1e-5);
    if (rule == Rule::adamw || rule == Rule::adagrad) {
      EXPECT_NEAR(run.moments.update, run.floors.update_signal, 1e-4);
      EXPECT_NEAR(run.moments.angle, 0.0, 0.2);
      EXPECT_NEAR(run.moments.spread, 0.0, 0.005);
    }
    if (rule == Rule::adamw) {
      EXPECT_NEAR(run.moments.lag, 1.0, 1e-5);
      EXPECT_NEAR(run.moments.update, 1.0, 1e-5);
    }
  }
}

TEST(Moments, OfNoiseAndDecayComeIntoBalance) {
  Trial run(Rule::adamw, {.lr = 1e-2, .betas = {0.9, 0.95}, .weight_decay = 0.4});
  const double balance = std::sqrt(1e-2 / (2 * 0.4));
  for (std::size_t i = 0; i < kSize; ++i) run.w[i] = static_cast<float>(balance * random_normal(i));
  Compared equilibrium, relative, share, radial;
  for (int t = 1; t <= 1200; ++t) {
    run.step(0.0, 1.0);
    if (t <= 400) continue;
    equilibrium.add(run.moments.equilibrium, 1.0);
    relative.add(run.moments.relative_step, run.floors.relative_equilibrium);
    share.add(run.moments.decay_share, run.floors.decay_equilibrium);
    radial.add(run.moments.radial, run.floors.radial_equilibrium);
  }
  equilibrium.expect_near(0.03, "equilibrium");
  relative.expect_near(0.03, "relative step");
  share.expect_near(0.03, "decay share");
  radial.expect_near(0.06, "radial");
}

TEST(Moments, KnowWhatCannotBeExceeded) {
  const auto bound = [](double beta1, double beta2) {
    return floors_of(Rule::adamw, merge(defaults(Rule::adamw), {.betas = {beta1, beta2}}), 100000, 1);
  };
  EXPECT_NEAR(bound(0.9, 0.999).peak_bound, 7.27, 0.01);
  EXPECT_NEAR(bound(0.9, 0.95).peak_bound, 1.165, 0.001);
  EXPECT_NEAR(bound(0.9, 0.9).peak_bound, 1.0, 1e-9);
  EXPECT_NEAR(bound(0.9, 0.999).lone_hit, 3.16, 0.01);
  EXPECT_NEAR(bound(0.9, 0.95).lone_hit, 0.447, 0.001);
  EXPECT_EQ(bound(0.9, 0.0).peak_bound, INFINITY);

  // The gradients that reach the bound: each the last one's β1/β2 of the next.
  Trial run(Rule::adamw, {.lr = 0.0, .betas = {0.9, 0.95}, .eps = 0.0});
  double g = 1.0;
  for (int t = 0; t < 60; ++t) run.step(g *= 0.95 / 0.9, 0.0);
  EXPECT_NEAR(run.moments.peak_update, run.floors.peak_bound, 1e-4 * run.floors.peak_bound);
  // A hit after a silence.
  Trial silent(Rule::adamw, {.lr = 0.0, .betas = {0.9, 0.999}});
  for (int t = 0; t < 500; ++t) silent.step(0.0, 0.0);
  silent.step(1.0, 0.0);
  EXPECT_NEAR(silent.moments.peak_update, silent.floors.lone_hit, 1e-3);
}

TEST(Moments, SeeEpsilonDeadElementsAndDecay) {
  Trial run(Rule::adamw, {.lr = 0.1, .eps = 0.5, .weight_decay = 0.2});
  run.step(0.5, 0.0);
  EXPECT_NEAR(run.moments.eps_tax, 0.5, 1e-5);
  EXPECT_NEAR(run.moments.update, 0.5, 1e-5);
  EXPECT_NEAR(run.moments.typical_lr, 0.2, 1e-3);  // ε apart
  EXPECT_NEAR(run.moments.decay_share, 0.2 / (0.2 + 0.5), 1e-5);
  EXPECT_NEAR(run.moments.relative_step, 0.1 * 0.5, 1e-6);
  EXPECT_NEAR(run.moments.decrease, 0.1 * 0.5 * 0.5 * kSize, 1e-3 * kSize);
  EXPECT_NEAR(run.moments.radial, 1.0, 1e-5);
  EXPECT_EQ(run.moments.dead, 0.0);
  EXPECT_TRUE(std::isnan(run.moments.signal));  // nothing was known before the first gradient

  Trial dead(Rule::adamw, {});
  dead.step(0.0, 0.0);
  EXPECT_EQ(dead.moments.dead, 1.0);
  EXPECT_EQ(dead.moments.zero_grads, 1.0);
  EXPECT_NEAR(dead.moments.eps_tax, 1.0, 1e-5);
  EXPECT_TRUE(std::isnan(dead.moments.typical_lr));
  EXPECT_TRUE(std::isnan(dead.moments.smoothing));
}

TEST(Moments, SayNothingAboutMomentsThatAreNotThere) {
  const auto unsaid = [](const Trial& run) {
    std::set<std::string_view> names;
    for (const MomentInfo& info : moment_list()) {
      if (std::isnan(run.moments.*info.value)) names.insert(info.name);
    }
    return names;
  };
  using Names = std::set<std::string_view>;
  const auto after = [](Rule rule, const Options& options) {
    Trial run(rule, options);
    run.step(1.0, 1.0);
    run.step(1.0, 1.0);
    return run;
  };
  EXPECT_EQ(unsaid(after(Rule::adamw, {})), Names{});
  EXPECT_EQ(unsaid(after(Rule::adamw, {.weight_decay = 0.0})), Names{"equilibrium"});
  EXPECT_EQ(unsaid(after(Rule::adam, {})), (Names{"decay_share", "equilibrium"}));
  const Names no_second = {"lag", "eps_tax", "typical_lr", "angle", "spread", "decay_share", "equilibrium", "dead"};
  EXPECT_EQ(unsaid(after(Rule::sgd, {.momentum = 0.9})), no_second);
  Names nothing = no_second;
  nothing.merge(Names{"signal", "smoothing"});
  EXPECT_EQ(unsaid(after(Rule::sgd, {})), nothing);
  EXPECT_EQ(unsaid(after(Rule::adagrad, {})), (Names{"signal", "smoothing", "decay_share", "equilibrium"}));
  EXPECT_EQ(unsaid(after(Rule::rmsprop, {.momentum = 0.5})),
            (Names{"signal", "smoothing", "angle", "decay_share", "equilibrium"}));

  // Nothing was observed: nothing is known.
  TensorStatistics nothing_seen;
  for (nothing_seen.step = 0; nothing_seen.step < 2; ++nothing_seen.step) {
    const Moments moments = moments_of(nothing_seen, Rule::adamw, defaults(Rule::adamw));
    for (const MomentInfo& info : moment_list()) EXPECT_TRUE(std::isnan(moments.*info.value)) << info.name;
  }
}

TEST(Moments, FloorsOfEveryFormAreNumbersOrNothing) {
  for (const Form& form : forms()) {
    const Options options = merge(defaults(form.rule), form.options);
    for (const std::uint64_t t : {0u, 1u, 2u, 1000000u}) {
      const MomentFloors floors = floors_of(form.rule, options, t, 100);
      const bool plain = form.rule != Rule::sgd && !options.amsgrad.value_or(false) &&
                         !options.centered.value_or(false) && options.initial_accumulator_value.value_or(0.0) == 0.0;
      EXPECT_EQ(std::isfinite(floors.update_noise), plain && t > 0) << form.name << " " << t;
      EXPECT_GT(floors.peak_bound, 0.0) << form.name << " " << t;
    }
  }
}

TEST(Moments, AreAList) {
  EXPECT_EQ(moment_list().size() * sizeof(double), sizeof(Moments));
  std::set<std::string_view> names;
  const Moments moments;
  const double* next = &moments.lag;
  for (const MomentInfo& info : moment_list()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(&(moments.*info.value), next++) << info.name << " is not in its place";
    EXPECT_FALSE(info.title.empty() || info.question.empty() || info.formula.empty() || info.reading.empty());
    const Guides guides = info.guides(floors_of(Rule::adamw, defaults(Rule::adamw), 1000, 1000));
    if (!std::isnan(guides.low)) {
      EXPECT_LT(guides.low, guides.high) << info.name;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
