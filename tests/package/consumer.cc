// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// An outside program: includes everything, takes one step, checks that the parameters moved, and catches an error.
#include <adamant/adamant.hpp>
#include <vector>

int main() {
  std::vector<float> w(1000, 1.0f), g(1000, 1.0f);
  adamant::AdamW adamw({{"w", w, g}}, {.lr = 0.25, .weight_decay = 0.0});
  adamw.step();
  for (const float x : w) {
    if (!(x > 0.74f && x < 0.76f)) return 1;
  }
  try {
    adamw.set_lr(-1.0);
  } catch (const adamant::Error& error) {
    return error.code() == adamant::ErrorCode::invalid_argument ? 0 : 2;
  }
  return 3;
}
