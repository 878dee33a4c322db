// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The claims: what the experiments measure against closed forms written here, and what makes a verdict.
#include "lab/claims/claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "lab/claims/addition.h"
#include "lab/claims/fit.h"

namespace adamant::lab {
namespace {

using claim::Finding;

// What every claim must be.
void expect_whole(const Claim& claim) {
  SCOPED_TRACE(claim.id);
  EXPECT_FALSE(claim.statement.empty() || claim.formula.empty() || claim.words.empty() || claim.plots.empty());
  bool beyond = false;
  std::map<std::string, int> ids;
  for (const Figure& figure : claim.figures) {
    EXPECT_EQ(++ids[figure.id], 1) << figure.id;
    EXPECT_FALSE(figure.what.empty());
    EXPECT_TRUE(std::isfinite(figure.measured) && std::isfinite(figure.theory)) << figure.id;
    beyond |= figure.beyond;
  }
  EXPECT_EQ(beyond, !claim.condition.empty());
  EXPECT_EQ(claim.verdict(), beyond ? Verdict::holds_if : Verdict::holds);
  for (const Plot& plot : claim.plots) {
    EXPECT_FALSE(plot.title.empty() || plot.x.empty() || plot.y.empty());
    for (const Series& series : plot.series) {
      EXPECT_EQ(series.x.size(), series.y.size()) << plot.title << series.name;
      EXPECT_FALSE(series.x.empty()) << plot.title << series.name;
    }
  }
  Claim wrong = claim;
  wrong.figures.front().measured = 2.0 * wrong.figures.front().measured + 1.0;
  EXPECT_EQ(wrong.verdict(), Verdict::does_not_hold);
}

const Claim& measured(std::string_view id) {
  static std::map<std::string_view, Claim> done;
  if (const auto found = done.find(id); found != done.end()) return found->second;
  for (const ClaimInfo& info : claims()) {
    if (info.id != id) continue;
    const Claim& claim = done.emplace(info.id, measure(info, {})).first->second;
    EXPECT_EQ(claim.id, id);
    expect_whole(claim);
    return claim;
  }
  throw std::logic_error("no such claim");
}

double figure(std::string_view claim, std::string_view id) {
  for (const Figure& figure : measured(claim).figures) {
    if (figure.id == id) return figure.measured;
  }
  ADD_FAILURE() << claim << " has no figure " << id;
  return NAN;
}

void expect(std::string_view claim, std::string_view id, double value, double relative) {
  EXPECT_NEAR(figure(claim, id), value, relative * std::abs(value)) << claim << "." << id;
}

// ---- Numbers

TEST(Claims, NoiseIsWhatAnAverageLeavesOfIt) {
  // The sum of the squared weights of the average, term by term.
  for (const auto& [id, beta] : {std::pair{"0.5", 0.5}, {"0.9", 0.9}, {"0.95", 0.95}, {"0.99", 0.99}}) {
    double squares = 0.0;
    for (int k = 0; k < 5000; ++k) squares += std::pow((1.0 - beta) * std::pow(beta, k), 2);
    expect("noise", id, std::sqrt(squares), 0.02);
  }
  expect("noise", "update.0.9", 0.2294, 0.02);
  EXPECT_EQ(figure("noise", "turn.0.9"), 7.0);  // 0.9^7 < 1/2 < 0.9^6
  // Noise of correlation ρ: the variance of the average is that of white noise times (1+ρβ)/(1-ρβ).
  expect("noise", "lasting", std::sqrt(0.1 / 1.9 * 1.81 / 0.19), 0.02);
}

TEST(Claims, InertiaGivesFullStepsAndSpeed) {
  expect("inertia", "step", 1.0, 1e-4);
  for (const auto& [id, ratio] : {std::pair{"signal.0.3", 0.3}, {"signal.1", 1.0}, {"signal.3", 3.0}}) {
    expect("inertia", id, std::sqrt((0.1 / 1.9 + ratio * ratio) / (1.0 + ratio * ratio)), 0.02);
  }
  double speed = 0.0, distance = 0.0;
  for (int t = 0; t < 1000; ++t) distance += speed = 0.9 * speed + 1.0;
  expect("inertia", "slope", distance / 1000.0, 1e-3);
  expect("inertia", "ravine.100", 10.0, 0.1);
  expect("inertia", "ravine.10000", 100.0, 0.1);
}

TEST(Claims, OscillationIsDamped) {
  for (const auto& [id, beta] : {std::pair{"0.5", 0.5}, {"0.9", 0.9}, {"0.95", 0.95}, {"0.99", 0.99}}) {
    double m = 0.0;
    for (int t = 0; t < 5000; ++t) m = beta * m + (1.0 - beta) * (t % 2 == 0 ? 1.0 : -1.0);
    expect("oscillation", id, std::abs(m), 0.01);
  }
  expect("oscillation", "stable.0", 2.0, 0.01);
  expect("oscillation", "stable.0.9", 38.0, 0.01);
}

TEST(Claims, TheSecondMomentIsTheMeanSquare) {
  expect("mean-square", "ratio", 1.0, 0.01);
  expect("mean-square", "worst", 1.0, 0.01);
  expect("mean-square", "early", 1.0, 0.03);
  expect("mean-square", "spread.0.999", 0.0316, 0.05);
  expect("mean-square", "spread.0.95", 0.2265, 0.05);
  expect("mean-square", "mean", 1.0 + 2.0 * 2.0, 0.01);
  EXPECT_EQ(figure("mean-square", "half.0.999"), 693.0);
  EXPECT_EQ(figure("mean-square", "half.0.95"), 14.0);
}

TEST(Claims, TheScaleOfGradientsCancels) {
  for (const char* id : {"1e6", "1e12", "1e-3"}) expect("rescaling", id, 1.0, 1e-4);
  expect("rescaling", "1e-8", 0.5, 1e-4);
  EXPECT_EQ(figure("rescaling", "bits"), 0.0);
  expect("rescaling", "plain", 1000.0, 1e-3);
}

// Mean |u| at a hit of chance p, from moments kept in f64 here.
double movement(double p, double beta2) {
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  double sum = 0.0, hits = 0.0;
  for (int coordinate = 0; coordinate < 400; ++coordinate) {
    double m = 0.0, v = 0.0;
    for (int t = 0; t < 16000; ++t) {
      const bool hit = uniform(bits) < p;
      const double g = hit ? normal(bits) : 0.0;
      m = 0.9 * m + 0.1 * g;
      v = beta2 * v + (1.0 - beta2) * g * g;
      if (hit && t > 6000) sum += std::abs(m) / std::sqrt(v), hits += 1.0;
    }
  }
  return sum / hits;
}

TEST(Claims, RareFeaturesMoveFurther) {
  expect("sparse", "0.999.0.001", movement(0.001, 0.999), 0.05);
  expect("sparse", "0.95.0.001", movement(0.001, 0.95), 0.05);
  expect("sparse", "0.999.1", 0.2294 * std::sqrt(2.0 / M_PI), 0.02);
  // The curve: 0.18, 0.79, 1.94.
  expect("sparse", "0.999.0.01", 0.79, 0.03);
  expect("sparse", "0.999.0.001", 1.94, 0.03);
  // Without a text the words are left out, and that is said.
  ASSERT_EQ(measured("sparse").notes.size(), 1U);
  EXPECT_NE(measured("sparse").notes[0].find("left out"), std::string::npos);
}

TEST(Claims, BiasCorrectionMakesTheFirstStepsRight) {
  expect("bias-correction", "1", 0.1 / std::sqrt(0.001), 1e-3);
  expect("bias-correction", "12", 6.57, 1e-3);
  expect("bias-correction", "50", 4.504, 1e-3);
  EXPECT_EQ(figure("bias-correction", "longest"), 12.0);
  expect("bias-correction", "corrected", 1.0, 1e-5);
  expect("bias-correction", "0.95.1", 0.1 / std::sqrt(0.05), 1e-3);
  expect("bias-correction", "rmsprop", 1.0 / std::sqrt(0.001), 1e-3);
}

TEST(Claims, EpsilonTakesItsShare) {
  expect("epsilon", "1e-8", 1e-8 / (1e-3 + 1e-8), 1e-3);
  expect("epsilon", "1e-3", 0.5, 1e-3);
  expect("epsilon", "1", 1.0 / 1.001, 1e-3);
  expect("epsilon", "sgd", 1.0, 1e-4);
  EXPECT_GT(figure("epsilon", "angle.small"), 60.0);
  EXPECT_LT(figure("epsilon", "angle.large"), 0.1);
  EXPECT_EQ(figure("epsilon", "zero"), 3.0);
  expect("epsilon", "outside", 1e-4 / (1e-4 + 1e-8), 1e-5);
  expect("epsilon", "inside", std::sqrt(0.5), 1e-5);
  expect("epsilon", "before", 1.0 / std::sqrt(0.001), 1e-3);
}

TEST(Claims, DecoupledDecayIsTheSameForAll) {
  for (const char* id : {"adamw.100", "adamw.0.1", "adamw.range"}) expect("decoupled", id, 1.0, 0.01);
  expect("decoupled", "l2.100", 0.01, 0.03);
  expect("decoupled", "l2.0.1", 10.0, 0.03);
  expect("decoupled", "norm.0.01.0.1", std::sqrt(0.05), 0.03);
  expect("decoupled", "norm.0.003.1", std::sqrt(0.0015), 0.03);
  expect("decoupled", "norm.scaled", std::sqrt(0.05), 0.03);
  expect("decoupled", "norm.l2.1", std::sqrt(0.005), 0.03);
  expect("decoupled", "norm.l2.10", std::sqrt(0.05), 0.03);
  expect("decoupled", "norm.invariant", std::sqrt(0.015), 0.03);
  EXPECT_NEAR(figure("decoupled", "trained.adamw"), 0.0, 0.01);
  EXPECT_NEAR(figure("decoupled", "trained.adamw.range"), 1.0, 0.01);
  EXPECT_NEAR(figure("decoupled", "trained.l2"), -1.0, 0.1);
}

TEST(Claims, AdditionIsHeldOutInTwoParts) {
  for (const HeldOut part : {HeldOut::validation, HeldOut::test}) {
    const auto addition = make_addition(part);
    addition->start(1);
    const double untaught = addition->evaluate().loss;
    // 43·44/2 = 946 pairs, 3/4 of them learned.
    EXPECT_EQ(addition->describe(),
              "709 sums modulo 43 to learn from, " + std::string(part == HeldOut::test ? "119" : "118") + " held out");
    const double first = addition->loss_and_grad(0);
    EXPECT_NEAR(first, std::log(43.0), 2.0);
    EXPECT_EQ(addition->loss_and_grad(1), first) << "every batch is all of them";
    addition->start(2);
    EXPECT_NE(addition->evaluate().loss, untaught);
    EXPECT_NE(addition->loss_and_grad(0), first);
  }
}

// The share of steps whose sign is that of the latest gradient, from m kept in f64 here.
double agreement(double beta) {
  std::mt19937_64 bits(2);
  std::normal_distribution<double> normal;
  double m = 0.0, same = 0.0;
  constexpr int kSteps = 400000;
  for (int t = -2000; t < kSteps; ++t) {
    const double g = normal(bits);
    m = beta * m + (1.0 - beta) * g;
    if (t >= 0 && (m > 0.0) == (g > 0.0)) same += 1.0;
  }
  return same / kSteps;
}

TEST(Claims, SignsAreLeftOfItWithoutMemory) {
  EXPECT_EQ(figure("signs", "agree.0"), 1.0);
  EXPECT_LT(figure("signs", "angle.0"), 0.1);
  for (const auto& [id, beta] : {std::pair{"agree.0.1", 0.1}, {"agree.0.5", 0.5}, {"agree.0.9", 0.9}}) {
    expect("signs", id, agreement(beta), 0.01);
  }
}

TEST(Claims, WithoutATextNothingIsShownOfTransformers) {
  const ClaimInfo info = *std::ranges::find(claims(), std::string_view("transformers"), &ClaimInfo::id);
  const Claim claim = measure(info, {});
  EXPECT_EQ(claim.verdict(), Verdict::not_shown);
  EXPECT_EQ(claim.notes, std::vector<std::string>{std::string(kTextMissing)});
}

TEST(Claims, APowerLawIsFound) {
  const std::vector<double> x = {1.0, 2.0, 8.0}, y = {3.0, 0.75, 0.046875};
  const PowerLaw law = fit_power_law(x, y);
  EXPECT_NEAR(law.slope, -2.0, 1e-12);
  EXPECT_NEAR(law.mean_y - law.slope * law.mean_x, std::log(3.0), 1e-12);
}

TEST(Claims, TheFamilyIsOne) {
  EXPECT_EQ(figure("family", "rmsprop.v"), 0.0);
  for (const char* id : {"rmsprop", "momentum"}) EXPECT_LT(figure("family", id), 2e-6) << id;
  EXPECT_LT(figure("family", "adagrad"), 5e-5);
  expect("family", "first", 1.0 / std::sqrt(0.001), 1e-3);
  expect("family", "late.1000", 1.0 / std::sqrt(1.0 - std::pow(0.999, 1000)), 1e-3);
  expect("family", "adagrad.100", 0.1, 1e-4);
}

TEST(Claims, AreTheSameOnAnyThreads) {
  for (const ClaimInfo& info : claims()) {
    if (info.id != "oscillation" && info.id != "epsilon") continue;
    const Claim again = measure(info, {.threads = 3});
    for (std::size_t i = 0; i < again.figures.size(); ++i) {
      EXPECT_EQ(again.figures[i].measured, measured(info.id).figures[i].measured) << again.figures[i].what;
    }
  }
}

// ---- Verdicts

Figure near(double value) { return {.theory = 1.0, .measured = value, .tolerance = 0.1}; }

TEST(Verdicts, OfOneFigure) {
  EXPECT_EQ(near(1.05).finding(), Finding::shown);
  EXPECT_EQ(near(1.2).finding(), Finding::refuted);
  EXPECT_EQ(near(NAN).finding(), Finding::refuted);
  Figure figure{.theory = 0.0, .measured = 0.3, .tolerance = 0.2, .check = Check::at_least};
  EXPECT_EQ(figure.finding(), Finding::shown);
  figure.measured = 0.1;
  EXPECT_EQ(figure.finding(), Finding::open);
  figure.measured = -0.3;
  EXPECT_EQ(figure.finding(), Finding::refuted);
  figure.measured = NAN;
  EXPECT_EQ(figure.finding(), Finding::refuted);
  figure.check = Check::at_most;
  EXPECT_EQ(figure.finding(), Finding::refuted);
  figure.measured = -0.3;
  EXPECT_EQ(figure.finding(), Finding::shown);
  figure.check = Check::none;
  figure.measured = NAN;
  EXPECT_EQ(figure.finding(), Finding::shown);
}

TEST(Verdicts, OfAClaim) {
  Claim claim{.figures = {near(1.0), near(0.95)}};
  EXPECT_EQ(claim.verdict(), Verdict::holds);
  claim.figures.push_back(near(2.0));
  claim.figures.back().beyond = true;
  EXPECT_EQ(claim.verdict(), Verdict::holds_if);
  claim.figures.push_back({.theory = 0.0, .measured = 0.1, .tolerance = 0.2, .check = Check::at_least});
  EXPECT_EQ(claim.verdict(), Verdict::not_shown);
  claim.figures.push_back(near(2.0));
  EXPECT_EQ(claim.verdict(), Verdict::does_not_hold);
}

// ---- Experiments at once

TEST(Experiments, RunsEachOnce) {
  for (const int threads : {1, 4}) {
    std::vector<int> runs(100);
    lab::Setup{.threads = threads}.for_each(runs.size(), [&](std::size_t i) { ++runs[i]; });
    EXPECT_EQ(runs, std::vector<int>(100, 1));
  }
}

TEST(Experiments, HandsOnWhatIsThrown) {
  EXPECT_THROW(lab::Setup{}.for_each(10,
                                     [](std::size_t i) {
                                       if (i == 3) throw std::logic_error("3");
                                     }),
               std::logic_error);
}

TEST(Experiments, StopsWhenTold) {
  lab::Setup setup{.threads = 2};
  setup.watch = [](std::size_t done, std::size_t) { return done < 5; };
  std::atomic<int> runs = 0;
  EXPECT_THROW(
      setup.for_each(100000, [&](std::size_t) { ++runs, std::this_thread::sleep_for(std::chrono::milliseconds(1)); }),
      Interrupted);
  EXPECT_LT(runs, 10000);
}

}  // namespace
}  // namespace adamant::lab
