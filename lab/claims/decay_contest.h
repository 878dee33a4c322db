// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Training without decay, with decoupled decay and with L2 in the gradient, over grids of learning rates and decays.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "lab/claims/claims.h"
#include "lab/run.h"

namespace adamant::lab {

enum class Decay : std::size_t { none, decoupled, l2 };

/// The ways of decay, which else are the same rule.
inline constexpr std::array kDecays = {RuleConfig{"none", "no decay", Rule::adamw},
                                       RuleConfig{"adamw", "decoupled decay", Rule::adamw},
                                       RuleConfig{"adam", "L2 in the gradient", Rule::adam}};

/// For each way of decay.
template <class T>
using OfEach = std::array<T, kDecays.size()>;

/// Scores over a grid of settings.
struct DecayGrid {
  std::vector<double> learning_rates{}, decays{};
  std::vector<std::vector<Score>> scores{};  ///< of each setting, decays within rates: one for each seed

  [[nodiscard]] const std::vector<Score>& at(std::size_t rate, std::size_t decay) const {
    return scores[rate * decays.size() + decay];
  }
  /// The mean over the seeds; of the loss, infinite where one diverged.
  [[nodiscard]] Score mean(std::size_t rate, std::size_t decay) const;
  /// The decay of least mean loss at that rate.
  [[nodiscard]] std::size_t best_decay(std::size_t rate) const;
  /// The rate of least mean loss, each at its best decay.
  [[nodiscard]] std::size_t best_rate() const;
  [[nodiscard]] Tuned best() const;
};

/// Contests: "digits", "digits.hindsight" (settings chosen on the test data themselves), "addition", and "words", which
/// needs the text.
struct DecayContest {
  OfEach<DecayGrid> grids{};            ///< on validation data, but with hindsight
  OfEach<std::vector<Score>> finals{};  ///< with the best settings on test data, one for each of other seeds
  OfEach<double> frequent_over_rare{};  ///< "words": size of the embedding's rows of frequent words over rare ones

  [[nodiscard]] const DecayGrid& grid(Decay decay) const { return grids[static_cast<std::size_t>(decay)]; }
  [[nodiscard]] const std::vector<Score>& final_scores(Decay decay) const {
    return finals[static_cast<std::size_t>(decay)];
  }
};

/// Runs it, or returns what it was when it ran before: several claims look at one contest.
[[nodiscard]] const DecayContest& decay_contest(std::string_view name, const Setup& setup);

}  // namespace adamant::lab
