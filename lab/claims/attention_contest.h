// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The lab's transformer, trained with AdamW, with SGD, and with what lies between: rules that know the scale of the
// gradients of a tensor, or only signs.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "lab/claims/claims.h"

namespace adamant::lab {

enum class Way : std::size_t { adamw, momentum, normalised, tensor_v, sign };

struct WayInfo {
  std::string_view id, words;
  std::array<double, 3> learning_rates;
};

/// The learning rates lie around the best of a longer search of the same kind, from 1e-4 to 3.
inline constexpr std::array kWays = {
    WayInfo{"adamw", "AdamW", {0.003, 0.01, 0.03}}, WayInfo{"momentum", "SGD with momentum", {0.1, 0.3, 1.0}},
    WayInfo{"normalised", "SGD with momentum, the gradient of each tensor divided by its RMS", {0.001, 0.003, 0.01}},
    WayInfo{"tensor-v", "AdamW with v averaged over each tensor", {0.01, 0.03, 0.1}},
    WayInfo{"sign", "sign descent with momentum", {0.001, 0.003, 0.01}}};

/// RMS of the gradients, from the root of AdamW's v̂ after a run.
struct GradientScales {
  std::vector<double> tensors{};  ///< of each tensor
  std::vector<double> words{};    ///< of each word's row in the embedding, by falling frequency; 0: it never occurred
};

struct AttentionContest {
  std::array<std::array<double, 3>, kWays.size()> validation{};  ///< loss at each learning rate
  std::array<std::vector<double>, kWays.size()> losses{};        ///< on test data at the best of them, one a seed
  GradientScales scales{};

  [[nodiscard]] const std::vector<double>& of(Way way) const { return losses[static_cast<std::size_t>(way)]; }
  [[nodiscard]] double best_rate(Way way) const;
};

/// Needs the text. Runs it, or returns what it was when it ran before.
[[nodiscard]] const AttentionContest& attention_contest(const Setup& setup);

}  // namespace adamant::lab
