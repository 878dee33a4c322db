// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A neural language model (Bengio et al. 2003): the words before a word are looked up in an embedding table and joined,
// and a hidden layer predicts the word: logits = tanh([E[w1] ... E[wk]] W + b) U + c.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "lab/matrix.h"
#include "lab/softmax.h"

namespace adamant::lab {

template <class Real>
class WordModel {
 public:
  /// `context` words before, `vocabulary` words known, embeddings of `width` numbers.
  WordModel(Eigen::Index context, Eigen::Index vocabulary, Eigen::Index width, Eigen::Index hidden)
      : context_(context),
        embedding_("embedding.weight", vocabulary, width),
        w_("hidden.weight", context * width, hidden),
        b_("hidden.bias", 1, hidden),
        u_("output.weight", hidden, vocabulary),
        c_("output.bias", 1, vocabulary) {}

  /// The embedding is the first.
  [[nodiscard]] std::vector<Weight<Real>*> weights() { return {&embedding_, &w_, &b_, &u_, &c_}; }

  void start(std::uint64_t seed) {
    embedding_.set_random(1.0, Random(seed, kWeightStream));
    w_.set_random(std::sqrt(1.0 / static_cast<double>(w_.value.rows())), Random(seed, kWeightStream + 1));
    b_.value.setZero();
    u_.set_random(std::sqrt(1.0 / static_cast<double>(u_.value.rows())), Random(seed, kWeightStream + 2));
    c_.value.setZero();
  }

  /// Logits of the next word, one row for each `context` words. Valid until the next call.
  Matrix<Real>& logits(std::span<const int> words) {
    const auto rows = static_cast<Eigen::Index>(words.size()) / context_;
    const Eigen::Index width = embedding_.value.cols();
    joined_.resize(rows, context_ * width);
    for (Eigen::Index i = 0; i < rows * context_; ++i) {
      joined_.row(i / context_).segment(i % context_ * width, width) =
          embedding_.value.row(words[static_cast<std::size_t>(i)]);
    }
    multiply(joined_, w_.value, hidden_);
    hidden_.rowwise() += b_.value.row(0);
    hidden_ = hidden_.array().tanh();
    multiply(hidden_, u_.value, logits_);
    logits_.rowwise() += c_.value.row(0);
    return logits_;
  }

  /// Mean cross-entropy of the next words; fills every gradient but that of the embedding, which row_grads() holds.
  double loss_and_row_grads(std::span<const int> words, std::span<const int> next) {
    Matrix<Real>& dlogits = logits(words);
    const double loss = softmax_cross_entropy(dlogits, next);
    multiply_transposed(hidden_, dlogits, u_.grad);
    c_.grad = dlogits.colwise().sum();
    multiply_by_transposed(dlogits, u_.value, dhidden_);
    dhidden_.array() *= Real(1) - hidden_.array().square();
    multiply_transposed(joined_, dhidden_, w_.grad);
    b_.grad = dhidden_.colwise().sum();
    multiply_by_transposed(dhidden_, w_.value, djoined_);
    return loss;
  }

  /// Gradient of the embedding's rows `words`, in that order, row after row; a word that repeats has several.
  [[nodiscard]] const Matrix<Real>& row_grads() const { return djoined_; }

  /// As loss_and_row_grads, and fills the embedding's gradient: zero but in the rows of `words`.
  double loss_and_grad(std::span<const int> words, std::span<const int> next) {
    const double loss = loss_and_row_grads(words, next);
    const Eigen::Index width = embedding_.value.cols();
    embedding_.grad.setZero();
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      embedding_.grad.row(words[i]) += djoined_.row(row / context_).segment(row % context_ * width, width);
    }
    return loss;
  }

 private:
  Eigen::Index context_;
  Weight<Real> embedding_, w_, b_, u_, c_;
  Matrix<Real> joined_, djoined_, hidden_, dhidden_, logits_;
};

}  // namespace adamant::lab
