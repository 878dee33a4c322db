// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the second moment is for: the mean square of each coordinate, and steps that do not depend on its scale.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

Options adamw(double beta2, double lr, double eps) {
  return {.lr = lr, .betas = {0.9, beta2}, .eps = eps, .weight_decay = 0.0};
}

// ---- v as an estimate

constexpr int kDecades = 7;  // of the gradients' deviations, from 1e-3 to 1e3
constexpr std::size_t kOfEach = 256;

double deviation_of(std::size_t i) {
  const std::size_t decade = i / kOfEach;
  return std::pow(10.0, static_cast<double>(decade) - 3.0);
}

struct Estimate {
  std::vector<double> early, late;  // v̂ over the true mean square, per coordinate, after 10 and after many steps
};

Estimate estimate(double beta2, double mean) {
  constexpr int kEarly = 10, kLate = 8000;
  Rig rig(Rule::adamw, kDecades * kOfEach, adamw(beta2, 0.0, 1e-8));
  const Random random(11, kNoiseStream);
  const int last = static_cast<int>(std::min<double>(kLate, 8.0 / (1.0 - beta2)));
  Estimate found;
  std::uint64_t index = 0;
  for (int t = 1; t <= last; ++t) {
    for (std::size_t i = 0; i < rig.gradients().size(); ++i) {
      rig.gradients()[i] = static_cast<float>(deviation_of(i) * (mean + random.normal(index++)));
    }
    rig.step();
    if (t != kEarly && t != last) continue;
    for (std::size_t i = 0; i < rig.gradients().size(); ++i) {
      const double truth = deviation_of(i) * deviation_of(i) * (1.0 + mean * mean);
      const double ratio = rig.state("exp_avg_sq")[i] / (1.0 - std::pow(beta2, t)) / truth;
      (t == kEarly ? found.early : found.late).push_back(ratio);
    }
  }
  return found;
}

double mean_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Steps after which v has fallen to half, when the gradients have stopped.
double steps_to_half(double beta2) {
  Rig rig(Rule::adamw, 1, adamw(beta2, 0.0, 1e-8));
  rig.gradients()[0] = 1.0F;
  for (int t = 0; t < 100; ++t) rig.step();
  const float before = rig.state("exp_avg_sq")[0];
  rig.gradients()[0] = 0.0F;
  for (int t = 1;; ++t) {
    rig.step();
    if (rig.state("exp_avg_sq")[0] <= 0.5F * before) return t;
  }
}

// √v̂ of one weight whose gradients become ten times smaller half-way.
Series follow(double beta2) {
  constexpr int kSteps = 4000;
  Series series{"√v̂, β2 = " + text_of(beta2)};
  Rig rig(Rule::adamw, 1, adamw(beta2, 0.0, 1e-8));
  const Random random(12, kNoiseStream);
  for (int t = 1; t <= kSteps; ++t) {
    const double scale = t <= kSteps / 2 ? 1.0 : 0.1;
    rig.gradients()[0] = static_cast<float>(scale * random.normal(static_cast<std::uint64_t>(t)));
    rig.step();
    if (t % 20 != 0) continue;
    series.add(t, std::sqrt(rig.state("exp_avg_sq")[0] / (1.0 - std::pow(beta2, t))));
  }
  return series;
}

}  // namespace

Claim claim_mean_square(const Setup& setup) {
  constexpr std::array kBetas = {0.999, 0.95};
  std::array<Estimate, 3> found{};
  setup.for_each(found.size(), [&](std::size_t i) { found[i] = estimate(kBetas[i % 2], i < 2 ? 0.0 : 2.0); });

  Claim claim{
      .statement = "v̂ estimates the mean square of the gradient, coordinate by coordinate",
      .formula = "v̂/E[g²] = 1",
      .words =
          "Gradients of 1,792 coordinates with deviations from 0.001 to 1000. Thanks to the bias correction v̂ is "
          "right on average from the first steps on; how far single estimates stray depends on how many steps it "
          "averages over, about 1/(1-β2). It is the mean square, not the variance: where the gradients have a mean, "
          "that counts too. And it is that of recent steps: after a change of scale half of the old mean square is "
          "left for ln 2/ln(1/β2) steps."};
  claim.figures.push_back({.id = "ratio",
                           .what = "v̂/E[g²], mean over all coordinates, β2 = 0.999",
                           .theory = 1.0,
                           .measured = mean_of(found[0].late),
                           .tolerance = 0.01});
  double worst = 0.0;
  Series truth{"deviation of the gradients", Stroke::theory}, measured{"√v̂", Stroke::dots};
  for (std::size_t k = 0; k < kDecades; ++k) {
    const std::span<const double> group = std::span(found[0].late).subspan(k * kOfEach, kOfEach);
    if (std::abs(mean_of(group) - 1.0) > std::abs(worst - 1.0) || k == 0) worst = mean_of(group);
    const double scale = deviation_of(k * kOfEach);
    truth.add(scale, scale);
    measured.add(scale, scale * std::sqrt(mean_of(group)));
  }
  claim.figures.push_back({.id = "worst",
                           .what = "the same for the one of seven scales, 0.001 to 1000, where it is furthest from 1",
                           .theory = 1.0,
                           .measured = worst,
                           .tolerance = 0.01});
  claim.figures.push_back({.id = "early",
                           .what = "the same after 10 steps",
                           .theory = 1.0,
                           .measured = mean_of(found[0].early),
                           .tolerance = 0.03});
  for (std::size_t i = 0; i < kBetas.size(); ++i) {
    const double spread = std::sqrt(2.0 * (1.0 - kBetas[i]) / (1.0 + kBetas[i]));
    claim.figures.push_back(
        {.id = "spread." + text_of(kBetas[i]),
         .what = "deviation of single estimates √(2(1-β2)/(1+β2)), relative, β2 = " + text_of(kBetas[i]),
         .theory = spread,
         .measured = deviation(found[i].late),
         .tolerance = 0.05 * spread});
  }
  claim.figures.push_back({.id = "mean",
                           .what = "v̂ over the variance, where the mean is twice the deviation, β2 = 0.999",
                           .theory = 5.0,
                           .measured = 5.0 * mean_of(found[2].late),
                           .tolerance = 0.05});
  for (const double beta : kBetas) {
    claim.figures.push_back({.id = "half." + text_of(beta),
                             .what = "steps until half is forgotten, ln 2/ln(1/β2), β2 = " + text_of(beta),
                             .theory = std::ceil(std::numbers::ln2 / -std::log(beta)),
                             .measured = steps_to_half(beta)});
  }
  claim.plots = {
      {"v knows the scale of every coordinate", "deviation of its gradients", "√v̂", true, true, {truth, measured}},
      {"v follows a change of scale", "step", "√v̂", false, true, {follow(0.999), follow(0.95)}}};
  return claim;
}

namespace {

// How far weights move in 1000 steps whose gradients are the same random signs, times a scale of each weight's own.
std::vector<double> distances(Rule rule, const Options& options, std::span<const double> scales) {
  Rig rig(rule, scales.size(), options);
  const Random random(13, kNoiseStream);
  for (std::uint64_t t = 0; t < 1000; ++t) {
    const double sign = random.uniform(t) < 0.5 ? -1.0 : 1.0;
    for (std::size_t i = 0; i < scales.size(); ++i) rig.gradients()[i] = static_cast<float>(sign * scales[i]);
    rig.step();
  }
  return {rig.weights().begin(), rig.weights().end()};
}

}  // namespace

Claim claim_rescaling(const Setup&) {
  constexpr double kEps = 1e-8, kLr = 1e-3;
  Claim claim{.statement =
                  "Where v is large the step is small, and where v is small it is large: the update does not depend "
                  "on the scale of a coordinate's gradient",
              .formula = "Δw(s·g)/Δw(g) = 1",
              .condition = "the gradient is far above ε",
              .words =
                  "The same gradients, multiplied by a number s of each coordinate's own. The scale cancels between "
                  "m and √v, so it does not matter in which units a parameter, or the loss, is measured; with plain "
                  "descent the distance is proportional to s. What ends it is ε: as the gradient comes near ε the "
                  "step becomes s/(s+ε) of what it was. With ε = 0, scales that are powers of two give the same bits."};
  const std::vector<double> scales = decades(1e-11, 1e12, 1);
  const std::vector<double> adaptive = distances(Rule::adamw, adamw(0.999, kLr, kEps), scales);
  const std::vector<double> plain = distances(Rule::sgd, {.lr = kLr}, scales);
  const auto one =
      static_cast<std::size_t>(std::ranges::find_if(scales, [](double s) { return s > 0.5; }) - scales.begin());
  Series moved{"AdamW", Stroke::dots}, theory{"s/(s+ε)", Stroke::theory}, descended{"plain descent", Stroke::dots};
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const double ratio = adaptive[i] / adaptive[one];
    moved.add(scales[i], ratio);
    descended.add(scales[i], plain[i] / plain[one]);
  }
  for (const double s : decades(1e-11, 1e12, 10)) {
    theory.add(s, s / (s + kEps));
  }
  const auto figure = [&](const char* id, double scale, bool beyond) {
    const auto at = static_cast<std::size_t>(std::lround(std::log10(scale / scales[0])));
    claim.figures.push_back({.id = id,
                             .what = std::string("distance with gradients times ") + id + ", over that without",
                             .theory = 1.0,
                             .measured = moved.y[at],
                             .tolerance = 1e-3,
                             .beyond = beyond});
  };
  figure("1e6", 1e6, false);
  figure("1e12", 1e12, false);
  figure("1e-3", 1e-3, false);
  figure("1e-8", 1e-8, true);
  {
    std::vector<double> powers;
    for (int k = -40; k <= 40; ++k) powers.push_back(std::ldexp(1.0, k));
    const std::vector<double> exact = distances(Rule::adamw, adamw(0.999, kLr, 0.0), powers);
    claim.figures.push_back(
        {.id = "bits",
         .what = "of 81 scales from 2^-40 to 2^40 with ε = 0, how many give other bits",
         .theory = 0.0,
         .measured = static_cast<double>(std::ranges::count_if(exact, [&](double w) { return w != exact[40]; }))});
  }
  claim.figures.push_back({.id = "plain",
                           .what = "distance of plain descent with gradients times 1000, over that without",
                           .theory = 1000.0,
                           .measured = plain[one + 3] / plain[one],
                           .tolerance = 1.0});
  claim.plots = {{"How far a weight moves when its gradients are scaled (ε = 1e-8)",
                  "s",
                  "distance / that for s = 1",
                  true,
                  true,
                  {theory, moved, descended}}};
  return claim;
}

}  // namespace adamant::lab
