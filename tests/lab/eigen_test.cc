// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Eigen's matrices as parameters and gradients: shape and storage order are known and compared.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <adamant/adamant.hpp>

#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

TEST(Eigen, GradientsInAnotherStorageOrderAreRefused) {
  Eigen::MatrixXf w = Eigen::MatrixXf::Zero(2, 3);
  RowMajor g(2, 3);
  g << 1, 2, 3, 4, 5, 6;
  EXPECT_EQ(refusal([&] { SGD({{"w", w, g}}); }),
            "mismatch: gradient of 'w' is a 2 x 3 matrix stored by rows but the parameter is a 2 x 3 matrix stored by "
            "columns");
  SGD sgd({{"w", w}}, {.lr = 1.0});
  EXPECT_NE(refusal([&] { sgd.set_grad("w", g); }), "accepted");

  const Eigen::MatrixXf same_order = g;
  sgd.set_grad("w", same_order);
  sgd.step();
  EXPECT_EQ(w, -g);
}

TEST(Eigen, VectorsHaveNoOrder) {
  Eigen::VectorXf w = Eigen::VectorXf::Zero(3);
  const Eigen::RowVectorXf g = Eigen::RowVectorXf::Ones(3);
  SGD sgd({{"w", w, g}}, {.lr = 1.0});
  sgd.step();
  EXPECT_EQ(w, -Eigen::VectorXf::Ones(3));
}

}  // namespace
}  // namespace adamant::testing
