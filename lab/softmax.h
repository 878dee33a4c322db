// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Softmax with cross-entropy, the loss of the classifiers here.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "lab/matrix.h"

namespace adamant::lab {

/// Sum over the rows of -log softmax(logits)[label]. Replaces the logits by the gradient of `weight` times that sum.
template <class Real>
double sum_softmax_cross_entropy(Matrix<Real>& logits, std::span<const int> labels, Real weight) {
  double loss = 0.0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    auto row = logits.row(i);
    const int label = labels[static_cast<std::size_t>(i)];
    const Real largest = row.maxCoeff();
    const Real of_label = row[label] - largest;
    row = (row.array() - largest).exp();
    const Real sum = row.sum();
    loss += static_cast<double>(std::log(sum) - of_label);
    row *= weight / sum;
    row[label] -= weight;
  }
  return loss;
}

/// Mean over the rows of -log softmax(logits)[label]. Replaces the logits by the gradient of that mean.
template <class Real>
double softmax_cross_entropy(Matrix<Real>& logits, std::span<const int> labels) {
  const double loss = sum_softmax_cross_entropy(logits, labels, Real(1) / static_cast<Real>(logits.rows()));
  return loss / static_cast<double>(logits.rows());
}

/// How many rows are largest at their label.
template <class Real>
std::size_t count_correct(const Matrix<Real>& logits, std::span<const int> labels) {
  std::size_t correct = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    Eigen::Index largest = 0;
    logits.row(i).maxCoeff(&largest);
    correct += largest == labels[static_cast<std::size_t>(i)];
  }
  return correct;
}

}  // namespace adamant::lab
