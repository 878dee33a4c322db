// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A tensor whose gradients are made up, and the engine's optimizer on it.
#pragma once

#include <adamant/optimizer.hpp>
#include <adamant/statistics.hpp>
#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::lab {

/// The default of the decay rate of the first moment.
inline constexpr double kBeta1 = 0.9;

class Rig {
 public:
  Rig(Rule rule, std::size_t size, const Options& options)
      : w_(size), g_(size), optimizer_(rule, {{"w", w_, g_}}, options, {.nonfinite = NonFinite::error, .threads = 1}) {}
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// Weights and gradients, to be read and written between steps.
  [[nodiscard]] std::span<float> weights() { return w_; }
  [[nodiscard]] std::span<float> gradients() { return g_; }

  /// One step; what it saw of its moments.
  const MomentSums& step() {
    optimizer_.step({.statistics = &statistics_});
    return statistics_.tensors.front().sums;
  }
  void set_lr(double lr) { optimizer_.set_lr(lr); }

  /// A state by its name, as it is now.
  [[nodiscard]] std::span<const float> state(std::string_view name) const {
    const Tensor view = optimizer_.state("w", name);
    return {static_cast<const float*>(view.data), view.size};
  }

 private:
  std::vector<float> w_, g_;
  Optimizer optimizer_;
  Statistics statistics_{.observe_every = 1, .sample_every = 0, .probes = 0, .tensors = {}};
};

/// Numbers from `first` to `last`, evenly on a logarithmic scale, `per_decade` to a decade.
[[nodiscard]] inline std::vector<double> decades(double first, double last, int per_decade) {
  std::vector<double> values;
  const auto count = static_cast<int>(std::lround(std::log10(last / first) * per_decade));
  for (int i = 0; i <= count; ++i) values.push_back(first * std::pow(10.0, static_cast<double>(i) / per_decade));
  return values;
}

/// As text, with six digits at most: "0.999", "1e-08".
[[nodiscard]] inline std::string text_of(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, 6).ptr};
}

}  // namespace adamant::lab
