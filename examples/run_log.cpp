// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A run log, and the lights: a layer whose gradients are small is trained with an eps that is too large.
// Prints: layer: mean update 0.03 of lr, share of eps 0.90
// Prints: step 20, red: layer: eps = 0.01 makes up 90% of the denominator: v no longer decides the scale.
// Prints: 200 steps, finished
#include <adamant/adamant.hpp>
#include <cstdio>
#include <random>
#include <string>
#include <variant>
#include <vector>

int main() {
  const std::string path = "example_run_log.jsonl";
  std::vector<float> w(4096, 0.1f), g(w.size());
  adamant::AdamW adamw({{"layer", w, g, {64, 64}}}, {.lr = 1e-3, .eps = 1e-2});
  {
    adamant::RunLog log(path, adamw, {.title = "an eps that is too large"});
    std::minstd_rand random;
    for (int step = 0; step < 200; ++step) {
      double loss = 0.0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        const float noise = 2.0f * static_cast<float>(random()) / static_cast<float>(random.max()) - 1.0f;
        g[i] = 1e-3f * (w[i] + 2.0f * noise);
        loss += 0.5e-3 * static_cast<double>(w[i] * w[i]);
      }
      const adamant::StepReport report = adamw.step({.statistics = log.statistics()});
      log.step(adamw, loss, report);
    }
    log.end({{"outcome", "finished"}});
  }

  // Later, or meanwhile in another program:
  adamant::RunLogReader reader(path);
  adamant::Health health;
  adamant::RunStep step;
  double update = 0.0, share = 0.0, steps = 0.0;
  while (reader.next(step)) {
    health.record(step);
    const adamant::RunInfo::Group& group = reader.info().groups[0];
    const adamant::Moments moments = adamant::moments_of(step.tensors[0], group.rule, group.options);
    update += moments.update;
    share += moments.eps_tax;
    steps += 1.0;
  }
  std::printf("layer: mean update %.2f of lr, share of eps %.2f\n", update / steps, share / steps);
  for (const adamant::Finding& found : health.findings()) {
    if (found.severity != adamant::Severity::red) continue;
    std::printf("step %d, red: %s\n", static_cast<int>(found.step), found.sentence.c_str());
  }
  std::printf("%.0f steps, %s\n", steps, std::get<std::string>(reader.end()->front().second).c_str());
  std::remove(path.c_str());
}
