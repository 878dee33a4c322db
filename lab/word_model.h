// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A neural language model (Bengio et al. 2003): the words before a word are looked up in an embedding table and joined,
// and a hidden layer predicts the word: logits = tanh([E[w1] ... E[wk]] W + b) U + c.
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
class WordModel {
 public:
  /// `context` words before, `vocabulary` words known, embeddings of `width` numbers.
  WordModel(Eigen::Index context, Eigen::Index vocabulary, Eigen::Index width, Eigen::Index hidden)
      : context_(context),
        embedding_("embedding.weight", vocabulary, width),
        hidden_layer_("hidden", context * width, hidden),
        output_("output", hidden, vocabulary) {}

  /// The embedding is the first.
  [[nodiscard]] std::vector<Weight<Real>*> weights() {
    std::vector<Weight<Real>*> list = {&embedding_};
    hidden_layer_.add_weights(list);
    output_.add_weights(list);
    return list;
  }

  void start(std::uint64_t seed) {
    embedding_.set_random(1.0, Random(seed, kWeightStream));
    hidden_layer_.start(std::sqrt(1.0 / hidden_layer_.inputs()), Random(seed, kWeightStream + 1));
    output_.start(std::sqrt(1.0 / output_.inputs()), Random(seed, kWeightStream + 2));
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
    hidden_layer_.forward(joined_, hidden_);
    hidden_ = hidden_.array().tanh();
    output_.forward(hidden_, logits_);
    return logits_;
  }

  /// Mean cross-entropy of the next words, one for each `context` words.
  double loss(std::span<const int> words, std::span<const int> next) {
    return softmax_cross_entropy(logits(words), next);
  }

  /// As loss; fills every gradient but that of the embedding, which row_grads() holds.
  double loss_and_row_grads(std::span<const int> words, std::span<const int> next) {
    Matrix<Real>& dlogits = logits(words);
    const double loss = softmax_cross_entropy(dlogits, next);
    output_.backward(hidden_, dlogits, dhidden_);
    dhidden_.array() *= Real(1) - hidden_.array().square();
    hidden_layer_.backward(joined_, dhidden_, djoined_);
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
  Weight<Real> embedding_;
  Linear<Real> hidden_layer_, output_;
  Matrix<Real> joined_, djoined_, hidden_, dhidden_, logits_;
};

}  // namespace adamant::lab
