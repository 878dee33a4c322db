// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A classifier with one hidden layer: logits = relu(x W1 + b1) W2 + b2.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "lab/matrix.h"
#include "lab/softmax.h"

namespace adamant::lab {

template <class Real>
class Mlp {
 public:
  Mlp(Eigen::Index inputs, Eigen::Index hidden, Eigen::Index classes)
      : w1_("hidden.weight", inputs, hidden),
        b1_("hidden.bias", 1, hidden),
        w2_("output.weight", hidden, classes),
        b2_("output.bias", 1, classes) {}

  [[nodiscard]] std::vector<Weight<Real>*> weights() { return {&w1_, &b1_, &w2_, &b2_}; }

  /// Weights with the deviation of He et al. 2015, biases zero.
  void start(std::uint64_t seed) {
    w1_.set_random(std::sqrt(2.0 / static_cast<double>(w1_.value.rows())), Random(seed, kWeightStream));
    b1_.value.setZero();
    w2_.set_random(std::sqrt(2.0 / static_cast<double>(w2_.value.rows())), Random(seed, kWeightStream + 1));
    b2_.value.setZero();
  }

  /// One row of logits for each row of x. Valid until the next call.
  Matrix<Real>& logits(const Matrix<Real>& x) {
    multiply(x, w1_.value, hidden_);
    hidden_.rowwise() += b1_.value.row(0);
    hidden_ = hidden_.cwiseMax(Real(0));
    multiply(hidden_, w2_.value, logits_);
    logits_.rowwise() += b2_.value.row(0);
    return logits_;
  }

  /// Mean cross-entropy over the rows of x; fills every gradient.
  double loss_and_grad(const Matrix<Real>& x, std::span<const int> labels) {
    Matrix<Real>& dlogits = logits(x);
    const double loss = softmax_cross_entropy(dlogits, labels);
    multiply_transposed(hidden_, dlogits, w2_.grad);
    b2_.grad = dlogits.colwise().sum();
    multiply_by_transposed(dlogits, w2_.value, dhidden_);
    dhidden_ = (hidden_.array() > Real(0)).select(dhidden_, Real(0));
    multiply_transposed(x, dhidden_, w1_.grad);
    b1_.grad = dhidden_.colwise().sum();
    return loss;
  }

 private:
  Weight<Real> w1_, b1_, w2_, b2_;
  Matrix<Real> hidden_, dhidden_, logits_;
};

}  // namespace adamant::lab
