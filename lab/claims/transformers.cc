// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What v is for on a transformer, part by part, and how much of that signs can do.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "lab/claims/attention_contest.h"
#include "lab/claims/claim_list.h"
#include "lab/claims/rig.h"
#include "lab/claims/seeds.h"
#include "lab/random.h"

namespace adamant::lab {
namespace {

const WayInfo& info(Way way) { return kWays[static_cast<std::size_t>(way)]; }

// That one way ends at a lower test loss than another.
Figure lead(std::string id, Way ahead, Way behind, const AttentionContest& contest) {
  return above(0.0, std::move(id),
               "attention: test loss with " + std::string(info(behind).words) + " less that with " +
                   std::string(info(ahead).words),
               minus(contest.of(behind), contest.of(ahead)));
}

// By how much a way ends below SGD with momentum.
Figure gain(std::string id, Way way, const AttentionContest& contest) {
  return told(std::move(id),
              "attention: test loss with SGD with momentum less that with " + std::string(info(way).words),
              minus(contest.of(Way::momentum), contest.of(way)));
}

// Largest over smallest.
double range(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax_element(values);
  return *most / *least;
}

// The mean over some words, of those that occurred.
double mean_scale(std::span<const double> words) {
  double sum = 0.0, count = 0.0;
  for (const double scale : words) {
    if (scale > 0.0) sum += scale, count += 1.0;
  }
  return sum / count;
}

// Without those of runs that diverged.
Plot losses_by_rate(const AttentionContest& contest) {
  constexpr double kDiverged = 10.0;  // one who knows nothing has log(3000) = 8
  Plot plot{"attention: loss on validation data", "learning rate η", "loss", true, false, {}};
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    Series series{std::string(kWays[way].words)};
    for (std::size_t i = 0; i < contest.validation[way].size(); ++i) {
      const double loss = contest.validation[way][i];
      if (loss < kDiverged) series.add(kWays[way].learning_rates[i], loss);
    }
    plot.series.push_back(series);
  }
  return plot;
}

// AdamW with β1 = β2 = β on noise: how far its step is from the sign of the gradient.
struct SignAgreement {
  double agree = 0.0;  // share of the updates whose sign is that of the gradient
  double angle = 0.0;  // in degrees, between the update and the vector of signs
};

SignAgreement signs(double beta) {
  constexpr std::size_t kSize = 1024;
  constexpr std::uint64_t kCount = 200;
  const auto forget = static_cast<std::uint64_t>(10.0 / (1.0 - beta));
  Rig rig(Rule::adamw, kSize, {.lr = 1.0, .betas = {beta, beta}, .weight_decay = 0.0});
  const Random random(71, kNoiseStream);
  double agree = 0.0, along = 0.0, squares = 0.0;
  for (std::uint64_t t = 0; t < forget + kCount; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) rig.gradients()[i] = static_cast<float>(random.normal(t * kSize + i));
    std::ranges::fill(rig.weights(), 0.0F);  // so that after the step they are the update
    rig.step();
    if (t < forget) continue;
    for (std::size_t i = 0; i < kSize; ++i) {
      const double step = -rig.weights()[i], forward = rig.gradients()[i] > 0.0F ? step : -step;
      agree += forward > 0.0 ? 1.0 : 0.0;
      along += forward;
      squares += step * step;
    }
  }
  constexpr auto kAll = static_cast<double>(kSize * kCount);
  return {agree / kAll, std::acos(std::min(1.0, along / std::sqrt(squares * kAll))) * 180.0 / std::numbers::pi};
}

}  // namespace

Claim claim_transformers(const Setup& setup) {
  Claim claim{
      .statement = "On a transformer AdamW is ahead of SGD with momentum",
      .formula = "attention: test loss of SGD with momentum - AdamW > 0, by Student's t at 95 %",
      .condition = "SGD has one learning rate for tensors of all scales",
      .words =
          "The lab's transformer starts as layers of torch.nn do, and learns a text with rules that differ in what "
          "they "
          "know of the scales of its gradients, each at the best of three learning rates, chosen on validation data "
          "with "
          "another seed, without decay. SGD with momentum has one learning rate for all. Dividing the gradient of each "
          "tensor by its RMS takes away what lies between tensors; AdamW with v averaged over each tensor does the "
          "same with a memory. What is left lies within tensors: the row of a word has a gradient only where the word "
          "occurs. To know the scales of the tensors helps much; with those of all coordinates instead the gain is "
          "gone."};
  if (setup.text.empty()) {
    claim.figures.push_back({.id = "lead",
                             .what = "attention: nothing is known without a text",
                             .tolerance = std::numeric_limits<double>::infinity(),
                             .check = Check::at_least});
    claim.notes.emplace_back(kTextMissing);
    return claim;
  }
  const AttentionContest& contest = attention_contest(setup);
  claim.figures.push_back(lead("lead", Way::adamw, Way::momentum, contest));
  for (const Way way : {Way::tensor_v, Way::normalised}) {  // they know the scale of each tensor
    claim.figures.push_back(lead("lead." + std::string(info(way).id), Way::adamw, way, contest));
    claim.figures.back().beyond = true;
  }
  for (const Way way : {Way::tensor_v, Way::normalised}) {
    claim.figures.push_back(gain("gain." + std::string(info(way).id), way, contest));
  }
  for (const Way way : {Way::adamw, Way::momentum, Way::tensor_v, Way::normalised}) {
    const std::string id(info(way).id), of = ", " + std::string(info(way).words);
    claim.figures.push_back(told(id, "attention: test loss" + of, contest.of(way)));
    claim.figures.push_back(told(id + ".lr", "attention: learning rate chosen" + of, contest.best_rate(way)));
  }
  const std::vector<double>& words = contest.scales.words;
  const std::size_t tenth = (words.size() - 1) / 10;  // the first stands for all words that are not known
  const double frequent = mean_scale(std::span(words).subspan(1, tenth)),
               rare = mean_scale(std::span(words).last(tenth));
  claim.figures.push_back(told("scales.tensors",
                               "RMS of the gradients of a tensor, from AdamW's v: largest over smallest",
                               range(contest.scales.tensors)));
  claim.figures.push_back(told("scales.words",
                               "RMS of the gradients of a word's row in the embedding, from AdamW's v: most frequent "
                               "tenth of words over the rarest tenth",
                               frequent / rare));
  Series dots{"a word", Stroke::dots};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] > 0.0) dots.add(static_cast<double>(i + 1), words[i]);
  }
  claim.plots = {{"Rows of the embedding of words: the scale of their gradients",
                  "rank of the word, by frequency",
                  "RMS of √v̂",
                  true,
                  true,
                  {dots}},
                 losses_by_rate(contest)};
  return claim;
}

Claim claim_signs(const Setup& setup) {
  constexpr std::array kBetas = {0.0, 0.1, 0.5, 0.9, 0.99};
  std::array<SignAgreement, kBetas.size()> found;
  setup.for_each(kBetas.size(), [&](std::size_t i) { found[i] = signs(kBetas[i]); });
  Claim claim{
      .statement =
          "With β1 = β2 → 0 AdamW is sign descent, and signs with momentum come as far as AdamW on a transformer",
      .formula = "share of steps in the direction of the gradient's sign, β1 = β2 = 0.9, noise",
      .words =
          "With β1 = β2 = 0 the update is g/|g|. With larger betas it has a memory: for gradients that are noise its "
          "sign is that of the latest gradient in a share of 1/2 + arcsin(√(1-β²))/π of the steps, since √(1-β²) is "
          "the correlation between m and g. On the lab's transformer the engine's AdamW with β1 = β2 = 0 is given an "
          "average of the gradients, which is sign descent with momentum: all coordinates make equal steps, without an "
          "estimate of their noise."};
  Plot plot{"AdamW with β1 = β2 on noise", "β", "share of steps with the sign of g", false, false, {}};
  Series theory{"1/2 + arcsin(√(1-β²))/π", Stroke::theory}, measured{"measured", Stroke::dots};
  const auto expected = [](double beta) { return 0.5 + std::asin(std::sqrt(1.0 - beta * beta)) / std::numbers::pi; };
  for (int i = 0; i <= 50; ++i) theory.add(i / 50.0, expected(i / 50.0));
  for (const std::size_t i : {3U, 0U, 1U, 2U, 4U}) {
    const std::string beta = text_of(kBetas[i]);
    claim.figures.push_back({.id = "agree." + beta,
                             .what = "share of steps in the direction of the gradient's sign, β1 = β2 = " + beta,
                             .theory = expected(kBetas[i]),
                             .measured = found[i].agree,
                             .tolerance = 0.01});
    measured.add(kBetas[i], found[i].agree);
  }
  for (std::size_t i = 0; i < kBetas.size(); ++i) {
    claim.figures.push_back(
        told("angle." + text_of(kBetas[i]),
             "angle between the update and the signs of the gradient, in degrees, β1 = β2 = " + text_of(kBetas[i]),
             found[i].angle));
  }
  plot.series = {theory, measured};
  claim.plots = {plot};
  if (setup.text.empty()) {
    claim.notes.emplace_back(kTextMissing);
    return claim;
  }
  const AttentionContest& contest = attention_contest(setup);
  const std::string sign(info(Way::sign).words);
  const std::vector<double> behind = minus(contest.of(Way::sign), contest.of(Way::adamw));
  Figure level = told("behind", "attention: test loss with " + sign + " less that with AdamW", behind);
  level.check = Check::near;
  level.tolerance = 0.05;  // of a loss of 5.5; a fifth of what the scales of the tensors are worth
  claim.figures.push_back(level);
  claim.figures.push_back(gain("gain", Way::sign, contest));
  claim.figures.push_back(told("sign", "attention: test loss, " + sign, contest.of(Way::sign)));
  claim.figures.push_back(told("sign.lr", "attention: learning rate chosen, " + sign, contest.best_rate(Way::sign)));
  return claim;
}

}  // namespace adamant::lab
