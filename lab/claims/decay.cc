// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Decoupled weight decay, and L2 in the gradient.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "lab/claims/claim_list.h"
#include "lab/claims/fit.h"
#include "lab/claims/rig.h"
#include "lab/matrix.h"
#include "lab/random.h"
#include "lab/workload.h"

namespace adamant::lab {
namespace {

// How fast weights of 1 decay, in units of η·λ, whose gradients are noise of that deviation: against the same run
// without decay, so that the noise is the same in both.
constexpr double kDecay = 0x1p-7;
constexpr double kSmallLr = 0.003, kSmallDecay = 0.1;  // of the weights before a normalisation

double decay_rate(Rule rule, double deviation) {
  constexpr std::size_t kSize = 1024;
  constexpr int kSteps = 1000;
  // So that 1 - η·λ is a f32 number.
  constexpr double kLr = 0x1p-13;
  Rig with(rule, kSize, {.lr = kLr, .weight_decay = kDecay}), without(rule, kSize, {.lr = kLr, .weight_decay = 0.0});
  std::ranges::fill(with.weights(), 1.0F);
  std::ranges::fill(without.weights(), 1.0F);
  const Random random(61, kNoiseStream);
  std::uint64_t index = 0;
  for (int t = 0; t < kSteps; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) {
      with.gradients()[i] = without.gradients()[i] = static_cast<float>(deviation * random.normal(index++));
    }
    with.step();
    without.step();
  }
  double lost = 0.0;
  for (std::size_t i = 0; i < kSize; ++i) {
    lost += (static_cast<double>(without.weights()[i]) - static_cast<double>(with.weights()[i])) / kSize;
  }
  return -std::log1p(-lost) / (kLr * kDecay * kSteps);
}

// Where the root mean square of weights settles whose gradients are noise of that deviation, that know nothing of the
// weights. `steps` is a multiple of the time it takes.
double settled(Rule rule, double lr, double decay, double deviation, int steps) {
  constexpr std::size_t kSize = 512;
  Rig rig(rule, kSize, {.lr = lr, .weight_decay = decay});
  const Random random(62, kNoiseStream);
  std::uint64_t index = 0;
  double squares = 0.0, count = 0.0;
  for (int t = 0; t < steps; ++t) {
    for (float& g : rig.gradients()) g = static_cast<float>(deviation * random.normal(index++));
    const MomentSums& sums = rig.step();
    if (2 * t < steps) continue;
    squares += sums.ww;
    count += kSize;
  }
  return std::sqrt(squares / count);
}

// The same for a weight vector whose length does not matter to the loss, as before a normalisation: gradients are
// perpendicular to it, and in inverse proportion to its length.
double settled_invariant(double lr, double decay, int steps, Series& path) {
  constexpr std::size_t kSize = 512;
  Rig rig(Rule::adamw, kSize, {.lr = lr, .weight_decay = decay});
  const Random random(63, kNoiseStream);
  std::ranges::fill(rig.weights(), 1.0F);
  std::uint64_t index = 0;
  double squares = 0.0, count = 0.0;
  for (int t = 0; t < steps; ++t) {
    double along = 0.0, length = 0.0;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double w = rig.weights()[i];
      rig.gradients()[i] = static_cast<float>(random.normal(index++));
      along += rig.gradients()[i] * w;
      length += w * w;
    }
    for (std::size_t i = 0; i < kSize; ++i) {
      rig.gradients()[i] =
          static_cast<float>((rig.gradients()[i] - along / length * rig.weights()[i]) / std::sqrt(length));
    }
    const MomentSums& sums = rig.step();
    if (t % 100 == 0) path.add(t, std::sqrt(sums.ww / kSize));
    if (2 * t < steps) continue;
    squares += sums.ww;
    count += kSize;
  }
  return std::sqrt(squares / count);
}

// Weights of a network, those with gradients of like size together.
struct Decayed {
  std::vector<double> scale;  // RMS of √v̂
  std::vector<double> rate;   // of decay, in units of η·λ
};

// Trains the lab's digits, and beside them a copy that has the same gradients in every step and no decay. What the copy
// has more of each weight is what the decay took. Sorted by v, as many weights to each part.
Decayed trained_decay(Rule rule, double decay) {
  constexpr std::size_t kParts = 12;
  constexpr int kSteps = 200;
  constexpr double kLr = 0.003;
  const auto& info = *std::ranges::find(workloads(), std::string_view("digits"), &WorkloadInfo::name);
  const auto digits = info.make({.batch_size = info.batch_size});
  digits->start(1);
  std::vector<Weight<float>> copies;
  std::vector<Matrix<double>> sums;  // over the steps, of each weight: what a decay of rate 1 takes ηλ of
  std::vector<Param> params, undecayed;
  for (const Weight<float>* weight : digits->weights()) {
    copies.push_back(*weight);
    sums.emplace_back(Matrix<double>::Zero(weight->value.rows(), weight->value.cols()));
  }
  for (std::size_t i = 0; i < copies.size(); ++i) {
    Weight<float>& weight = *digits->weights()[i];
    params.emplace_back(weight.name, weight.value, weight.grad);
    undecayed.emplace_back(weight.name, copies[i].value, weight.grad);
  }
  Optimizer with(rule, params, {.lr = kLr, .weight_decay = decay}, {.threads = 1});
  Optimizer without(rule, undecayed, {.lr = kLr, .weight_decay = 0.0}, {.threads = 1});
  for (int t = 0; t < kSteps; ++t) {
    digits->loss_and_grad(static_cast<std::uint64_t>(t));
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += digits->weights()[i]->value.cast<double>();
    with.step();
    without.step();
  }

  struct One {
    double v, weight, taken;
  };
  std::vector<One> all;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const std::vector<float> v = without.export_state(copies[i].name, "exp_avg_sq");
    for (std::size_t k = 0; k < v.size(); ++k) {
      if (v[k] == 0.0F) continue;  // of pixels that are always blank
      const double kept = static_cast<double>(digits->weights()[i]->value.data()[k]), sum = sums[i].data()[k];
      all.push_back({v[k], std::abs(sum), std::copysign(1.0, sum) * (copies[i].value.data()[k] - kept)});
    }
  }
  std::ranges::sort(all, {}, &One::v);
  Decayed decayed;
  for (std::size_t part = 0; part < kParts; ++part) {
    One sum{};
    const std::size_t begin = part * all.size() / kParts, end = (part + 1) * all.size() / kParts;
    for (std::size_t k = begin; k < end; ++k) {
      sum.v += all[k].v, sum.weight += all[k].weight, sum.taken += all[k].taken;
    }
    const double v = sum.v / static_cast<double>(end - begin) / (1.0 - std::pow(0.999, kSteps));
    decayed.scale.push_back(std::sqrt(v));
    decayed.rate.push_back(sum.taken / (kLr * decay * sum.weight));
  }
  return decayed;
}

struct Decaying {
  const char *id, *words;
  Rule rule;
  double decay;
  double slope;  // of theory
};

}  // namespace

Claim claim_decoupled(const Setup& setup) {
  const std::vector<double> deviations = decades(0.1, 100.0, 1);
  std::vector<double> decoupled(deviations.size()), coupled(deviations.size());
  setup.for_each(2 * deviations.size(), [&](std::size_t job) {
    const std::size_t i = job / 2;
    (job % 2 == 0 ? decoupled : coupled)[i] = decay_rate(job % 2 == 0 ? Rule::adamw : Rule::adam, deviations[i]);
  });

  Claim claim{
      .statement =
          "Decoupled decay shrinks all weights alike; L2 in the gradient shrinks those least whose gradients are "
          "largest",
      .formula = "rate of decay/(ηλ), gradients of deviation 100",
      .words =
          "The same weights with the same noise for gradients, with and without decay. What AdamW takes from a "
          "weight in a step is η·λ of it, whatever its gradients. What Adam with L2 takes has gone through both "
          "moments: it is divided by √v, so a weight whose gradients are 1000 times as large decays 1000 times as "
          "slowly. Decoupled decay and steps of one length find a balance: noise alone drives weights apart, decay "
          "pulls them together, and their root mean square settles at √(η/2λ), the same for gradients of every size. "
          "With L2 it settles at √(ησ/2λ), which is the gradients' business again. This is so where gradients are "
          "noise that knows nothing of the weight, ηλ is far below 1-β1, and there have been several times 1/(2ηλ) "
          "steps; the weights before a normalisation, to whose length the loss is blind, come near it, too. "
          "In a network that learns the lab's digits, the decay is what a copy has more that gets the same gradients "
          "and does not decay: with L2 it goes as 1/√v̂."};
  // The decay λw that L2 adds to the gradient is divided by the root of the mean square of both.
  const auto of_l2 = [](double deviation) { return 1.0 / std::hypot(deviation, kDecay); };
  for (const double deviation : {100.0, 0.1}) {
    const auto i = static_cast<std::size_t>(std::lround(std::log10(deviation / deviations[0])));
    claim.figures.push_back({.id = "adamw." + text_of(deviation),
                             .what = "rate of decay over η·λ, decoupled, gradients of deviation " + text_of(deviation),
                             .theory = 1.0,
                             .measured = decoupled[i],
                             .tolerance = 0.05});
    claim.figures.push_back(
        {.id = "l2." + text_of(deviation),
         .what = "rate of decay over η·λ, L2 in the gradient, gradients of deviation " + text_of(deviation),
         .theory = of_l2(deviation),
         .measured = coupled[i],
         .tolerance = 0.05 * of_l2(deviation)});
  }
  const double most = *std::ranges::max_element(decoupled), least = *std::ranges::min_element(decoupled);
  claim.figures.push_back({.id = "adamw.range",
                           .what = "fastest over slowest decay, decoupled, gradients over three decades",
                           .theory = 1.0,
                           .measured = most / least,
                           .tolerance = 0.05});
  claim.figures.push_back({.id = "l2.range",
                           .what = "fastest over slowest decay, L2 in the gradient, gradients over three decades",
                           .theory = of_l2(deviations.front()) / of_l2(deviations.back()),
                           .measured = coupled.front() / coupled.back(),
                           .tolerance = 0.05 * of_l2(deviations.front()) / of_l2(deviations.back())});

  struct Balance {
    Rule rule;
    double lr, decay, deviation;
    int steps;
    const char* id;
  };
  constexpr std::array kBalances = {Balance{Rule::adamw, 0.01, 0.1, 1.0, 8000, "norm.0.01.0.1"},
                                    Balance{Rule::adamw, 0.003, 1.0, 1.0, 4000, "norm.0.003.1"},
                                    Balance{Rule::adamw, 0.01, 0.1, 100.0, 8000, "norm.scaled"},
                                    Balance{Rule::adam, 0.01, 1.0, 1.0, 8000, "norm.l2.1"},
                                    Balance{Rule::adam, 0.01, 1.0, 10.0, 8000, "norm.l2.10"}};
  std::array<double, kBalances.size() + 1> balanced{};
  Series path{"measured"};
  setup.for_each(balanced.size(), [&](std::size_t i) {
    if (i < kBalances.size()) {
      const Balance& b = kBalances[i];
      balanced[i] = settled(b.rule, b.lr, b.decay, b.deviation, b.steps);
    } else {
      balanced[i] = settled_invariant(kSmallLr, kSmallDecay, 24000, path);
    }
  });
  for (std::size_t i = 0; i < kBalances.size(); ++i) {
    const Balance& b = kBalances[i];
    const bool l2 = b.rule == Rule::adam;
    const double expected = std::sqrt(b.lr / (2.0 * b.decay) * (l2 ? b.deviation : 1.0));
    claim.figures.push_back(
        {.id = b.id,
         .what = "RMS of weights in balance, " + std::string(l2 ? "L2: √(ησ/2λ)" : "decoupled: √(η/2λ)") + ", η = " +
                 text_of(b.lr) + ", λ = " + text_of(b.decay) + ", gradients of deviation " + text_of(b.deviation),
         .theory = expected,
         .measured = balanced[i],
         .tolerance = 0.05 * expected});
  }
  const double balance = std::sqrt(kSmallLr / (2.0 * kSmallDecay));
  claim.figures.push_back({.id = "norm.invariant",
                           .what = "the same for weights before a normalisation, √(η/2λ), η = 0.003, λ = 0.1",
                           .theory = balance,
                           .measured = balanced.back(),
                           .tolerance = 0.05 * balance});
  Series one{"decoupled (AdamW)", Stroke::dots, deviations, decoupled},
      other{"L2 in the gradient (Adam)", Stroke::dots, deviations, coupled};
  Series theory{"1", Stroke::theory}, l2{"1/σ", Stroke::theory};
  for (const double deviation : decades(0.1, 100.0, 5)) {
    theory.add(deviation, 1.0);
    l2.add(deviation, of_l2(deviation));
  }
  constexpr std::array kTrained = {Decaying{"trained.adamw", "decoupled", Rule::adamw, 0.01, 0.0},
                                   Decaying{"trained.l2", "L2 in the gradient", Rule::adam, 1e-4, -1.0}};
  std::array<Decayed, kTrained.size()> trained;
  setup.for_each(trained.size(),
                 [&](std::size_t i) { trained[i] = trained_decay(kTrained[i].rule, kTrained[i].decay); });
  Plot of_trained{"Weights of a network that reads digits: how fast they decay", "√v̂", "rate / ηλ", true, true, {}};
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const std::string words(kTrained[i].words);
    claim.figures.push_back({.id = kTrained[i].id,
                             .what = "slope of the rate of decay over √v̂, both as logarithms, weights of a network "
                                     "that learns digits, " +
                                     words,
                             .theory = kTrained[i].slope,
                             .measured = fit_power_law(trained[i].scale, trained[i].rate).slope,
                             .tolerance = 0.15});
    claim.figures.push_back({.id = std::string(kTrained[i].id) + ".range",
                             .what = "rate of decay of the twelfth with the smallest v over that of the twelfth with "
                                     "the largest, " +
                                     words,
                             .measured = trained[i].rate.front() / trained[i].rate.back(),
                             .check = Check::none});
    of_trained.series.push_back({words, Stroke::dots, trained[i].scale, trained[i].rate});
  }
  of_trained.series.push_back({"1/√v̂", Stroke::theory});
  for (const double scale : trained.back().scale) of_trained.series.back().add(scale, 1.0 / scale);

  claim.plots = {
      {"How fast a weight decays", "deviation σ of its gradients", "rate / ηλ", true, true, {theory, one, l2, other}},
      {"Weights before a normalisation find their size (η = 0.003, λ = 0.1)",
       "step",
       "RMS(w)",
       false,
       false,
       {path, {"√(η/2λ)", Stroke::theory, {0.0, path.x.back()}, {balance, balance}}}},
      of_trained};
  return claim;
}

}  // namespace adamant::lab
