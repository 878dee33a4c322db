// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// tensorboard_run FOLDER: writes an event file there, and prints what a reader should find in it, step by step.
#include <adamant/adamant.hpp>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  using nlohmann::json;
  std::vector<float> w(3000, 0.5F), g(3000), b(10), bg(10);
  adamant::Settings settings;
  settings.max_norm = 20.0;
  adamant::AdamW adamw({{"w", w, g}, {"b", b, bg}}, {.lr = 1e-3}, settings);
  adamant::TensorBoardOptions options;
  options.histogram_every = 4;
  adamant::TensorBoard board(arguments[1], adamw, options);
  adamant::Statistics seen;
  seen.sample_every = 1;
  json steps = json::array();
  for (int t = 1; t <= 200; ++t) {
    for (std::size_t i = 0; i < g.size(); ++i)
      g[i] = static_cast<float>(std::sin(static_cast<double>(t) * static_cast<double>(i)));
    for (std::size_t i = 0; i < bg.size(); ++i) bg[i] = 0.5F;
    adamw.set_lr(1e-3 / t);
    const adamant::StepReport report = adamw.step({.statistics = &seen});
    const double loss = 10.0 / t;
    board.step(adamw, loss, report, &seen);
    json scalars = {{"loss", loss},
                    {"lr/0", *adamw.options().lr},
                    {"grad_norm", *report.grad_norm},
                    {"clip", report.clip_coefficient}};
    for (const adamant::TensorStatistics& tensor : seen.tensors) {
      const adamant::Moments moments = adamant::moments_of(tensor, adamw.rule(), adamw.options());
      for (const adamant::MomentInfo& info : adamant::moment_list()) {
        scalars[std::string(info.name) + "/" + adamw.tensor(tensor.tensor).name] = moments.*info.value;
      }
    }
    steps.push_back(std::move(scalars));
  }
  std::cout << steps << '\n';
}
