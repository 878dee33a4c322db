// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A layer of a network: y = x W + b, one sample a row.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "lab/matrix.h"

namespace adamant::lab {

template <class Real>
class Linear {
 public:
  Linear(const std::string& name, Eigen::Index inputs, Eigen::Index outputs)
      : w_(name + ".weight", inputs, outputs), b_(name + ".bias", 1, outputs) {}

  void add_weights(std::vector<Weight<Real>*>& list) { list.insert(list.end(), {&w_, &b_}); }
  [[nodiscard]] double inputs() const { return static_cast<double>(w_.value.rows()); }
  /// Weights normal with that standard deviation, biases zero.
  void start(double deviation, const Random& random) {
    w_.set_random(deviation, random);
    b_.value.setZero();
  }
  /// As torch.nn.Linear: weights and biases uniform within 1/√inputs.
  void start_uniform(const Random& random) {
    const double bound = 1.0 / std::sqrt(inputs());
    w_.set_uniform(bound, random);
    b_.set_uniform(bound, random, w_.value.size());
  }
  void forward(const Matrix<Real>& x, Matrix<Real>& y) const {
    multiply(x, w_.value, y);
    y.rowwise() += b_.value.row(0);
  }
  /// `x` as in forward. Fills the gradients of the weights.
  void backward(const Matrix<Real>& x, const Matrix<Real>& dy) {
    multiply_transposed(x, dy, w_.grad);
    b_.grad = dy.colwise().sum();
  }
  /// And dx.
  void backward(const Matrix<Real>& x, const Matrix<Real>& dy, Matrix<Real>& dx) {
    backward(x, dy);
    multiply_by_transposed(dy, w_.value, dx);
  }

 private:
  Weight<Real> w_, b_;
};

}  // namespace adamant::lab
