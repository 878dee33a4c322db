// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What each rule makes of the same gradients: how far it moves a weight, and what weight decay does to it.
// Prints: Steps in units of lr, for gradients that are always 1 and always 100:
// Prints:                           step 1         step 10        step 100
// Prints: SGD                  1.00  100.00    1.00  100.00    1.00  100.00
// Prints: SGD with momentum    1.00  100.00    6.51  651.32   10.00  999.97
// Prints: Adagrad              1.00    1.00    0.32    0.32    0.10    0.10
// Prints: RMSprop             10.00   10.00    3.23    3.23    1.26    1.26
// Prints: Adam                 1.00    1.00    1.00    1.00    1.00    1.00
// Prints: AdamW                1.00    1.00    1.00    1.00    1.00    1.00
// Prints: A weight of 1 after 1000 steps of lr 0.001 and weight_decay 0.1, for gradients of +-1 and +-100:
// Prints: Adam               0.904   0.997
// Prints: AdamW              0.903   0.903
#include <adamant/adamant.hpp>
#include <cstdio>
#include <vector>

int main() {
  struct Line {
    const char* name;
    adamant::Rule rule;
    adamant::Options options;
  };
  const std::vector<Line> lines = {
      {"SGD", adamant::Rule::sgd, {}},         {"SGD with momentum", adamant::Rule::sgd, {.momentum = 0.9}},
      {"Adagrad", adamant::Rule::adagrad, {}}, {"RMSprop", adamant::Rule::rmsprop, {}},
      {"Adam", adamant::Rule::adam, {}},       {"AdamW", adamant::Rule::adamw, {.weight_decay = 0.0}},
  };

  std::printf("Steps in units of lr, for gradients that are always 1 and always 100:\n");
  std::printf("%32s%16s%16s\n", "step 1", "step 10", "step 100");
  for (const Line& line : lines) {
    std::vector<double> w(2), g = {1.0, 100.0};
    adamant::Optimizer optimizer(line.rule, {{"w", w, g}}, line.options);
    std::printf("%-17s", line.name);
    for (int step = 1; step <= 100; ++step) {
      const double first = w[0], second = w[1];
      optimizer.step();
      const double lr = *optimizer.options().lr;
      if (step == 1 || step == 10 || step == 100) {
        std::printf("%8.2f%8.2f", (first - w[0]) / lr, (second - w[1]) / lr);
      }
    }
    std::printf("\n");
  }

  std::printf("A weight of 1 after 1000 steps of lr 0.001 and weight_decay 0.1, for gradients of +-1 and +-100:\n");
  for (const Line& line : {lines[4], lines[5]}) {
    std::vector<double> w = {1.0, 1.0}, g(2);
    adamant::Optimizer optimizer(line.rule, {{"w", w, g}}, {.lr = 1e-3, .weight_decay = 0.1});
    for (int step = 0; step < 1000; ++step) {
      const double sign = step % 2 == 0 ? 1.0 : -1.0;
      g = {sign, 100.0 * sign};
      optimizer.step();
    }
    std::printf("%-16s%8.3f%8.3f\n", line.name, w[0], w[1]);
  }
}
