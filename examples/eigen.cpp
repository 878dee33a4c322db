// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Eigen matrices are parameters without a copy: least squares, |A x - b|², by SGD with momentum.
// Prints: x = (1.0000, 2.0000)
#include <Eigen/Dense>
#include <adamant/adamant.hpp>
#include <cstdio>

int main() {
  const Eigen::MatrixXf a = (Eigen::MatrixXf(3, 2) << 2, 0, 0, 1, 1, 1).finished();
  const Eigen::VectorXf b = (Eigen::VectorXf(3) << 2, 2, 3).finished();
  Eigen::VectorXf x = Eigen::VectorXf::Zero(2), gradient(2);

  adamant::SGD sgd({{"x", x, gradient}}, {.lr = 0.05, .momentum = 0.9});
  for (int i = 0; i < 500; ++i) {
    gradient = a.transpose() * (a * x - b);
    sgd.step();
  }
  std::printf("x = (%.4f, %.4f)\n", static_cast<double>(x[0]), static_cast<double>(x[1]));
}
