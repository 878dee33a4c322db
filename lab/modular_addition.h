// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A network that learns a table of sums modulo p: two numbers are looked up in one embedding table, the two rows are
// added, and a hidden layer predicts the sum: logits = relu((E[a] + E[b]) W + b) U + c.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "lab/linear.h"
#include "lab/matrix.h"
#include "lab/softmax.h"

namespace adamant::lab {

/// Two summands, each below p. Their order makes no difference to the network.
struct Pair {
  int a, b;
};

template <class Real>
class ModularAddition {
 public:
  ModularAddition(Eigen::Index p, Eigen::Index width, Eigen::Index hidden)
      : embedding_("embedding.weight", p, width),
        w_("hidden.weight", width, hidden),
        b_("hidden.bias", 1, hidden),
        output_("output", hidden, p) {}

  [[nodiscard]] std::vector<Weight<Real>*> weights() {
    std::vector<Weight<Real>*> list = {&embedding_, &w_, &b_};
    output_.add_weights(list);
    return list;
  }

  void start(std::uint64_t seed) {
    embedding_.set_random(1.0, Random(seed, kWeightStream));
    w_.set_random(std::sqrt(1.0 / static_cast<double>(w_.value.rows())), Random(seed, kWeightStream + 1));
    b_.value.setZero();
    output_.start(std::sqrt(1.0 / output_.inputs()), Random(seed, kWeightStream + 2));
  }

  /// One row of logits for each pair. Valid until the next call.
  Matrix<Real>& logits(std::span<const Pair> pairs) {
    multiply(embedding_.value, w_.value, projected_);  // (E[a] + E[b]) W = (E W)[a] + (E W)[b]: p rows, not all pairs
    hidden_.resize(static_cast<Eigen::Index>(pairs.size()), w_.value.cols());
    for (Eigen::Index i = 0; i < hidden_.rows(); ++i) {
      const auto [a, b] = pairs[static_cast<std::size_t>(i)];
      hidden_.row(i) = (projected_.row(a) + projected_.row(b) + b_.value.row(0)).cwiseMax(Real(0));
    }
    output_.forward(hidden_, logits_);
    return logits_;
  }

  /// Mean cross-entropy of the sums; fills every gradient.
  double loss_and_grad(std::span<const Pair> pairs, std::span<const int> sums) {
    Matrix<Real>& dlogits = logits(pairs);
    const double loss = softmax_cross_entropy(dlogits, sums);
    output_.backward(hidden_, dlogits, dhidden_);
    before_rectifier(hidden_, dhidden_);
    dprojected_.setZero(projected_.rows(), projected_.cols());
    for (Eigen::Index i = 0; i < dhidden_.rows(); ++i) {
      const auto [a, b] = pairs[static_cast<std::size_t>(i)];
      dprojected_.row(a) += dhidden_.row(i);
      dprojected_.row(b) += dhidden_.row(i);
    }
    b_.grad = dprojected_.colwise().sum() / Real(2);  // each pair is in two rows
    multiply_transposed(embedding_.value, dprojected_, w_.grad);
    multiply_by_transposed(dprojected_, w_.value, embedding_.grad);
    return loss;
  }

 private:
  Weight<Real> embedding_, w_, b_;
  Linear<Real> output_;
  Matrix<Real> projected_, dprojected_, hidden_, dhidden_, logits_;
};

}  // namespace adamant::lab
