// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A run to report on: three tensors that the engine trains on gradients that the test makes up.
#pragma once

#include <adamant/optimizer.hpp>
#include <adamant/run_log.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "report/run.h"

namespace adamant::report {

// Numbers of their own kind for each use, the same in every run.
inline double noise(std::uint64_t& state) {
  double sum = 0.0;
  for (int i = 0; i < 12; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    sum += static_cast<double>(state >> 11) * 0x1p-53;
  }
  return sum - 6.0;
}

struct Trial {
  std::vector<std::vector<float>> w, g;
  Optimizer optimizer;
  RunInfo info;
  std::uint64_t state = 7;

  explicit Trial(Rule rule, const Options& options = {.lr = 1e-3}, std::vector<std::size_t> sizes = {512, 512, 512},
                 std::optional<double> max_norm = {})
      : w(weights(sizes)),
        g(w),
        optimizer(rule, std::vector<Param>{{"first", w[0], g[0]}, {"second", w[1], g[1]}, {"third", w[2], g[2]}},
                  options, {.max_norm = max_norm, .threads = 1}),
        info(run_info(optimizer)) {}

  // Two rules: that of the first tensor, and that of the others.
  Trial(std::pair<Rule, Options> one, std::pair<Rule, Options> others)
      : w(weights({512, 512, 512})),
        g(w),
        optimizer(Rule::adamw,
                  std::vector<ParamGroup>{{.params = {{"first", w[0], g[0]}}, .options = one.second, .rule = one.first},
                                          {.params = {{"second", w[1], g[1]}, {"third", w[2], g[2]}},
                                           .options = others.second,
                                           .rule = others.first}},
                  {}, {.threads = 1}),
        info(run_info(optimizer)) {}

  // gradient(step, tensor, noise) and loss(step, noise).
  template <class Gradient, class Loss>
  Run run(std::uint64_t steps, Gradient gradient, Loss loss) {
    Statistics statistics;
    statistics.probes = 2;
    for (std::size_t t = 0; t < 3; ++t) {
      for (const std::size_t element : {128U, 384U}) info.probes.push_back({t, element});
    }
    Collector collector(info);
    for (std::uint64_t step = 1; step <= steps; ++step) {
      for (std::size_t t = 0; t < 3; ++t) {
        for (float& x : g[t]) x = static_cast<float>(gradient(step, t, noise(state)));
      }
      const StepReport report = optimizer.step({.statistics = &statistics});
      collector.add(info, run_step(optimizer, loss(step, noise(state)), report, &statistics));
    }
    Run run = collector.finish();
    run.path = "trial.jsonl";
    return run;
  }
  Run noise_only(std::uint64_t steps) {
    return run(steps, [](auto, auto, double x) { return x; }, [](auto, double x) { return 1.0 + 0.01 * x; });
  }

 private:
  static std::vector<std::vector<float>> weights(const std::vector<std::size_t>& sizes) {
    std::vector<std::vector<float>> made;
    for (const std::size_t size : sizes) made.emplace_back(size, 1.0F);
    return made;
  }
};

}  // namespace adamant::report
