// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The gradients of the models against finite differences, in f64.
#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "lab/attention_model.h"
#include "lab/landscapes.h"
#include "lab/mlp.h"
#include "lab/modular_addition.h"
#include "lab/word_model.h"

namespace adamant::lab {
namespace {

/// Compares every gradient with (f(x + h) - f(x - h)) / 2h, whose error is about h² = 1e-10 of the third derivative:
/// each number, and each tensor in proportion to its norm.
void compare(const std::vector<Weight<double>*>& weights, const std::function<double()>& loss_and_grad) {
  loss_and_grad();
  std::vector<Matrix<double>> grads;
  for (const Weight<double>* weight : weights) grads.push_back(weight->grad);
  constexpr double kStep = 1e-5;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    double error = 0.0;
    for (Eigen::Index i = 0; i < grads[w].size(); ++i) {
      double& x = weights[w]->value.data()[i];
      const double at = x;
      x = at + kStep;
      const double above = loss_and_grad();
      x = at - kStep;
      const double below = loss_and_grad();
      x = at;
      const double expected = (above - below) / (2 * kStep);
      EXPECT_NEAR(grads[w].data()[i], expected, 1e-8) << weights[w]->name << " " << i;
      error += (grads[w].data()[i] - expected) * (grads[w].data()[i] - expected);
    }
    EXPECT_LT(std::sqrt(error), 1e-6 * grads[w].norm()) << weights[w]->name;
  }
}

TEST(Models, PerceptronsGradient) {
  Mlp<double> model(5, 7, 3);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    model.start(seed);
    // Away from the kinks of the rectifier, which the biases at zero are not.
    for (Weight<double>* weight : model.weights()) weight->value.array() += 0.01;
    Weight<double> x("x", 4, 5);
    x.set_random(1.0, Random(seed, 9));
    const std::vector<int> labels = {0, 2, 1, 2};
    compare(model.weights(), [&] { return model.loss_and_grad(x.value, labels); });
  }
}

TEST(Models, WordModelsGradient) {
  WordModel<double> model(2, 6, 3, 4);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    model.start(seed);
    const std::vector<int> context = {0, 1, 1, 1, 5, 0}, next = {3, 4, 0};
    compare(model.weights(), [&] { return model.loss_and_grad(context, next); });
  }
}

constexpr AttentionSize kSmallAttention = {.vocabulary = 7, .context = 5, .width = 4, .layers = 2, .heads = 2};
const std::vector<int> kSequences = {0, 1, 1, 6, 5, 2, 3, 1, 0, 4}, kNextWords = {1, 1, 6, 5, 3, 3, 1, 0, 4, 4};

// Weights large enough that every part of the model matters; at the start it hardly attends.
void set_large(AttentionModel<double>& model, std::uint64_t seed) {
  std::uint64_t stream = 0;
  for (Weight<double>* weight : model.weights()) weight->set_random(0.7, Random(seed, stream++));
}

TEST(Models, AttentionModelsGradient) {
  AttentionModel<double> model(kSmallAttention);
  for (const std::uint64_t seed : {1u, 2u}) {
    set_large(model, seed);
    compare(model.weights(), [&] { return model.loss_and_grad(kSequences, kNextWords); });
  }
}

TEST(Models, AttentionSeesNoWordThatComesLater) {
  AttentionModel<double> model(kSmallAttention);
  set_large(model, 1);
  const std::vector<int> words(kSequences.begin(), kSequences.begin() + 5), next(5, 0);
  // Which positions a change of one word reaches.
  const auto changes = [&](std::size_t changed) {
    std::vector<int> other = words;
    other[changed] = (other[changed] + 1) % 7;
    model.loss(words, next);
    const Matrix<double> left = model.last_hidden();
    model.loss(other, next);
    std::vector<bool> differs;
    for (Eigen::Index i = 0; i < left.rows(); ++i) differs.push_back(left.row(i) != model.last_hidden().row(i));
    return differs;
  };
  EXPECT_EQ(changes(4), (std::vector<bool>{false, false, false, false, true}));
  EXPECT_EQ(changes(2), (std::vector<bool>{false, false, true, true, true}));
}

TEST(Models, RowGradientsOfAttentionAreTheDenseOnes) {
  AttentionModel<double> model(kSmallAttention);
  set_large(model, 1);
  const double loss = model.loss_and_grad(kSequences, kNextWords);
  const Matrix<double> dense = model.weights().front()->grad;
  EXPECT_EQ(model.loss_and_row_grads(kSequences, kNextWords), loss);
  EXPECT_EQ(model.loss(kSequences, kNextWords), loss);
  Matrix<double> sum = Matrix<double>::Zero(7, 4);
  for (std::size_t i = 0; i < kSequences.size(); ++i) {
    sum.row(kSequences[i]) += model.row_grads().row(static_cast<Eigen::Index>(i));
  }
  EXPECT_EQ(sum, dense);
}

TEST(Models, ModularAdditionsGradient) {
  ModularAddition<double> model(5, 3, 7);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    model.start(seed);
    for (Weight<double>* weight : model.weights()) weight->value.array() += 0.01;
    const std::vector<Pair> pairs = {{0, 1}, {4, 4}, {1, 3}, {0, 2}, {0, 1}};
    const std::vector<int> sums = {1, 3, 4, 2, 1};
    compare(model.weights(), [&] { return model.loss_and_grad(pairs, sums); });
  }
}

TEST(Models, ModularAdditionAddsRowsOfTheEmbedding) {
  ModularAddition<double> model(5, 3, 7);
  model.start(1);
  const auto& [e, w, b, u, c] =
      std::tuple(model.weights()[0]->value, model.weights()[1]->value, model.weights()[2]->value,
                 model.weights()[3]->value, model.weights()[4]->value);
  const std::vector<Pair> pairs = {{0, 3}, {2, 2}};
  const Matrix<double> logits = model.logits(pairs);
  for (Eigen::Index i = 0; i < 2; ++i) {
    const auto [x, y] = pairs[static_cast<std::size_t>(i)];
    const Matrix<double> hidden = ((e.row(x) + e.row(y)) * w + b).cwiseMax(0.0);
    EXPECT_LT((hidden * u + c - logits.row(i)).cwiseAbs().maxCoeff(), 1e-14);
  }
}

TEST(Models, RowGradientsAreTheDenseOnes) {
  WordModel<double> model(2, 6, 3, 4);
  model.start(1);
  const std::vector<int> context = {0, 1, 1, 1, 5, 0}, next = {3, 4, 0};
  const double loss = model.loss_and_grad(context, next);
  const Matrix<double> dense = model.weights().front()->grad;
  EXPECT_EQ(model.loss_and_row_grads(context, next), loss);
  Matrix<double> sum = Matrix<double>::Zero(6, 3);
  const double* row = model.row_grads().data();
  for (const int word : context) {
    for (Eigen::Index k = 0; k < 3; ++k) sum(word, k) += *row++;
  }
  EXPECT_EQ(sum, dense);
  EXPECT_EQ(dense.row(2).norm(), 0.0) << "a word that does not occur has no gradient";
  EXPECT_GT(dense.row(1).norm(), 0.0);
}

TEST(Models, LandscapesGradient) {
  for (const auto function : {ravine, rosenbrock}) {
    Weight<double> x("x", 1, 10);
    x.set_random(1.0, Random(4, 5));
    std::vector<double> grad(10), unused(10);
    const std::span<double> at(x.value.data(), 10);
    function(at, grad);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double kept = at[i], step = 1e-6;
      at[i] = kept + step;
      const double above = function(at, unused);
      at[i] = kept - step;
      const double below = function(at, unused);
      at[i] = kept;
      EXPECT_NEAR(grad[i], (above - below) / (2 * step), 1e-5 * (1.0 + std::abs(grad[i])));
    }
    std::ranges::fill(at, 1.0);
    EXPECT_EQ(function(at, grad), 0.0) << "the minimum is at all ones";
    for (const double g : grad) EXPECT_EQ(g, 0.0);
  }
}

TEST(Models, CrossEntropyOfKnownNumbers) {
  Matrix<double> logits(2, 3);
  logits << 0.0, 0.0, 0.0, 1000.0, 0.0, -1000.0;
  const std::vector<int> labels = {1, 0};
  EXPECT_EQ(count_correct(logits, labels), 1u);
  EXPECT_NEAR(softmax_cross_entropy(logits, labels), std::log(3.0) / 2, 1e-15);
  EXPECT_NEAR(logits(0, 1), (1.0 / 3 - 1) / 2, 1e-15);
  EXPECT_NEAR(logits(1, 2), 0.0, 1e-300);
}

}  // namespace
}  // namespace adamant::lab
