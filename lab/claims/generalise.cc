// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Whether weight decay generalises, whether decoupled decay does so better than L2 in the gradient, and whether its
// choice depends less on the learning rate.
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lab/claims/addition.h"
#include "lab/claims/claim_list.h"
#include "lab/claims/decay_contest.h"
#include "lab/claims/fit.h"
#include "lab/claims/rig.h"
#include "lab/claims/seeds.h"

namespace adamant::lab {
namespace {

constexpr std::array kDecayWays = {Decay::decoupled, Decay::l2};

const RuleConfig& rule_of(Decay decay) { return kDecays[static_cast<std::size_t>(decay)]; }

// "digits: test loss, decoupled decay"
std::string phrase(std::string_view on, std::string_view what, Decay way) {
  return std::string(on).append(": ").append(what).append(", ").append(rule_of(way).words);
}

std::vector<double> each(const std::vector<Score>& scores, double Score::* of) {
  std::vector<double> values(scores.size());
  std::ranges::transform(scores, values.begin(), [of](const Score& score) { return score.*of; });
  return values;
}

// Of the final runs, seed by seed.
std::vector<double> less(const DecayContest& contest, Decay one, Decay other, double Score::* of) {
  return minus(each(contest.final_scores(one), of), each(contest.final_scores(other), of));
}

Plot valley(const std::string& title, const std::string& y, const DecayGrid& grid, double Score::* of) {
  Plot plot{title, "weight decay λ", y, true, of == &Score::loss, {}};
  for (std::size_t rate = 0; rate < grid.learning_rates.size(); ++rate) {
    Series series{"η = " + text_of(grid.learning_rates[rate])};
    for (std::size_t i = 0; i < grid.decays.size(); ++i) {
      const Score score = grid.mean(rate, i);
      if (std::isfinite(score.loss)) series.add(grid.decays[i], score.*of);
    }
    plot.series.push_back(series);
  }
  return plot;
}

// What a decay costs that was chosen at another learning rate: its loss over that of the best one here, less 1; the
// mean over all pairs of learning rates, for each seed. 0 where the choice of one says nothing of the other.
std::vector<double> regrets(const DecayGrid& grid) {
  std::vector<double> of_seeds;
  for (std::size_t seed = 0; seed < grid.scores.front().size(); ++seed) {
    const auto loss = [&](std::size_t rate, std::size_t decay) { return grid.at(rate, decay)[seed].loss; };
    std::vector<std::size_t> best(grid.learning_rates.size(), 0);
    for (std::size_t rate = 0; rate < best.size(); ++rate) {
      for (std::size_t i = 1; i < grid.decays.size(); ++i) {
        if (loss(rate, i) < loss(rate, best[rate])) best[rate] = i;
      }
    }
    std::vector<double> costs;
    for (std::size_t here = 0; here < best.size(); ++here) {
      for (std::size_t there = 0; there < best.size(); ++there) {
        if (here != there) costs.push_back(loss(here, best[there]) / loss(here, best[here]) - 1.0);
      }
    }
    of_seeds.push_back(summarize(costs).mean);
  }
  return of_seeds;
}

// What ten times the best decay costs: its loss over the best one, less 1.
double cost_of_ten(const DecayGrid& grid) {
  const std::size_t rate = grid.best_rate(), best = grid.best_decay(rate);
  const auto is_ten_times = [&](double decay) { return std::lround(decay / grid.decays[best]) == 10; };
  const auto ten = static_cast<std::size_t>(std::ranges::find_if(grid.decays, is_ten_times) - grid.decays.begin());
  if (ten == grid.decays.size()) throw std::logic_error("a grid of decays ends below ten times the best");
  return grid.mean(rate, ten).loss / grid.mean(rate, best).loss - 1.0;
}

// The decay of least loss at that rate, between the points of the grid: the lowest point of the parabola through
// the logarithms of the least loss and its neighbours'.
double best_decay(const DecayGrid& grid, std::size_t rate, std::size_t seed) {
  const auto y = [&](std::size_t i) { return std::log(grid.at(rate, i)[seed].loss); };
  const auto x = [&](std::size_t i) { return std::log(grid.decays[i]); };
  std::size_t best = 0;
  for (std::size_t i = 1; i < grid.decays.size(); ++i) {
    if (y(i) < y(best)) best = i;
  }
  if (best == 0 || best + 1 == grid.decays.size() || !std::isfinite(y(best - 1)) || !std::isfinite(y(best + 1))) {
    return grid.decays[best];
  }
  const double left = (y(best) - y(best - 1)) / (x(best) - x(best - 1));
  const double right = (y(best + 1) - y(best)) / (x(best + 1) - x(best));
  const double from = (x(best - 1) + x(best)) / 2.0, to = (x(best) + x(best + 1)) / 2.0;
  return std::exp(from - left * (to - from) / (right - left));
}

// The best decay as a power of the learning rate: the exponent.
double slope_of_best(const DecayGrid& grid, std::size_t seed) {
  std::vector<double> best(grid.learning_rates.size());
  for (std::size_t rate = 0; rate < best.size(); ++rate) best[rate] = best_decay(grid, rate, seed);
  return fit_power_law(grid.learning_rates, best).slope;
}

void tell_settings(const std::string& on, const DecayContest& contest, Decay decay, Claim& claim) {
  const std::string id = on + "." + std::string(rule_of(decay).name);
  claim.figures.push_back(told(id + ".lr", phrase(on, "learning rate chosen", decay), contest.grid(decay).best().lr));
  if (decay == Decay::none) return;
  claim.figures.push_back(
      told(id + ".decay", phrase(on, "decay chosen", decay), contest.grid(decay).best().weight_decay));
}

}  // namespace

Claim claim_generalise(const Setup& setup) {
  Claim claim{
      .statement = "Weight decay generalises",
      .formula = "held-out accuracy of addition modulo 43: with decay - without > 0, by Student's t at 95 %",
      .condition = "what the network learns without it generalises badly",
      .words =
          "A network learns three quarters of the sums modulo 43, all in every batch, and is asked for the others. "
          "Without decay it knows none of them; with either way of decay it knows nearly all. A likely reason is that "
          "decay prefers small weights, and that the rule needs smaller ones than a list learned by heart. Settings "
          "are "
          "chosen with other seeds, which divide the sums anew. On words decay lowers the test loss, too. On digits a "
          "network without "
          "decay already generalises, and little is left to gain."};
  const DecayContest& addition = decay_contest("addition", setup);
  for (const Decay way : kDecayWays) {
    const std::string id(rule_of(way).name), words(rule_of(way).words);
    claim.figures.push_back(above(0.0, "addition." + id,
                                  "addition: held-out accuracy with " + words + " less that without decay",
                                  less(addition, way, Decay::none, &Score::metric), 0.01));
  }
  for (const Decay decay : {Decay::none, Decay::decoupled, Decay::l2}) {
    const std::string id = "addition." + std::string(rule_of(decay).name);
    claim.figures.push_back(told(id + ".accuracy", phrase("addition", "held-out accuracy", decay),
                                 each(addition.final_scores(decay), &Score::metric)));
    claim.figures.push_back(told(id + ".loss", phrase("addition", "held-out loss", decay),
                                 each(addition.final_scores(decay), &Score::loss)));
    tell_settings("addition", addition, decay, claim);
  }
  const auto also = [&](const std::string& on) {
    const DecayContest& contest = decay_contest(on, setup);
    for (const Decay way : kDecayWays) {
      Figure figure = above(0.0, on + "." + std::string(rule_of(way).name),
                            on + ": test loss without decay less that with " + std::string(rule_of(way).words),
                            less(contest, Decay::none, way, &Score::loss));
      figure.beyond = on == "digits";  // the network without decay already generalises
      claim.figures.push_back(figure);
    }
    claim.figures.push_back(
        told(on + ".none", on + ": test loss, no decay", each(contest.final_scores(Decay::none), &Score::loss)));
  };
  also("digits");
  if (setup.text.empty()) {
    claim.notes.emplace_back(kTextMissing);
  } else {
    also("words");
  }
  for (const Decay way : kDecayWays) {
    claim.plots.push_back(
        valley(phrase("addition", "accuracy on validation data", way), "accuracy", addition.grid(way), &Score::metric));
  }
  return claim;
}

Claim claim_generalise_better(const Setup& setup) {
  Claim claim{
      .statement = "Decoupled decay generalises better than L2 in the gradient",
      .formula = "test loss: L2 - decoupled > 0, by Student's t at 95 %",
      .words =
          "The lab's workloads, and addition modulo 43, with AdamW and with Adam, which differ in nothing but the "
          "decay, over the same grid of learning rates and as many decays. The best settings of each are chosen on "
          "validation data; the final runs have other seeds and are scored on test data. The standard error is that "
          "of the mean over the seeds: it knows nothing of the choice of settings, or of how few the data are. On "
          "digits, where 359 images decide, the settings are chosen a second time on the test data themselves, for "
          "both alike, which shows how much of a difference is the choice. On words L2 is ahead: it divides the decay "
          "by √v, so that the rows of rare words, which start large and seldom have a gradient, shrink fastest; "
          "decoupled decay cannot tell them from others. What decoupled decay brings on digits is a wide valley: ten "
          "times the best decay costs less than with L2. Loshchilov & Hutter found decoupled decay ahead on images, "
          "with residual networks trained for long; nothing here is like that."};
  const auto hold = [&](const std::string& on) {
    const DecayContest& contest = decay_contest(on, setup);
    const std::string what = on + ": test loss with L2 less that with decoupled decay, settings chosen on ";
    claim.figures.push_back(
        above(0.0, on, what + "validation data", less(contest, Decay::l2, Decay::decoupled, &Score::loss)));
    if (on == "digits") {
      claim.figures.push_back(
          above(0.0, on + ".hindsight", what + "the test data themselves",
                less(decay_contest("digits.hindsight", setup), Decay::l2, Decay::decoupled, &Score::loss)));
    }
    if (on == "addition") {
      claim.figures.push_back(above(0.0, on + ".accuracy",
                                    "addition: held-out accuracy with decoupled decay less that with L2",
                                    less(contest, Decay::decoupled, Decay::l2, &Score::metric), 0.01));
    }
    for (const Decay way : kDecayWays) {
      const std::string id = on + "." + std::string(rule_of(way).name);
      const std::vector<double> losses = each(contest.final_scores(way), &Score::loss);
      claim.figures.push_back(told(id, phrase(on, "test loss", way), losses));
      claim.figures.push_back(
          told(id + ".spread", phrase(on, "its standard deviation over seeds", way), summarize(losses).deviation));
      tell_settings(on, contest, way, claim);
      if (on == "addition") continue;
      claim.figures.push_back(told(id + ".ten", phrase(on, "what ten times this decay costs, relative", way),
                                   cost_of_ten(contest.grid(way))));
      claim.plots.push_back(
          valley(phrase(on, "loss on validation data", way), "loss", contest.grid(way), &Score::loss));
    }
    if (on != "words") return;
    for (const Decay way : kDecayWays) {
      claim.figures.push_back(told("words." + std::string(rule_of(way).name) + ".rows",
                                   "words: size of the embedding's rows of the most frequent tenth of words over that "
                                   "of the rarest tenth, " +
                                       std::string(rule_of(way).words),
                                   contest.frequent_over_rare[static_cast<std::size_t>(way)]));
    }
  };
  hold("digits");
  hold("addition");
  if (setup.text.empty()) {
    claim.notes.emplace_back(kTextMissing);
  } else {
    hold("words");
  }
  return claim;
}

Claim claim_separable(const Setup& setup) {
  const DecayContest& addition = decay_contest("addition", setup);
  Claim claim{
      .statement = "The best decay depends less on the learning rate if it is decoupled",
      .formula = "addition modulo 43: |slope of log λ* over log η|: L2 - decoupled > 0, by Student's t at 95 %",
      .words =
          "The decay of least held-out loss at each of four learning rates, over a factor of 33, when learning "
          "addition "
          "modulo 43. Both ways want less decay where the learning rate is larger. Decoupled decay is multiplied "
          "by the learning rate here, as in PyTorch; Loshchilov & Hutter multiply by the schedule alone, and their λ "
          "is ηλ here. What a decay costs that was chosen at another learning rate says the same in units of loss."};
  OfEach<std::vector<double>> slopes;
  for (const Decay way : kDecayWays) {
    const DecayGrid& grid = addition.grid(way);
    for (std::size_t seed = 0; seed < grid.scores.front().size(); ++seed) {
      slopes[static_cast<std::size_t>(way)].push_back(slope_of_best(grid, seed));
    }
  }
  const auto& of_decoupled = slopes[static_cast<std::size_t>(Decay::decoupled)];
  const auto& of_l2 = slopes[static_cast<std::size_t>(Decay::l2)];
  std::vector<double> differences(of_l2.size());
  std::ranges::transform(of_l2, of_decoupled, differences.begin(),
                         [](double l2, double decoupled) { return std::abs(l2) - std::abs(decoupled); });
  claim.figures.push_back(
      above(0.0, "addition", "addition: |slope of log λ* over log η|, L2 less decoupled", differences));
  Plot plot{"addition: the decay of least held-out loss", "learning rate η", "decay λ*", true, true, {}};
  for (const Decay way : kDecayWays) {
    const std::string id = "addition." + std::string(rule_of(way).name);
    const DecayGrid& grid = addition.grid(way);
    claim.figures.push_back(
        told(id, phrase("addition", "slope of log λ* over log η", way), slopes[static_cast<std::size_t>(way)]));
    Series series{std::string(rule_of(way).words)};
    for (std::size_t rate = 0; rate < grid.learning_rates.size(); ++rate) {
      double sum = 0.0;
      const std::size_t seeds = grid.scores.front().size();
      for (std::size_t seed = 0; seed < seeds; ++seed) sum += std::log(best_decay(grid, rate, seed));
      series.add(grid.learning_rates[rate], std::exp(sum / static_cast<double>(seeds)));
    }
    plot.series.push_back(series);
  }
  for (const std::string on : {"addition", "digits"}) {
    const DecayContest& contest = decay_contest(on, setup);
    const std::string what = on + ": what a decay costs that was chosen at another learning rate, relative, ";
    OfEach<std::vector<double>> costs;
    for (const Decay way : kDecayWays) costs[static_cast<std::size_t>(way)] = regrets(contest.grid(way));
    claim.figures.push_back(
        above(0.0, on + ".regret", what + "L2 less decoupled",
              minus(costs[static_cast<std::size_t>(Decay::l2)], costs[static_cast<std::size_t>(Decay::decoupled)])));
    for (const Decay way : kDecayWays) {
      claim.figures.push_back(told(on + "." + std::string(rule_of(way).name) + ".regret",
                                   what + std::string(rule_of(way).words), costs[static_cast<std::size_t>(way)]));
    }
  }
  claim.plots = {plot};
  return claim;
}

}  // namespace adamant::lab
