// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Products of matrices: the same bits on every instruction set.
#include "lab/matrix.h"

#include <gtest/gtest.h>

namespace adamant::lab {
namespace {

Matrix<float> random(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Weight<float> weight("w", rows, columns);
  weight.set_random(1.0, Random(1, stream));
  return weight.value;
}

// Sums in the order of the inner index, each product and sum rounded.
Matrix<float> product(const Matrix<float>& a, const Matrix<float>& b) {
  Matrix<float> out(a.rows(), b.cols());
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    for (Eigen::Index j = 0; j < b.cols(); ++j) {
      volatile float sum = 0.0F;  // no fused multiply-add
      for (Eigen::Index k = 0; k < a.cols(); ++k) {
        volatile float term = a(i, k) * b(k, j);
        sum = sum + term;
      }
      out(i, j) = sum;
    }
  }
  return out;
}

TEST(Matrix, ProductsAreSumsInOrder) {
  for (const Eigen::Index rows : {1, 3, 4, 5, 64, 65}) {
    for (const Eigen::Index inner : {1, 2, 31, 255, 256, 257, 600}) {
      for (const Eigen::Index columns : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 43, 64}) {
        const Matrix<float> a = random(rows, inner, 1), b = random(inner, columns, 2), expected = product(a, b);
        for (const Matrix<float>& each : products_of_all(a, b)) {
          EXPECT_EQ(each, expected) << rows << " " << inner << " " << columns;
        }
        Matrix<float> out;
        multiply(a, b, out);
        EXPECT_EQ(out, expected) << rows << " " << inner << " " << columns;
        multiply_transposed(Matrix<float>(a.transpose()), b, out);
        EXPECT_EQ(out, expected) << rows << " " << inner << " " << columns;
        multiply_by_transposed(a, Matrix<float>(b.transpose()), out);
        EXPECT_EQ(out, expected) << rows << " " << inner << " " << columns;
      }
    }
  }
}

TEST(Matrix, AnEmptyProductIsZero) {
  Matrix<float> out = random(2, 3, 1);
  multiply(Matrix<float>(2, 0), Matrix<float>(0, 3), out);
  EXPECT_EQ(out, Matrix<float>::Zero(2, 3));
}

}  // namespace
}  // namespace adamant::lab
