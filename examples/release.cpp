// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Gradients that are freed one by one: a step tensor by tensor, for gradients that never are in memory together.
// Prints: 3 tensors updated, norm 1.87
#include <adamant/adamant.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

int main() {
  std::vector<std::vector<float>> layers(3, std::vector<float>(1000, 1.0f));
  std::vector<adamant::Param> params;
  params.reserve(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) params.emplace_back("layer " + std::to_string(i), layers[i]);
  adamant::AdamW adamw(std::move(params), {.lr = 1e-3}, {.max_norm = 1.0});

  adamw.begin_step();
  int updated = 0;
  for (std::size_t i = layers.size(); i-- > 0;) {  // as a backward pass finds them
    const std::vector<float> gradient(1000, 0.01f + 0.02f * static_cast<float>(i));
    updated += adamw.step_tensor(i, gradient) ? 1 : 0;
  }
  const adamant::StepReport report = adamw.end_step();
  // The norm of this step clips the next one.
  std::printf("%d tensors updated, norm %.2f\n", updated, *report.grad_norm);
}
