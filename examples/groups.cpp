// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Two parameter groups, a learning-rate schedule, clipping by the global norm, and what a step reports.
// Prints: first norm 22.804, clipped by 0.044; last weight -0.041, bias 2.039
#include <adamant/adamant.hpp>
#include <cstdio>
#include <vector>

int main() {
  std::vector<float> weight(512, 1.0f), weight_grad(512);
  std::vector<float> bias(8, 1.0f), bias_grad(8);

  std::vector<adamant::ParamGroup> groups;
  groups.push_back({.params = {{"weight", weight, weight_grad}}});
  groups.push_back({.params = {{"bias", bias, bias_grad}}, .options = {.weight_decay = 0.0}});
  adamant::AdamW adamw(std::move(groups), {.weight_decay = 0.1}, {.max_norm = 1.0});

  const std::uint64_t steps = 40;
  for (std::uint64_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < weight.size(); ++i) weight_grad[i] = weight[i];
    for (std::size_t i = 0; i < bias.size(); ++i) bias_grad[i] = bias[i] - 2.0f;

    adamw.set_lr(adamant::schedule::warmup_cosine(0.05, step, 5, steps));
    const adamant::StepReport report = adamw.step();
    if (step == 0) std::printf("first norm %.3f, clipped by %.3f; ", *report.grad_norm, report.clip_coefficient);
  }
  std::printf("last weight %.3f, bias %.3f\n", static_cast<double>(weight[0]), static_cast<double>(bias[0]));
}
