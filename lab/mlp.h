// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A classifier with one hidden layer: logits = relu(x W1 + b1) W2 + b2.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "lab/linear.h"
#include "lab/matrix.h"
#include "lab/softmax.h"

namespace adamant::lab {

template <class Real>
class Mlp {
 public:
  Mlp(Eigen::Index inputs, Eigen::Index hidden, Eigen::Index classes)
      : hidden_layer_("hidden", inputs, hidden), output_("output", hidden, classes) {}

  [[nodiscard]] std::vector<Weight<Real>*> weights() {
    std::vector<Weight<Real>*> list;
    hidden_layer_.add_weights(list);
    output_.add_weights(list);
    return list;
  }

  /// Weights with the deviation of He et al. 2015, biases zero.
  void start(std::uint64_t seed) {
    hidden_layer_.start(std::sqrt(2.0 / hidden_layer_.inputs()), Random(seed, kWeightStream));
    output_.start(std::sqrt(2.0 / output_.inputs()), Random(seed, kWeightStream + 1));
  }

  /// One row of logits for each row of x. Valid until the next call.
  Matrix<Real>& logits(const Matrix<Real>& x) {
    hidden_layer_.forward(x, hidden_);
    hidden_ = hidden_.cwiseMax(Real(0));
    output_.forward(hidden_, logits_);
    return logits_;
  }

  /// Mean cross-entropy over the rows of x; fills every gradient.
  double loss_and_grad(const Matrix<Real>& x, std::span<const int> labels) {
    Matrix<Real>& dlogits = logits(x);
    const double loss = softmax_cross_entropy(dlogits, labels);
    output_.backward(hidden_, dlogits, dhidden_);
    before_rectifier(hidden_, dhidden_);
    hidden_layer_.backward(x, dhidden_);
    return loss;
  }

 private:
  Linear<Real> hidden_layer_, output_;
  Matrix<Real> hidden_, dhidden_, logits_;
};

}  // namespace adamant::lab
