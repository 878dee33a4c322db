// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Rare features: how far a weight moves when it has a gradient, against how often it has one.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/claims/claim_list.h"
#include "lab/claims/fit.h"
#include "lab/claims/rig.h"
#include "lab/matrix.h"
#include "lab/random.h"
#include "lab/workload.h"

namespace adamant::lab {
namespace {

// Mean |u| at a hit, for gradients that are normal with probability p and else 0. The root of v is taken out of the
// mean by 1/√v = ∫ exp(-s·v)/√(π·s) ds, under which the independent squares in v fall apart into factors. That m also
// remembers earlier hits is taken into account by its mean square.
double movement_of(double p, double beta2) {
  // The factors of s are one of s·β2 and the factors of s·β2: with steps of log s this long they come one by one.
  const double step = -std::log(beta2);
  double integral = 0.0, factors = 1.0, y = -25.0;
  while (y < 25.0) {
    const double s = std::exp(y);
    integral += std::sqrt(s) / (1.0 + 2.0 * s) * factors * step;  // ds/√s = √s dy
    factors *= 1.0 - p + p / std::sqrt(1.0 + 2.0 * s);
    y += step;
  }
  const double remembered = std::sqrt(1.0 + p * kBeta1 * kBeta1 / (1.0 - kBeta1 * kBeta1));
  return (1.0 - kBeta1) / std::sqrt(1.0 - beta2) * remembered * std::sqrt(2.0) / std::numbers::pi * integral;
}

struct Movement {
  double at_hit = 0.0;   // mean |u| in steps with a gradient
  double overall = 0.0;  // in all steps
};

Movement movement(double p, double beta2) {
  constexpr std::size_t kSize = 1024;
  constexpr std::uint64_t kCount = 3000;
  const auto forget = static_cast<std::uint64_t>(7.0 / (1.0 - beta2));
  Rig rig(Rule::adamw, kSize, {.lr = 1.0, .betas = {kBeta1, beta2}, .weight_decay = 0.0});
  const Random fires(31, kStartStream), size(31, kNoiseStream);
  double at_hits = 0.0, all = 0.0, hits = 0.0;
  for (std::uint64_t t = 0; t < forget + kCount; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) {
      const std::uint64_t index = t * kSize + i;
      rig.gradients()[i] = fires.uniform(index) < p ? static_cast<float>(size.normal(index)) : 0.0F;
    }
    std::ranges::fill(rig.weights(), 0.0F);  // so that after the step they are the update
    rig.step();
    if (t < forget) continue;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double moved = std::abs(rig.weights()[i]);
      all += moved;
      if (rig.gradients()[i] != 0.0F) at_hits += moved, ++hits;
    }
  }
  return {at_hits / hits, all / static_cast<double>(kSize * kCount)};
}

struct Word {
  double hits = 0.0;
  double scale = 0.0;  // RMS of √v̂ over its embedding
};

constexpr std::uint64_t kWordSteps = 300;

// Trains the lab's language model with AdamW and looks at the rows of its embedding.
std::vector<Word> train_words(const Setup& setup) {
  const auto& info = *std::ranges::find(workloads(), std::string_view("words"), &WorkloadInfo::name);
  const auto model = info.make({.batch_size = info.batch_size, .text = setup.text});
  model->start(1);
  std::vector<Param> params;
  for (Weight<float>* weight : model->weights()) params.emplace_back(weight->name, weight->value, weight->grad);
  AdamW optimizer(params, {.lr = 0.01, .weight_decay = 0.0}, {.threads = 1});
  const Weight<float>& embedding = *model->weights().front();
  std::vector<Word> words(static_cast<std::size_t>(embedding.value.rows()));
  setup.for_each(1, [&](std::size_t) {
    for (std::uint64_t t = 0; t < kWordSteps; ++t) {
      model->loss_and_grad(t);
      for (std::size_t i = 0; i < words.size(); ++i) {
        words[i].hits += embedding.grad.row(static_cast<Eigen::Index>(i)).cwiseAbs().maxCoeff() > 0.0F ? 1.0 : 0.0;
      }
      optimizer.step();
    }
  });
  const std::vector<float> v = optimizer.export_state(embedding.name, "exp_avg_sq");
  const auto width = static_cast<std::size_t>(embedding.value.cols());
  for (std::size_t i = 0; i < words.size(); ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < width; ++k) sum += v[i * width + k];
    words[i].scale = std::sqrt(sum / static_cast<double>(width) / (1.0 - std::pow(0.999, kWordSteps)));
  }
  return words;
}

void add_words(const Setup& setup, Claim& claim) {
  if (setup.text.empty()) {
    claim.notes.emplace_back(kTextMissing);
    return;
  }
  const std::vector<Word> words = train_words(setup);
  std::vector<double> hits, rates;
  for (const Word& word : words) {
    if (word.hits > 0.0 && word.scale > 0.0) hits.push_back(word.hits / kWordSteps), rates.push_back(1.0 / word.scale);
  }
  const PowerLaw law = fit_power_law(hits, rates);
  claim.figures.push_back({.id = "words",
                           .what = "rows of a word embedding: slope of the learning rate they get over how often they "
                                   "occur, both as logarithms",
                           .theory = -0.5,
                           .measured = law.slope,
                           .tolerance = 0.1});
  Series guide{"slope -1/2", Stroke::theory};
  for (const double at : {1.0 / kWordSteps, *std::ranges::max_element(hits)}) {
    guide.add(at, std::exp(law.mean_y - 0.5 * (std::log(at) - law.mean_x)));
  }
  claim.plots.push_back({"Words of the lab's text: rare ones get larger learning rates",
                         "share of the batches with the word",
                         "learning rate / η",
                         true,
                         true,
                         {{"a word", Stroke::dots, hits, rates}, guide}});
}

}  // namespace

Claim claim_sparse(const Setup& setup) {
  constexpr std::array kBetas = {0.999, 0.95};
  const std::vector<double> chances = {0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0};
  std::array<std::vector<Movement>, kBetas.size()> found;
  for (auto& movements : found) movements.resize(chances.size());
  setup.for_each(chances.size() * kBetas.size(), [&](std::size_t job) {
    const std::size_t beta = job % kBetas.size(), chance = job / kBetas.size();
    found[beta][chance] = movement(chances[chance], kBetas[beta]);
  });

  Claim claim{
      .statement =
          "Features that are rare move further when they come: where gradients are rare v is small, and steps are long",
      .formula = "mean |Δw|/η at a hit, β2 = 0.999, one in 1000 steps",
      .condition = "v remembers from one hit to the next: the chance of a hit is above 1-β2",
      .words =
          "A coordinate has a normal gradient with some chance p and else none, as the row of a word that a batch "
          "holds or does not hold. v is then about p times the mean square of a hit, and a hit moves the weight by "
          "about 1/√p of what it would with a gradient in every step; below 1-β2 v has forgotten the last hit, and "
          "each one counts as the first: (1-β1)/√(1-β2) is the most. In all, a rare weight still moves less than a "
          "frequent one, but by far less than it has fewer gradients. The number of theory is an integral over the "
          "distribution of v (lab/claims/sparse.cc). On the lab's text the rows of the word embedding show the same "
          "slope of -1/2."};
  Plot plot{"How far a weight moves when it has a gradient",
            "how often it has one",
            "mean |Δw| / η at a hit",
            true,
            true,
            {}};
  for (std::size_t b = 0; b < kBetas.size(); ++b) {
    const std::string beta = "β2 = " + text_of(kBetas[b]);
    Series theory{"theory, " + beta, Stroke::theory}, measured{"measured, " + beta, Stroke::dots, chances, {}};
    for (const double p : decades(0.0003, 1.0, 10)) theory.add(p, movement_of(p, kBetas[b]));
    for (const Movement& m : found[b]) measured.y.push_back(m.at_hit);
    plot.series.push_back(theory);
    plot.series.push_back(measured);
  }
  const auto figure = [&](std::size_t beta, double p) {
    const auto at = static_cast<std::size_t>(std::ranges::find(chances, p) - chances.begin());
    const double expected = movement_of(p, kBetas[beta]);
    const std::string often = p == 1.0 ? "each step is one" : "one in " + text_of(1.0 / p) + " steps";
    claim.figures.push_back({.id = text_of(kBetas[beta]) + "." + text_of(p),
                             .what = "mean |Δw|/η at a hit, " + often + ", β2 = " + text_of(kBetas[beta]),
                             .theory = expected,
                             .measured = found[beta][at].at_hit,
                             .tolerance = 0.05 * expected});
  };
  for (const double p : {0.001, 0.01, 0.1, 1.0}) figure(0, p);
  const auto overall = [&](std::size_t beta) { return found[beta].back().overall / found[beta][1].overall; };
  claim.figures.push_back(
      {.id = "overall",
       .what = "how much less a weight moves in all when it has a gradient 1000 times as rarely, β2 = 0.999",
       .measured = overall(0),
       .check = Check::none});
  figure(1, 1.0);
  figure(1, 0.1);
  figure(1, 0.001);
  const auto gain = [&](std::size_t beta, std::size_t rare, std::size_t often) {
    return found[beta][rare].at_hit / found[beta][often].at_hit;
  };
  claim.figures.push_back({.id = "gain.0.999",
                           .what = "one in 1000 steps over one in 100, at least 2, β2 = 0.999",
                           .theory = 2.0,
                           .measured = gain(0, 1, 3),
                           .check = Check::at_least});
  claim.figures.push_back({.id = "gain.0.95",
                           .what = "the same, β2 = 0.95",
                           .theory = 2.0,
                           .measured = gain(1, 1, 3),
                           .check = Check::at_least,
                           .beyond = true});
  claim.plots = {plot};
  add_words(setup, claim);
  return claim;
}

}  // namespace adamant::lab
