// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A small model that learns to tell the next word of an artificial language, with what can go wrong in its training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/buffers.h"

namespace adamant::testing {

/// Two words, as rows of an embedding, go through a layer of tanh to the logits of the word that follows.
/// Words of the language: the first ones are frequent, as in real ones; the next word follows from the first of the
/// two in six cases of ten, from the second in three.
class WordModel {
 public:
  static constexpr std::size_t kWords = 64, kWidth = 16, kHidden = 32, kBatch = 32;

  /// How the batch of a step is spoilt.
  struct Faults {
    std::size_t unused_words = 0;  ///< so many words never occur
    double input_scale = 1.0;      ///< the embedded words are multiplied by this
    bool random_labels = false;
  };

  explicit WordModel(std::uint64_t seed) : seed_(seed) {
    fill(embedding, 1.0, 1);
    fill(hidden, 1.0 / std::sqrt(2.0 * kWidth), 2);
    fill(output, 1.0 / std::sqrt(1.0 * kHidden), 3);
  }

  [[nodiscard]] std::vector<ParamGroup> groups() {
    std::vector<ParamGroup> groups(2);
    groups[0].params = {{"embedding", embedding, embedding_grad, {kWords, kWidth}},
                        {"hidden.weight", hidden, hidden_grad, {2 * kWidth, kHidden}},
                        {"output.weight", output, output_grad, {kHidden, kWords}}};
    groups[1].params = {{"hidden.bias", hidden_bias, hidden_bias_grad}, {"output.bias", output_bias, output_bias_grad}};
    groups[1].options = {.weight_decay = 0.0};
    return groups;
  }

  /// Mean loss over the batch of that step; fills the gradients.
  double loss_and_grad(std::uint64_t step, const Faults& faults) {
    for (auto* grad : {&embedding_grad, &hidden_grad, &hidden_bias_grad, &output_grad, &output_bias_grad}) {
      std::fill(grad->begin(), grad->end(), 0.0F);
    }
    double loss = 0.0;
    for (std::uint64_t i = 0; i < kBatch; ++i) loss += sample(step * kBatch + i, faults);
    return loss / kBatch;
  }

  std::vector<float> embedding = std::vector<float>(kWords * kWidth), embedding_grad = embedding;
  std::vector<float> hidden = std::vector<float>(2 * kWidth * kHidden), hidden_grad = hidden;
  std::vector<float> hidden_bias = std::vector<float>(kHidden), hidden_bias_grad = hidden_bias;
  std::vector<float> output = std::vector<float>(kHidden * kWords), output_grad = output;
  std::vector<float> output_bias = std::vector<float>(kWords), output_bias_grad = output_bias;

 private:
  void fill(std::vector<float>& values, double deviation, std::uint64_t stream) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(deviation * random_normal((seed_ * 16 + stream) * 1000003 + i));
    }
  }
  [[nodiscard]] double uniform(std::uint64_t counter) const {
    return static_cast<double>(random_bits(seed_ * 0x10000000001u + counter) >> 11) * 0x1p-53;
  }
  // Density falls as the index grows.
  [[nodiscard]] static std::size_t word(double uniform, std::size_t words) {
    return std::min(words - 1, static_cast<std::size_t>(uniform * uniform * static_cast<double>(words)));
  }

  double sample(std::uint64_t counter, const Faults& faults) {
    const std::size_t words = kWords - faults.unused_words;
    std::size_t context[2];
    for (std::uint64_t k = 0; k < 2; ++k) context[k] = word(uniform(4 * counter + k), words);
    const double decides = faults.random_labels ? 1.0 : uniform(4 * counter + 2);
    const std::size_t label = decides < 0.6   ? (3 * context[0] + 1) % words
                              : decides < 0.9 ? (5 * context[1] + 2) % words
                                              : word(uniform(4 * counter + 3), words);

    const auto scale = static_cast<float>(faults.input_scale);
    float x[2 * kWidth], h[kHidden], y[kWords], dx[2 * kWidth] = {}, dh[kHidden] = {};
    for (std::size_t k = 0; k < 2 * kWidth; ++k) x[k] = scale * embedding[context[k / kWidth] * kWidth + k % kWidth];
    for (std::size_t j = 0; j < kHidden; ++j) h[j] = hidden_bias[j];
    for (std::size_t k = 0; k < 2 * kWidth; ++k) {
      for (std::size_t j = 0; j < kHidden; ++j) h[j] += x[k] * hidden[k * kHidden + j];
    }
    for (std::size_t j = 0; j < kHidden; ++j) h[j] = std::tanh(h[j]);
    for (std::size_t c = 0; c < kWords; ++c) y[c] = output_bias[c];
    for (std::size_t j = 0; j < kHidden; ++j) {
      for (std::size_t c = 0; c < kWords; ++c) y[c] += h[j] * output[j * kWords + c];
    }
    float largest = y[0], sum = 0.0F;
    for (const float logit : y) largest = std::max(largest, logit);
    const float of_label = y[label] - largest;
    for (float& logit : y) sum += logit = std::exp(logit - largest);
    for (float& logit : y) logit /= sum * static_cast<float>(kBatch);
    y[label] -= 1.0F / static_cast<float>(kBatch);

    for (std::size_t c = 0; c < kWords; ++c) output_bias_grad[c] += y[c];
    for (std::size_t j = 0; j < kHidden; ++j) {
      for (std::size_t c = 0; c < kWords; ++c) {
        output_grad[j * kWords + c] += h[j] * y[c];
        dh[j] += output[j * kWords + c] * y[c];
      }
      dh[j] *= 1.0F - h[j] * h[j];
      hidden_bias_grad[j] += dh[j];
    }
    for (std::size_t k = 0; k < 2 * kWidth; ++k) {
      for (std::size_t j = 0; j < kHidden; ++j) {
        hidden_grad[k * kHidden + j] += x[k] * dh[j];
        dx[k] += hidden[k * kHidden + j] * dh[j];
      }
      embedding_grad[context[k / kWidth] * kWidth + k % kWidth] += scale * dx[k];
    }
    return static_cast<double>(std::log(sum) - of_label);
  }

  std::uint64_t seed_;
};

}  // namespace adamant::testing
