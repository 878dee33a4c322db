// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the first moment is for: noise, inertia, oscillation.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

constexpr double kBeta2 = 0.999;

// RMS of an average of independent numbers with weights (1-β)·β^k, in units of theirs.
double noise_floor(double beta) { return std::sqrt((1.0 - beta) / (1.0 + beta)); }

Options adamw(double beta1, double lr = 0.0) { return {.lr = lr, .betas = {beta1, kBeta2}, .weight_decay = 0.0}; }

// Normal gradients of deviation 1 and some mean, each `correlation` times the one before it plus what is new.
class NormalGradients {
 public:
  NormalGradients(std::uint64_t seed, double mean, double correlation)
      : random_(seed, kNoiseStream), mean_(mean), correlation_(correlation) {}
  void fill(std::span<float> g) {
    noise_.resize(g.size());
    const double fresh = index_ == 0 ? 1.0 : std::sqrt(1.0 - correlation_ * correlation_);
    for (std::size_t i = 0; i < g.size(); ++i) {
      noise_[i] = correlation_ * noise_[i] + fresh * random_.normal(index_++);
      g[i] = static_cast<float>(mean_ + noise_[i]);
    }
  }

 private:
  Random random_;
  double mean_, correlation_;
  std::uint64_t index_ = 0;
  std::vector<double> noise_;
};

struct Levels {
  double smoothing;  // RMS(m)/RMS(g)
  double update;     // RMS(u)
};

// Averages over time, once what was before is forgotten.
Levels levels(double beta1, double mean, double correlation) {
  constexpr std::size_t kSize = 1024;
  constexpr int kForget = 1000, kCount = 1000;
  Rig rig(Rule::adamw, kSize, adamw(beta1));
  NormalGradients gradients(1, mean, correlation);
  double gg = 0.0, mm = 0.0, uu = 0.0;
  for (int t = 1; t <= kForget + kCount; ++t) {
    gradients.fill(rig.gradients());
    const MomentSums& sums = rig.step();
    if (t <= kForget) continue;
    gg += sums.gg;
    mm += sums.mm;
    uu += sums.uu;
  }
  return {std::sqrt(mm / gg), std::sqrt(uu / (kSize * kCount))};
}

// Steps after which m has turned, when the gradient has.
double steps_to_turn(double beta1) {
  Rig rig(Rule::adamw, 1, adamw(beta1));
  rig.gradients()[0] = 1.0F;
  for (int t = 0; t < 2000; ++t) rig.step();
  rig.gradients()[0] = -1.0F;
  for (int t = 1;; ++t) {
    rig.step();
    if (rig.state("exp_avg")[0] < 0.0F) return t;
  }
}

Plot microscope() {
  Plot plot{"Gradients of one weight, and their average", "step", "gradient", false, false, {}};
  Series gradients{"gradient", Stroke::dots}, average{"m̂, β1 = 0.9"};
  Rig rig(Rule::adamw, 1, adamw(0.9));
  NormalGradients noise(7, 0.0, 0.0);
  for (int t = 1; t <= 150; ++t) {
    noise.fill(rig.gradients());
    rig.step();
    gradients.add(t, rig.gradients()[0]);
    average.add(t, rig.state("exp_avg")[0] / (1.0 - std::pow(0.9, t)));
  }
  const double floor = noise_floor(0.9);
  plot.series = {gradients,
                 average,
                 {"the noise that is left", Stroke::theory, {1, 150}, {floor, floor}},
                 {"", Stroke::theory, {1, 150}, {-floor, -floor}}};
  return plot;
}

}  // namespace

Claim claim_noise(const Setup& setup) {
  constexpr std::array kBetas = {0.9, 0.0, 0.5, 0.8, 0.95, 0.99};
  constexpr double kLasting = 0.9;
  std::array<Levels, kBetas.size() + 1> found{};
  setup.for_each(found.size(), [&](std::size_t i) {
    found[i] = i < kBetas.size() ? levels(kBetas[i], 0.0, 0.0) : levels(0.9, 0.0, kLasting);
  });

  Claim claim{.statement = "m is an average of the gradients: it takes their noise away",
              .formula = "RMS(m)/RMS(g) = √((1-β1)/(1+β1))",
              .condition = "the noise of a step tells nothing of the noise of the next",
              .words =
                  "Gradients of a batch are the true gradient plus noise. Here they are noise alone, and m is what "
                  "an average over about 1/(1-β1) steps leaves of it. What m leaves, the step keeps: the root mean "
                  "square of the update is the same number, in units of the learning rate. A larger β1 leaves less "
                  "noise, and takes longer to see that the gradient has turned. Noise that lasts over several steps, "
                  "as of batches that are not shuffled, is taken for signal."};
  Series theory{"theory", Stroke::theory}, measured{"measured", Stroke::dots};
  for (std::size_t i = 0; i < kBetas.size(); ++i) {
    const double beta = kBetas[i], floor = noise_floor(beta);
    claim.figures.push_back({.id = text_of(beta),
                             .what = "RMS(m)/RMS(g) of pure noise, β1 = " + text_of(beta),
                             .theory = floor,
                             .measured = found[i].smoothing,
                             .tolerance = 0.02 * floor});
    measured.add(beta, found[i].smoothing);
  }
  double beta = 0.0;
  for (int i = 0; i < 100; ++i, beta += 0.01) theory.add(beta, noise_floor(beta));
  claim.figures.push_back({.id = "update.0.9",
                           .what = "RMS of the update of pure noise, in learning rates, β1 = 0.9",
                           .theory = noise_floor(0.9),
                           .measured = found[0].update,
                           .tolerance = 0.02 * noise_floor(0.9)});
  for (const double beta : {0.9, 0.99}) {
    claim.figures.push_back(
        {.id = "turn." + text_of(beta),
         .what = "steps until m has turned after the gradient has, ln 2/ln(1/β1), β1 = " + text_of(beta),
         .theory = std::ceil(std::numbers::ln2 / -std::log(beta)),
         .measured = steps_to_turn(beta)});
  }
  claim.figures.push_back({.id = "lasting",
                           .what = "the same with noise that correlates 0.9 from step to step, β1 = 0.9",
                           .theory = noise_floor(0.9),
                           .measured = found.back().smoothing,
                           .tolerance = 0.02 * noise_floor(0.9),
                           .beyond = true});
  claim.plots = {microscope(), {"How much noise m leaves", "β1", "RMS(m)/RMS(g)", false, false, {theory, measured}}};
  return claim;
}

namespace {

// RMS of the update for a mean that is `ratio` times the deviation of the noise.
double update_of_signal(double beta1, double ratio) {
  const double floor = noise_floor(beta1), power = ratio * ratio;
  return std::sqrt((floor * floor + power) / (1.0 + power));
}

// How fast ‖x‖ falls, per step, on a ravine of two axes with curvatures 1 and `condition`: -ln of the factor.
double rate(double condition, const Options& options, double expected) {
  Rig rig(Rule::sgd, 2, options);
  rig.weights()[0] = rig.weights()[1] = 1.0F;
  const auto distance = [&] { return std::hypot(rig.weights()[0], rig.weights()[1]); };
  // Far enough that only the slowest part is left, and still within the range of f32.
  const auto first = static_cast<int>(5.0 / expected), last = static_cast<int>(40.0 / expected);
  double at_first = 0.0;
  for (int t = 1; t <= last; ++t) {
    rig.gradients()[0] = rig.weights()[0];
    rig.gradients()[1] = static_cast<float>(condition) * rig.weights()[1];
    rig.step();
    if (t == first) at_first = distance();
  }
  return std::log(at_first / distance()) / (last - first);
}

// Distance on a constant slope in `steps` steps, over that of plain descent.
double slope_gain(double momentum, int steps) {
  Rig rig(Rule::sgd, 1, {.lr = 0.001, .momentum = momentum});
  rig.gradients()[0] = 1.0F;
  for (int t = 0; t < steps; ++t) rig.step();
  return -rig.weights()[0] / (0.001 * steps);
}

}  // namespace

Claim claim_inertia(const Setup& setup) {
  constexpr std::array kRatios = {0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0};
  std::array<double, kRatios.size()> updates{};
  setup.for_each(updates.size(), [&](std::size_t i) { updates[i] = levels(0.9, kRatios[i], 0.0).update; });

  Claim claim{.statement =
                  "m keeps going in a direction that lasts: there the step has its full length, and a ravine's "
                  "floor is crossed faster",
              .formula = "|Δw| = η for each step",
              .words =
                  "Where all gradients agree, m̂ is the gradient, the update is 1 and the weight moves by the "
                  "learning rate in each step. Between pure noise and pure signal the length of the step says how "
                  "much of the gradient is signal. Along the floor of a ravine the gradient is small and always "
                  "points the same way, so a sum or average of gradients gathers speed there while what goes back "
                  "and forth across the ravine cancels. With learning rate and momentum at their best for a "
                  "quadratic of condition κ, plain descent needs a number of steps that grows as κ, descent with "
                  "momentum one that grows as √κ."};
  {
    constexpr double kLr = 0.001;
    constexpr int kSteps = 1000;
    Rig rig(Rule::adamw, 1, adamw(0.9, kLr));
    rig.gradients()[0] = 3.0F;
    double furthest = 0.0;
    for (int t = 1; t <= kSteps; ++t) {
      rig.step();
      furthest = std::max(furthest, std::abs(rig.state("exp_avg")[0] / (1.0 - std::pow(0.9, t)) / 3.0 - 1.0));
    }
    claim.figures.push_back({.id = "step",
                             .what = "distance of 1000 steps with the same gradient, over 1000 learning rates",
                             .theory = 1.0,
                             .measured = -rig.weights()[0] / (kLr * kSteps),
                             .tolerance = 1e-3});
    claim.figures.push_back({.id = "direction",
                             .what = "largest |m̂/g - 1| in these steps, the first ones too",
                             .theory = 0.0,
                             .measured = furthest,
                             .tolerance = 1e-5});
  }
  Series theory{"theory", Stroke::theory}, measured{"measured", Stroke::dots};
  for (std::size_t i = 0; i < kRatios.size(); ++i) {
    const double expected = update_of_signal(0.9, kRatios[i]);
    if (i > 0) measured.add(kRatios[i], updates[i]);
    if (kRatios[i] != 0.3 && kRatios[i] != 1.0 && kRatios[i] != 3.0) continue;
    claim.figures.push_back(
        {.id = "signal." + text_of(kRatios[i]),
         .what = "RMS of the update where the mean of the gradients over their deviation is " + text_of(kRatios[i]),
         .theory = expected,
         .measured = updates[i],
         .tolerance = 0.02 * expected});
  }
  for (const double ratio : decades(0.05, 20.0, 20)) {
    theory.add(ratio, update_of_signal(0.9, ratio));
  }
  claim.figures.push_back({.id = "slope",
                           .what = "distance down a constant slope in 1000 steps, momentum 0.9 over plain descent",
                           .theory = 10.0 - 90.0 * (1.0 - std::pow(0.9, 1000)) / 1000.0,
                           .measured = slope_gain(0.9, 1000),
                           .tolerance = 1e-2});
  Series bound{"√κ", Stroke::theory}, gains{"measured", Stroke::dots};
  for (const double condition : decades(10.0, 1e4, 2)) {
    const double root = std::sqrt(condition), factor = (root - 1.0) / (root + 1.0);
    const double plain = std::log((condition + 1.0) / (condition - 1.0)), best = -std::log(factor);
    const double gain =
        rate(condition, {.lr = 4.0 / ((1.0 + root) * (1.0 + root)), .momentum = factor * factor}, best) /
        rate(condition, {.lr = 2.0 / (1.0 + condition)}, plain);
    bound.add(condition, root);
    gains.add(condition, gain);
    if (condition != 100.0 && std::lround(condition) != 10000) continue;
    claim.figures.push_back({.id = "ravine." + text_of(condition),
                             .what = "decades gained in a step on a ravine of condition " + text_of(condition) +
                                     ", best momentum over best plain descent",
                             .theory = best / plain,
                             .measured = gain,
                             .tolerance = 0.1 * best / plain});
  }
  claim.plots = {{"The step's length says how much of the gradient is signal",
                  "mean of the gradients / their deviation",
                  "RMS of the update / η",
                  true,
                  false,
                  {theory, measured}},
                 {"What momentum gains on a ravine's floor",
                  "condition κ",
                  "speed / that of plain descent",
                  true,
                  true,
                  {bound, gains}}};
  return claim;
}

namespace {

// |m|/√v of a gradient that turns its sign in every step.
double alternating(double beta1) {
  Rig rig(Rule::adamw, 1, adamw(beta1));
  double squares = 0.0;
  for (int t = 1; t <= 3000; ++t) {
    rig.gradients()[0] = t % 2 == 0 ? 1.0F : -1.0F;
    squares = rig.step().uu;
  }
  return std::sqrt(squares);
}

double gain_of_period(double beta1, double period) {
  const double angle = 2.0 * std::numbers::pi / period;
  return (1.0 - beta1) / std::sqrt(1.0 - 2.0 * beta1 * std::cos(angle) + beta1 * beta1);
}

// RMS(m)/RMS(g) of waves of that period, in all phases.
double measured_gain(double beta1, double period) {
  constexpr std::size_t kPhases = 64;
  Rig rig(Rule::adamw, kPhases, adamw(beta1));
  double ratio = 0.0;
  for (int t = 1; t <= 1000; ++t) {
    for (std::size_t i = 0; i < kPhases; ++i) {
      const double phase = t / period + static_cast<double>(i) / kPhases;
      rig.gradients()[i] = static_cast<float>(std::cos(2.0 * std::numbers::pi * phase));
    }
    const MomentSums& sums = rig.step();
    ratio = std::sqrt(sums.mm / sums.gg);
  }
  return ratio;
}

// The largest product of learning rate and curvature with which descent along an average of gradients, without v, does
// not run away; found by halving.
double largest_stable(double beta1) {
  double low = 0.1, high = 1000.0;
  while (high / low > 1.0001) {
    const double middle = std::sqrt(low * high);
    Rig rig(Rule::sgd, 1, {.lr = middle, .momentum = beta1, .dampening = beta1});
    rig.weights()[0] = 1.0F;
    for (int t = 0; t < 3000 && std::abs(rig.weights()[0]) < 1e6F; ++t) {
      rig.gradients()[0] = rig.weights()[0];
      rig.step();
    }
    (std::abs(rig.weights()[0]) < 1.0F ? low : high) = middle;
  }
  return low;
}

}  // namespace

Claim claim_oscillation(const Setup& setup) {
  constexpr std::array kBetas = {0.9, 0.5, 0.95, 0.99};
  Claim claim{.statement = "m damps what goes back and forth",
              .formula = "|m|/√v = (1-β1)/(1+β1)",
              .condition = "the sign turns within fewer steps than m averages over",
              .words =
                  "Across a ravine the gradient turns its sign in every step. v takes no notice, for it sees "
                  "squares; m nearly vanishes, and so does the step. Slower swings are damped less: m is a low-pass "
                  "filter, and what swings over many more than 1/(1-β1) steps passes. Because m damps the fastest "
                  "swing, which is what makes descent run away, it allows steps of more curvature: 2(1+β1)/(1-β1) in "
                  "place of 2."};
  std::array<double, kBetas.size()> found{};
  setup.for_each(found.size(), [&](std::size_t i) { found[i] = alternating(kBetas[i]); });
  for (std::size_t i = 0; i < kBetas.size(); ++i) {
    const double expected = (1.0 - kBetas[i]) / (1.0 + kBetas[i]);
    claim.figures.push_back(
        {.id = text_of(kBetas[i]),
         .what = "|m|/√v of a gradient that turns its sign in every step, β1 = " + text_of(kBetas[i]),
         .theory = expected,
         .measured = found[i],
         .tolerance = 0.01 * expected});
  }
  Series theory{"theory", Stroke::theory}, measured{"measured", Stroke::dots};
  constexpr std::array kPeriods = {2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0};
  std::array<double, kPeriods.size()> gains{};
  setup.for_each(gains.size(), [&](std::size_t i) { gains[i] = measured_gain(0.9, kPeriods[i]); });
  for (std::size_t i = 0; i < kPeriods.size(); ++i) {
    const double expected = gain_of_period(0.9, kPeriods[i]);
    measured.add(kPeriods[i], gains[i]);
    if (kPeriods[i] == 8.0) {
      claim.figures.push_back({.id = "period.8",
                               .what = "RMS(m)/RMS(g) of a wave of 8 steps, β1 = 0.9",
                               .theory = expected,
                               .measured = gains[i],
                               .tolerance = 0.01 * expected});
    }
    if (kPeriods[i] == 128.0) {
      claim.figures.push_back({.id = "period.128",
                               .what = "RMS(m)/RMS(g) of a wave of 128 steps, at most half if it is damped, β1 = 0.9",
                               .theory = 0.5,
                               .measured = gains[i],
                               .check = Check::at_most,
                               .beyond = true});
    }
  }
  for (const double period : decades(2.0, 256.0, 40)) {
    theory.add(period, gain_of_period(0.9, period));
  }
  for (const double beta : {0.0, 0.9}) {
    const double expected = 2.0 * (1.0 + beta) / (1.0 - beta);
    claim.figures.push_back({.id = "stable." + text_of(beta),
                             .what = "largest stable learning rate times curvature, β1 = " + text_of(beta),
                             .theory = expected,
                             .measured = largest_stable(beta),
                             .tolerance = 0.01 * expected});
  }
  Plot swing{"A gradient that turns its sign in every step", "step", "gradient", false, false, {}};
  Series gradient{"gradient", Stroke::dots}, average{"m̂, β1 = 0.9"};
  Rig rig(Rule::adamw, 1, adamw(0.9));
  for (int t = 1; t <= 60; ++t) {
    rig.gradients()[0] = t % 2 == 0 ? -1.0F : 1.0F;
    rig.step();
    gradient.add(t, rig.gradients()[0]);
    average.add(t, rig.state("exp_avg")[0] / (1.0 - std::pow(0.9, t)));
  }
  swing.series = {gradient, average};
  claim.plots = {swing,
                 {"m is a low-pass filter (β1 = 0.9)",
                  "steps from one peak to the next",
                  "RMS(m)/RMS(g)",
                  true,
                  true,
                  {theory, measured}}};
  return claim;
}

}  // namespace adamant::lab
