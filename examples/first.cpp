// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The program of the README: fit w to a target by the gradient of half the squared distance.
// Prints: w[0] = 3.000
#include <adamant/adamant.hpp>
#include <cstdio>
#include <vector>

int main() {
  std::vector<float> w(1000, 1.0f), g(1000);
  adamant::AdamW adamw({{"w", w, g}}, {.lr = 1e-2, .weight_decay = 0.0});
  for (int i = 0; i < 1000; ++i) {
    for (std::size_t k = 0; k < w.size(); ++k) g[k] = w[k] - 3.0f;
    adamw.step();
  }
  std::printf("w[0] = %.3f\n", static_cast<double>(w[0]));
}
