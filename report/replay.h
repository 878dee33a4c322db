// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The gradients of the probes, given to other rules: what each would have made of them. Open loop: with another rule
// the gradients would have become others.
#pragma once

#include <adamant/optimizer.hpp>
#include <adamant/run_log.hpp>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "report/timeline.h"

namespace adamant::report {

/// The rules, in order; AdamW first.
constexpr std::array<std::string_view, 4> kReplayed = {"AdamW", "SGD with momentum", "RMSprop", "Adagrad"};

struct Replay {
  struct Probe {
    std::size_t tensor = 0, element = 0;
    double mean_square = 0.0;                        ///< of its gradients
    std::array<double, kReplayed.size()> path = {};  ///< Σ η·|u|
  };
  std::vector<Probe> probes;
  Timeline speed{kReplayed.size(), 2};  ///< mean of η·|u| over the probes, step by step
  std::uint64_t steps = 0;
  double beta1 = 0.9, beta2 = 0.999;  ///< momentum is beta1
  double alpha = 0.99;                ///< torch's; with beta2, RMSprop would be Adagrad in runs shorter than its memory
  double eps = 1e-8;

  /// Σ of `path` over the probes.
  [[nodiscard]] double total(std::size_t rule) const;
};

class Replayer {
 public:
  /// With betas and eps of the first group whose rule has them. Nothing is replayed where there are no probes.
  Replayer(const RunInfo& info, std::size_t buckets);
  void add(const RunInfo& info, const RunStep& step);
  [[nodiscard]] Replay finish();

 private:
  // A rule on all probes, as one tensor.
  struct Twin {
    std::unique_ptr<Optimizer> optimizer;
    std::vector<float> weights;
  };
  void start(const RunInfo& info);

  Replay replay_;
  std::vector<float> grads_;
  std::vector<Twin> twins_;
};

}  // namespace adamant::report
