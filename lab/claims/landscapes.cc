// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Badly scaled problems: each rule at its best learning rate, found by the same search.
#include <Eigen/QR>
#include <adamant/schedule.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/matrix.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

constexpr Eigen::Index kParameters = 64;
constexpr int kDescentSteps = 500;
constexpr std::uint64_t kStarts = 3;
constexpr double kNoise = 0.1;
constexpr double kDiverged = 1e12;  // so many times further away than the start

using Vector = Eigen::VectorXd;

// The quadratic ½ Σ c_i x_i², with curvatures from 1 to the condition, evenly on a logarithmic scale, and noise in the
// gradient of deviation 0.1·√c_i, as in a least-squares fit.
enum class Kind {
  along,    // from x_i of deviation 1: the scales lie along the coordinates, and all have about as far to go
  rotated,  // the same, in coordinates that are turned at random
  units,    // from x_i of deviation 1/√c_i: the parameters themselves are of unequal scale
};

struct Problem {
  Kind kind;
  double condition;
  Vector curvature;
  Eigen::MatrixXd turn;  // of rotated: its columns are the axes

  Problem(Kind kind, double condition) : kind(kind), condition(condition), curvature(kParameters) {
    for (Eigen::Index i = 0; i < kParameters; ++i) {
      curvature[i] = std::pow(condition, static_cast<double>(i) / static_cast<double>(kParameters - 1));
    }
    if (kind != Kind::rotated) return;
    Eigen::MatrixXd normal(kParameters, kParameters);
    const Random random(21, kNoiseStream);
    for (Eigen::Index i = 0; i < normal.size(); ++i) normal.data()[i] = random.normal(static_cast<std::uint64_t>(i));
    turn = Eigen::HouseholderQR<Eigen::MatrixXd>(normal).householderQ();
  }

  [[nodiscard]] Vector start(std::uint64_t seed) const {
    const Random random(seed, kStartStream);
    Vector x(kParameters);
    for (Eigen::Index i = 0; i < kParameters; ++i) {
      x[i] = random.normal(static_cast<std::uint64_t>(i));
      if (kind == Kind::units) x[i] /= std::sqrt(curvature[i]);
    }
    return x;
  }
  [[nodiscard]] Vector gradient(const Vector& x, const Vector& noise) const {
    const Vector scaled_noise = kNoise * curvature.cwiseSqrt().cwiseProduct(noise);
    if (kind == Kind::rotated) return turn * (curvature.cwiseProduct(turn.transpose() * x) + scaled_noise);
    return curvature.cwiseProduct(x) + scaled_noise;
  }
  // To the minimum, each parameter in its own unit.
  [[nodiscard]] double distance(const Vector& x) const {
    return kind == Kind::units ? std::sqrt(x.dot(curvature.cwiseProduct(x))) : x.norm();
  }
};

// The noise of the run of that seed: a column for each step.
Eigen::MatrixXd noise_of(std::uint64_t seed) {
  const Random random(seed, kNoiseStream);
  Eigen::MatrixXd noise(kParameters, kDescentSteps);
  for (Eigen::Index i = 0; i < noise.size(); ++i) noise.data()[i] = random.normal(static_cast<std::uint64_t>(i));
  return noise;
}

struct Descent {
  const char* id;
  const char* name;
  Rule rule;
  Options options;
};
// AdamW first: what the others are compared with.
const std::array kDescents = {
    Descent{"adamw", "AdamW", Rule::adamw, {.weight_decay = 0.0}},
    Descent{"sgd", "SGD", Rule::sgd, {}},
    Descent{"momentum.0.9", "momentum 0.9", Rule::sgd, {.momentum = 0.9}},
    Descent{"momentum.0.99", "momentum 0.99", Rule::sgd, {.momentum = 0.99}},
};
constexpr std::size_t kPlain = 1;

std::vector<double> learning_rates() { return decades(1e-7, 10.0, 4); }
double rate(double lr, int t) { return schedule::cosine(lr, static_cast<std::uint64_t>(t), kDescentSteps); }

// What is left of the distance to the minimum, the geometric mean over the starts; infinite where one diverged.
double left(const Problem& problem, std::span<const Eigen::MatrixXd> noise, const Descent& descent, double lr) {
  double logs = 0.0;
  for (std::uint64_t seed = 1; seed <= kStarts; ++seed) {
    Vector x = problem.start(seed);
    const double far = problem.distance(x);
    Rig rig(descent.rule, kParameters, descent.options);
    Eigen::Map<Eigen::VectorXf> weights(rig.weights().data(), kParameters),
        gradients(rig.gradients().data(), kParameters);
    weights = x.cast<float>();
    for (int t = 0; t < kDescentSteps; ++t) {
      gradients = problem.gradient(x, noise[seed - 1].col(t)).cast<float>();
      rig.set_lr(rate(lr, t));
      rig.step();
      x = weights.cast<double>();
      if (!(problem.distance(x) < kDiverged * far)) return std::numeric_limits<double>::infinity();
    }
    logs += std::log(problem.distance(x) / far);
  }
  return std::exp(logs / static_cast<double>(kStarts));
}

double best_left(const Problem& problem, std::span<const Eigen::MatrixXd> noise, const Descent& descent) {
  double best = std::numeric_limits<double>::infinity();
  for (const double lr : learning_rates()) best = std::min(best, left(problem, noise, descent, lr));
  return best;
}

// The same for plain descent along the axes, in closed form: a step multiplies x_i by 1 - η·c_i and adds noise, of
// which the mean square is followed.
double best_left_of_plain(const Problem& problem) {
  double best = std::numeric_limits<double>::infinity();
  for (const double lr : learning_rates()) {
    Vector factors = Vector::Ones(kParameters), noise = Vector::Zero(kParameters);
    double furthest = 0.0;
    for (int t = 0; t < kDescentSteps; ++t) {
      const Vector factor = Vector::Ones(kParameters) - rate(lr, t) * problem.curvature;
      factors = factors.cwiseProduct(factor);
      noise = noise.cwiseProduct(factor.cwiseAbs2()) + std::pow(rate(lr, t) * kNoise, 2) * problem.curvature;
      furthest = std::max(furthest, factors.norm());
    }
    if (!(furthest < kDiverged)) continue;
    double logs = 0.0;
    for (std::uint64_t seed = 1; seed <= kStarts; ++seed) {
      const Vector x = problem.start(seed);
      logs += std::log(std::sqrt(factors.cwiseProduct(x).squaredNorm() + noise.sum()) / x.norm());
    }
    best = std::min(best, std::exp(logs / static_cast<double>(kStarts)));
  }
  return best;
}

}  // namespace

Claim claim_badly_scaled(const Setup& setup) {
  constexpr std::array kKinds = {Kind::along, Kind::rotated, Kind::units};
  constexpr std::array kTitles = {"Scales along the coordinates", "The same problem, turned",
                                  "Parameters of unequal scale"};
  const std::vector<double> conditions = decades(1.0, 1e6, 1);
  std::vector<Problem> problems;
  for (const Kind kind : kKinds) {
    for (const double condition : conditions) problems.emplace_back(kind, condition);
  }
  std::vector<Eigen::MatrixXd> noise;
  for (std::uint64_t seed = 1; seed <= kStarts; ++seed) noise.push_back(noise_of(seed));
  std::vector<std::array<double, kDescents.size()>> found(problems.size());
  setup.for_each(problems.size() * kDescents.size(), [&](std::size_t job) {
    const std::size_t rule = job % kDescents.size(), problem = job / kDescents.size();
    found[problem][rule] = best_left(problems[problem], noise, kDescents[rule]);
  });
  const auto index = [&](Kind kind, double condition) {
    const auto is_it = [&](const Problem& p) {
      return p.kind == kind && std::lround(p.condition) == std::lround(condition);
    };
    return static_cast<std::size_t>(std::ranges::find_if(problems, is_it) - problems.begin());
  };

  Claim claim{
      .statement =
          "On badly scaled problems AdamW comes nearer to the minimum than SGD with or without momentum, each at "
          "its best learning rate",
      .formula = "distance left: best of SGD / AdamW ≥ 1",
      .condition =
          "the scales lie along the coordinates, and are so far apart that momentum does not get there in the "
          "steps there are",
      .words =
          "Quadratics of 64 parameters whose curvatures range from 1 to the condition, with noise in the gradient; "
          "500 steps with a learning rate that falls to 0, from three starts. AdamW, SGD and SGD with momentum 0.9 "
          "and 0.99 each take the best of the same 33 learning rates from 1e-7 to 10. The learning rate of SGD is "
          "bound by the steepest coordinate, and the flattest ones then hardly move; AdamW gives each coordinate a "
          "step of the same length. That helps only where the scales lie along the coordinates, for v is one number "
          "for each of them: turn the axes of the same problem, and SGD with momentum is ahead. It is ahead, too, on "
          "problems so mild that it gets there anyway: there AdamW pays for steps that do not shrink with the "
          "gradient. Where the parameters themselves are of unequal scale, so that some have further to go than "
          "others, AdamW is ahead by less: its steps have one length for all."};
  const auto compared = [&](std::string id, std::string_view what, Kind kind, double condition, bool beyond) {
    const auto& shares = found[index(kind, condition)];
    claim.figures.push_back({.id = std::move(id),
                             .what = "distance left by the best of the others over AdamW's, condition " +
                                     text_of(condition) + std::string(what),
                             .theory = 1.0,
                             .measured = *std::min_element(shares.begin() + 1, shares.end()) / shares[0],
                             .check = Check::at_least,
                             .beyond = beyond});
  };
  compared("1e4", "", Kind::along, 1e4, false);
  compared("1e6", "", Kind::along, 1e6, false);
  compared("units", ", parameters of unequal scale", Kind::units, 1e4, false);
  compared("rotated", ", axes turned", Kind::rotated, 1e4, true);
  compared("mild", "", Kind::along, 100.0, true);
  compared("round", "", Kind::along, 1.0, true);
  const std::size_t shown = index(Kind::along, 1e4);
  const double plain = best_left_of_plain(problems[shown]);
  for (std::size_t i = 0; i < kDescents.size(); ++i) {
    claim.figures.push_back(
        {.id = std::string("left.") + kDescents[i].id,
         .what = std::string("share of the distance left after 500 steps of ") + kDescents[i].name + ", condition 1e4",
         .theory = i == kPlain ? plain : 0.0,
         .measured = found[shown][i],
         .tolerance = i == kPlain ? 0.05 * plain : 0.0,
         .check = i == kPlain ? Check::near : Check::none});
  }
  for (std::size_t k = 0; k < kKinds.size(); ++k) {
    Plot plot{std::string(kTitles[k]) + ": what 500 steps leave", "condition", "share of the distance", true, true, {}};
    for (std::size_t rule = 0; rule < kDescents.size(); ++rule) {
      Series series{kDescents[rule].name};
      for (const double condition : conditions) series.add(condition, found[index(kKinds[k], condition)][rule]);
      plot.series.push_back(series);
    }
    claim.plots.push_back(plot);
  }
  return claim;
}

}  // namespace adamant::lab
