// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What AdamW has in common with its relatives: which of its parts make which of them.
#include <algorithm>
#include <array>
#include <cmath>

#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

constexpr std::size_t kSize = 256;
constexpr int kSteps = 2000;

// Two optimizers on the same gradients, which are normal, of a scale of each coordinate's own.
class Twins {
 public:
  Twins(Rule one, const Options& of_one, Rule other, const Options& of_other)
      : one(one, kSize, of_one), other(other, kSize, of_other) {}
  void step() {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double scale = std::pow(10.0, static_cast<double>(i % 7) - 3.0);
      one.gradients()[i] = other.gradients()[i] = static_cast<float>(scale * (0.3 + random_.normal(index_++)));
    }
    one.step();
    other.step();
  }
  // Largest difference of the weights, relative to the largest weight.
  [[nodiscard]] double apart() {
    double difference = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double a = one.weights()[i], b = other.weights()[i];
      difference = std::max(difference, std::abs(a - b));
      largest = std::max(largest, std::abs(a));
    }
    return difference / largest;
  }

  Rig one, other;

 private:
  Random random_{51, kNoiseStream};
  std::uint64_t index_ = 0;
};

double differing(std::span<const float> a, std::span<const float> b) {
  double count = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1.0 : 0.0;
  return count;
}

}  // namespace

Claim claim_family(const Setup&) {
  constexpr double kLr = 1e-3, kBeta2 = 0.999;
  const auto bias = [](double beta, int t) { return 1.0 - std::pow(beta, t); };
  Claim claim{
      .statement = "β1 = 0 makes AdamW RMSprop, v without forgetting makes it AdaGrad, m without v SGD with momentum",
      .formula = "largest difference of weights, relative",
      .condition = "the learning rate makes up for the bias correction, which only AdamW has",
      .words =
          "Pairs of optimizers on the same gradients, over seven scales and 2000 steps, without decay. With β1 = 0 "
          "the second moments are those of RMSprop bit for bit, and the weights are equal once RMSprop's learning "
          "rate is multiplied by √(1-β2^t); with the same learning rate RMSprop's first step is 1/√(1-β2) times as "
          "long, and after several times 1/(1-β2) steps nothing is left of the difference. Where ε is not 0, "
          "RMSprop's has to be multiplied in the same way. If nothing is forgotten v̂ is the mean of all squares; "
          "AdaGrad divides by the root of their sum, which is √t times as large. If ε is far above √v, v drops out: "
          "the rest is m, which is 1-β1 times the momentum buffer. And with β1 = β2 = 0 only the sign of the "
          "gradient is left. Adam is AdamW with the decay in the gradient."};
  const Options no_m = {.lr = kLr, .betas = {0.0, kBeta2}, .eps = 0.0, .weight_decay = 0.0};
  Series ratio{"measured", Stroke::dots}, expected{"1/√(1-β2^t)", Stroke::theory};
  {
    Twins twins(Rule::adamw, no_m, Rule::rmsprop, {.lr = kLr, .alpha = kBeta2, .eps = 0.0});
    for (int t = 1; t <= kSteps; ++t) {
      twins.other.set_lr(kLr * std::sqrt(bias(kBeta2, t)));
      twins.step();
    }
    claim.figures.push_back(
        {.id = "rmsprop",
         .what = "largest difference of weights between AdamW with β1 = 0 and RMSprop with lr·√(1-β2^t), "
                 "over the largest weight, 2000 steps, ε = 0",
         .theory = 0.0,
         .measured = twins.apart(),
         .tolerance = 1e-5});
    claim.figures.push_back({.id = "rmsprop.v",
                             .what = "of 256 second moments of these two, how many differ in a bit",
                             .theory = 0.0,
                             .measured = differing(twins.one.state("exp_avg_sq"), twins.other.state("square_avg"))});
  }
  {
    // The same learning rate for both: steps of a gradient that stays the same.
    Rig corrected(Rule::adamw, 1, {.lr = 1.0, .betas = {0.0, kBeta2}, .weight_decay = 0.0});
    Rig bare(Rule::rmsprop, 1, {.lr = 1.0, .alpha = kBeta2});
    for (int t = 1; t <= 10000; ++t) {
      corrected.gradients()[0] = bare.gradients()[0] = 1.0F;
      corrected.weights()[0] = bare.weights()[0] = 0.0F;
      corrected.step();
      bare.step();
      const double found = bare.weights()[0] / corrected.weights()[0], theory = 1.0 / std::sqrt(bias(kBeta2, t));
      if (t == 1 || t == 3 || t == 10 || t == 30 || t == 100 || t == 300 || t == 1000 || t == 3000 || t == 10000) {
        ratio.add(t, found);
        expected.add(t, theory);
      }
      if (t == 1000 || t == 10000) {
        claim.figures.push_back(
            {.id = "late." + text_of(t),
             .what = "step " + text_of(t) + " of RMSprop over that of AdamW with β1 = 0, same learning rate",
             .theory = theory,
             .measured = found,
             .tolerance = 1e-3 * theory});
      } else if (t == 1) {
        claim.figures.push_back({.id = "first",
                                 .what = "the first step of RMSprop over that of AdamW with β1 = 0, same learning rate",
                                 .theory = 1.0,
                                 .measured = found,
                                 .tolerance = 1e-3,
                                 .beyond = true});
      }
    }
  }
  {
    // 1-β2 = 2^-20: hardly anything is forgotten, and v̂ is the mean of all squares. AdaGrad divides by their sum.
    Twins twins(Rule::adagrad, {.lr = kLr, .eps = 0.0}, Rule::adamw,
                {.lr = kLr, .betas = {0.0, 1.0 - 0x1p-20}, .eps = 0.0, .weight_decay = 0.0});
    for (int t = 1; t <= kSteps; ++t) {
      twins.other.set_lr(kLr / std::sqrt(t));
      twins.step();
    }
    claim.figures.push_back({.id = "adagrad",
                             .what = "the same between AdaGrad and AdamW with β1 = 0, β2 = 1-2^-20 and lr/√t",
                             .theory = 0.0,
                             .measured = twins.apart(),
                             .tolerance = 1e-4});
    Rig rig(Rule::adagrad, 1, {.lr = 1.0});
    for (int t = 1; t <= 100; ++t) {
      rig.gradients()[0] = 0.5F;
      rig.weights()[0] = 0.0F;
      rig.step();
    }
    claim.figures.push_back({.id = "adagrad.100",
                             .what = "step 100 of AdaGrad with the same gradient, in learning rates: 1/√t",
                             .theory = 0.1,
                             .measured = -rig.weights()[0],
                             .tolerance = 1e-5});
  }
  {
    // ε so large that √v is nothing beside it; the learning rate takes it back.
    constexpr double kHuge = 0x1p+40;
    Twins twins(Rule::sgd, {.lr = kLr, .momentum = 0.9}, Rule::adamw,
                {.lr = kLr, .betas = {0.9, kBeta2}, .eps = kHuge, .weight_decay = 0.0});
    for (int t = 1; t <= kSteps; ++t) {
      twins.other.set_lr(kLr * kHuge * bias(0.9, t) / 0.1);
      twins.step();
    }
    claim.figures.push_back(
        {.id = "momentum",
         .what =
             "the same between SGD with momentum 0.9 and AdamW with v out of play (ε = 2^40) and lr·ε·(1-β1^t)/(1-β1)",
         .theory = 0.0,
         .measured = twins.apart(),
         .tolerance = 1e-5});
    double apart = 0.0;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double buffer = twins.one.state("momentum_buffer")[i], m = twins.other.state("exp_avg")[i];
      apart = std::max(apart, std::abs(0.1 * buffer / m - 1.0));
    }
    claim.figures.push_back({.id = "momentum.m",
                             .what = "largest relative difference between m and (1-β1) times the momentum buffer",
                             .theory = 0.0,
                             .measured = apart,
                             .tolerance = 1e-4});
  }
  {
    Rig rig(Rule::adamw, kSize, {.lr = 1.0, .betas = {0.0, 0.0}, .weight_decay = 0.0});
    const Random random(52, kNoiseStream);
    double furthest = 0.0;
    for (int t = 0; t < 10; ++t) {
      for (std::size_t i = 0; i < kSize; ++i) {
        rig.gradients()[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(t) * kSize + i));
        rig.weights()[i] = 0.0F;
      }
      rig.step();
      for (const float w : rig.weights())
        furthest = std::max(furthest, std::abs(std::abs(static_cast<double>(w)) - 1.0));
    }
    claim.figures.push_back({.id = "sign",
                             .what = "with β1 = β2 = 0 only the sign is left: largest ||Δw|/η - 1|",
                             .theory = 0.0,
                             .measured = furthest,
                             .tolerance = 1e-3});
  }
  claim.plots = {{"RMSprop's step over that of AdamW with β1 = 0", "step t", "ratio", true, true, {expected, ratio}}};
  return claim;
}

}  // namespace adamant::lab
