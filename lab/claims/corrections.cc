// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What stands around the moments: the bias correction of the first steps, and ε.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

// 1-β^t
double weight_so_far(double beta, int t) { return 1.0 - std::pow(beta, t); }

double uncorrected(double beta2, int t) { return weight_so_far(kBeta1, t) / std::sqrt(weight_so_far(beta2, t)); }

// Steps of a gradient that stays the same, in learning rates: as the engine makes them, and what they would be without
// correction, m/(√v+ε), from the moments the engine keeps.
struct FirstSteps {
  std::vector<double> corrected, bare;  // of step 1, 2, ...
};

FirstSteps first_steps(double beta2, int count) {
  constexpr double kEps = 1e-8;
  Rig rig(Rule::adamw, 1, {.lr = 1.0, .betas = {kBeta1, beta2}, .eps = kEps, .weight_decay = 0.0});
  FirstSteps steps;
  for (int t = 1; t <= count; ++t) {
    rig.gradients()[0] = 0.5F;
    rig.weights()[0] = 0.0F;
    rig.step();
    steps.corrected.push_back(-rig.weights()[0]);
    steps.bare.push_back(rig.state("exp_avg")[0] / (std::sqrt(static_cast<double>(rig.state("exp_avg_sq")[0])) + kEps));
  }
  return steps;
}

double sum_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

Claim claim_bias_correction(const Setup&) {
  constexpr int kSteps = 3000;
  Claim claim{
      .statement =
          "Bias correction gives the first steps their right length; without it they are too long with the "
          "usual betas",
      .formula = "(1-β1^t)/√(1-β2^t) at t = 1",
      .condition = "β2 is so near to 1 that √(1-β2) < 1-β1",
      .words =
          "m and v start at 0 and are too small at first: their weights add up to 1-β1^t and 1-β2^t only. Dividing "
          "by these sums makes both averages, and the very first step has the length of any other. Without it m "
          "would be too small by 0.1 in the first step, but √v by √0.001: the step would be too long, not too short, "
          "and growing until t = 12. With β2 = 0.95 it is the other way round. A warm-up of the learning rate hides "
          "this, it is not the same."};
  const FirstSteps slow = first_steps(0.999, kSteps), fast = first_steps(0.95, kSteps);
  const auto figure = [&](std::string id, double beta2, int t, const FirstSteps& steps) {
    const double expected = uncorrected(beta2, t);
    claim.figures.push_back(
        {.id = std::move(id),
         .what = "step " + text_of(t) + " without correction, over that with it, β2 = " + text_of(beta2),
         .theory = expected,
         .measured = steps.bare[static_cast<std::size_t>(t - 1)] / steps.corrected[static_cast<std::size_t>(t - 1)],
         .tolerance = 1e-3 * expected});
  };
  figure("1", 0.999, 1, slow);
  figure("12", 0.999, 12, slow);
  figure("50", 0.999, 50, slow);
  figure("3000", 0.999, 3000, slow);
  const auto longest = std::ranges::max_element(slow.bare);
  claim.figures.push_back({.id = "longest",
                           .what = "the step at which it is longest, β2 = 0.999",
                           .theory = 12.0,
                           .measured = static_cast<double>(longest - slow.bare.begin() + 1)});
  double expected = 0.0;
  for (int t = 1; t <= 100; ++t) expected += uncorrected(0.999, t);
  claim.figures.push_back(
      {.id = "distance",
       .what = "distance of the first 100 steps without correction, over that with it, β2 = 0.999",
       .theory = expected / 100.0,
       .measured = sum_of(std::span(slow.bare).first(100)) / sum_of(std::span(slow.corrected).first(100)),
       .tolerance = 1e-3 * expected / 100.0});
  claim.figures.push_back({.id = "corrected",
                           .what = "shortest of all steps with correction, in learning rates",
                           .theory = 1.0,
                           .measured = *std::ranges::min_element(slow.corrected),
                           .tolerance = 1e-4});
  {
    Rig rig(Rule::rmsprop, 1, {.lr = 1.0, .alpha = 0.999});
    rig.gradients()[0] = 0.5F;
    rig.step();
    const double first = 1.0 / std::sqrt(0.001);
    claim.figures.push_back({.id = "rmsprop",
                             .what = "first step of RMSprop with α = 0.999, which has no correction, in learning rates",
                             .theory = first,
                             .measured = -rig.weights()[0],
                             .tolerance = 1e-3 * first});
  }
  claim.figures.push_back({.id = "0.95.1",
                           .what = "step 1 without correction, over that with it, too long if above 1, β2 = 0.95",
                           .theory = 1.0,
                           .measured = fast.bare[0] / fast.corrected[0],
                           .check = Check::at_least,
                           .beyond = true});
  Plot plot{"A step without bias correction", "step t", "length / that with correction", true, false, {}};
  for (const auto& [beta2, steps] : {std::pair{0.999, &slow}, std::pair{0.95, &fast}}) {
    Series theory{"(1-β1^t)/√(1-β2^t), β2 = " + text_of(beta2), Stroke::theory};
    Series measured{"measured, β2 = " + text_of(beta2), Stroke::dots};
    for (int t = 1; t <= kSteps; t += std::max(1, t / 10)) {
      theory.add(t, uncorrected(beta2, t));
    }
    for (const int t : {1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 200, 500, 1000, 3000}) {
      const auto at = static_cast<std::size_t>(t - 1);
      measured.add(t, steps->bare[at] / steps->corrected[at]);
    }
    plot.series.push_back(theory);
    plot.series.push_back(measured);
  }
  claim.plots = {plot};
  return claim;
}

namespace {

// Gradients of random sign whose size is the coordinate's own, so that √v̂ is that size, exactly.
struct Signs {
  Random random{41, kNoiseStream};
  std::uint64_t index = 0;
  void fill(std::span<float> g, std::span<const double> sizes) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      g[i] = static_cast<float>(random.uniform(index++) < 0.5 ? -sizes[i] : sizes[i]);
    }
  }
};

struct Sums {
  double tax;    // mean of ε/(√v̂+ε)
  double angle;  // between m and u, in degrees
  double step;   // RMS(u)/RMS(m̂)
};

Sums sums_of(double eps, std::span<const double> sizes) {
  constexpr int kSteps = 300;
  Rig rig(Rule::adamw, sizes.size(), {.lr = 0.0, .betas = {kBeta1, 0.999}, .eps = eps, .weight_decay = 0.0});
  Signs signs;
  Sums found{0.0, 0.0, 0.0};
  for (int t = 1; t <= kSteps; ++t) {
    signs.fill(rig.gradients(), sizes);
    const MomentSums& sums = rig.step();
    if (t < kSteps) continue;
    found.tax = eps * sums.r / static_cast<double>(sizes.size());
    found.angle = std::acos(std::min(1.0, sums.mu / std::sqrt(sums.mm * sums.uu))) * 180.0 / std::numbers::pi;
    found.step = std::sqrt(sums.uu / sums.mm) * weight_so_far(kBeta1, t);
  }
  return found;
}

}  // namespace

Claim claim_epsilon(const Setup& setup) {
  constexpr double kSize = 1e-3;  // of the gradients, and so √v̂
  constexpr std::size_t kCount = 1024;
  const std::vector<double> equal(kCount, kSize);
  std::vector<double> unequal(kCount);  // over six decades
  for (std::size_t i = 0; i < kCount; ++i) unequal[i] = 1e-6 * std::pow(10.0, 6.0 * static_cast<double>(i) / kCount);
  const std::vector<double> sweep = decades(1e-12, 1e3, 1);
  std::vector<Sums> of_equal(sweep.size()), of_unequal(sweep.size());
  setup.for_each(sweep.size(), [&](std::size_t i) {
    of_equal[i] = sums_of(sweep[i], equal);
    of_unequal[i] = sums_of(sweep[i], unequal);
  });
  const auto at = [&](double eps) { return static_cast<std::size_t>(std::lround(std::log10(eps / sweep[0]))); };

  Claim claim{
      .statement = "ε only guards the division, until it is too large: then it rules, and v no longer does",
      .formula = "ε/(√v̂+ε), √v̂ = 1e-3, ε = 1e-8",
      .words =
          "ε stands in the denominator, after the bias correction and outside the root. Where √v̂ is far above it, "
          "it takes no part; where v̂ is 0 because there never was a gradient, it makes 0/(0+ε) a 0. Its share of "
          "the denominator is a tax on v: at √v̂ = ε half of it. Where ε is far above √v̂ everywhere, AdamW is SGD "
          "with momentum at the learning rate η/ε, and all coordinates have the same scale again. Inside the root an "
          "ε of 1e-8 works like one of 1e-4 outside; added before the bias correction it is larger by 1/√(1-β2^t) in "
          "step t. The same number is not the same ε in every program."};
  const auto tax = [&](const char* id, double eps) {
    const double expected = eps / (kSize + eps);
    claim.figures.push_back({.id = id,
                             .what = std::string("share of ε in the denominator, √v̂ = 1e-3, ε = ") + text_of(eps),
                             .theory = expected,
                             .measured = of_equal[at(eps)].tax,
                             .tolerance = 1e-3 * expected});
  };
  tax("1e-8", 1e-8);
  tax("1e-3", 1e-3);
  tax("1", 1.0);
  claim.figures.push_back(
      {.id = "sgd",
       .what = "ε times the update over m̂, which is 1 for SGD with momentum at the learning rate η/ε, ε = 1000",
       .theory = 1.0,
       .measured = 1000.0 * of_equal[at(1000.0)].step,
       .tolerance = 1e-4});
  claim.figures.push_back(
      {.id = "angle.small",
       .what = "angle between the update and m, degrees, at least 45, scales over six decades, ε = 1e-12",
       .theory = 45.0,
       .measured = of_unequal[0].angle,
       .check = Check::at_least});
  claim.figures.push_back({.id = "angle.large",
                           .what = "the same, at most 1: v turns nothing any more, ε = 1000",
                           .theory = 1.0,
                           .measured = of_unequal.back().angle,
                           .check = Check::at_most});
  {
    Rig rig(Rule::adamw, 1, {.lr = 1.0, .weight_decay = 0.0});
    rig.weights()[0] = 3.0F;
    for (int t = 0; t < 10; ++t) rig.step();
    claim.figures.push_back({.id = "zero",
                             .what = "weight of 3 after 10 steps without a gradient: 0/(0+ε) is 0",
                             .theory = 3.0,
                             .measured = rig.weights()[0]});
  }
  // Where ε stands: the same moments, put together otherwise.
  Series outside{"m̂/(√v̂+ε), as it is", Stroke::theory}, inside{"m̂/√(v̂+ε), inside the root", Stroke::theory};
  Series dots{"measured", Stroke::dots}, inside_dots{"from the measured moments", Stroke::dots};
  for (const double size : decades(1e-11, 1.0, 1)) {
    constexpr double kEps = 1e-8;
    Rig rig(Rule::adamw, 1, {.lr = 1.0, .betas = {kBeta1, 0.999}, .eps = kEps, .weight_decay = 0.0});
    rig.gradients()[0] = static_cast<float>(size);
    constexpr int kSteps = 100;
    for (int t = 1; t <= kSteps; ++t) {
      rig.weights()[0] = 0.0F;
      rig.step();
    }
    const double m = rig.state("exp_avg")[0] / weight_so_far(kBeta1, kSteps);
    const double v = rig.state("exp_avg_sq")[0] / weight_so_far(0.999, kSteps);
    dots.add(size, -rig.weights()[0]);
    inside_dots.add(size, m / std::sqrt(v + kEps));
    if (std::lround(std::log10(size)) != -4) continue;
    claim.figures.push_back(
        {.id = "outside",
         .what = "step of a constant gradient of 1e-4, ε = 1e-8 outside the root, in learning rates",
         .theory = size / (size + kEps),
         .measured = dots.y.back(),
         .tolerance = 1e-5});
    claim.figures.push_back({.id = "inside",
                             .what = "the same with ε inside the root",
                             .theory = size / std::sqrt(size * size + kEps),
                             .measured = inside_dots.y.back(),
                             .tolerance = 1e-5});
  }
  for (const double size : decades(1e-11, 1.0, 10)) {
    outside.add(size, size / (size + 1e-8));
    inside.add(size, size / std::sqrt(size * size + 1e-8));
  }
  {
    // In the first step, ε added to √v before its correction: what it comes to after.
    Rig rig(Rule::adamw, 1, {.lr = 1.0, .betas = {kBeta1, 0.999}, .eps = 1e-8, .weight_decay = 0.0});
    rig.gradients()[0] = 1e-8F;
    rig.step();
    const double m = rig.state("exp_avg")[0] / weight_so_far(kBeta1, 1), v = rig.state("exp_avg_sq")[0];
    const double root = std::sqrt(weight_so_far(0.999, 1));
    const double before = m / ((std::sqrt(v) + 1e-8) / root), after = -rig.weights()[0];
    claim.figures.push_back(
        {.id = "before",
         .what = "how many times as large ε is in the first step if added before the bias correction, β2 = 0.999",
         .theory = 1.0 / root,
         .measured = (m / before - std::sqrt(v) / root) / (m / after - std::sqrt(v) / root),
         .tolerance = 1e-3 / root});
  }
  Series shares{"measured", Stroke::dots, sweep, {}}, theory{"ε/(√v̂+ε)", Stroke::theory},
      angles{"angle", Stroke::dots, sweep, {}};
  for (std::size_t i = 0; i < sweep.size(); ++i) {
    shares.y.push_back(of_equal[i].tax);
    angles.y.push_back(of_unequal[i].angle);
  }
  for (const double eps : decades(1e-12, 1e3, 10)) {
    theory.add(eps, eps / (eps + kSize));
  }
  claim.plots = {{"Share of ε in the denominator (√v̂ = 1e-3)", "ε", "share", true, true, {theory, shares}},
                 {"How far v turns the step: scales over six decades",
                  "ε",
                  "angle between m and the update, degrees",
                  true,
                  false,
                  {angles}},
                 {"Where ε stands (ε = 1e-8)",
                  "size of a constant gradient",
                  "step / η",
                  true,
                  true,
                  {outside, dots, inside, inside_dots}}};
  return claim;
}

}  // namespace adamant::lab
