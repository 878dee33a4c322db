// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A workload that learns a text. An example is some words that follow each other, and what is to be predicted of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "lab/matrix.h"
#include "lab/random.h"
#include "lab/text.h"
#include "lab/workload.h"

namespace adamant::lab {

struct TextExamples {
  std::size_t words;        ///< of an example, before the one behind it
  bool every_word;          ///< after each of them the next is predicted, not only after the last
  std::size_t most_scored;  ///< examples, evenly spread over the held-out part
  std::size_t at_once;      ///< bounds the memory of a score
};

/// `Model` has weights(), start(seed), loss(words, next), loss_and_grad, loss_and_row_grads and row_grads, as
/// WordModel.
template <class Model>
class TextWorkload : public Workload {
 public:
  std::string describe() const override {
    char checksum[9];
    std::snprintf(checksum, sizeof(checksum), "%08x", static_cast<unsigned>(corpus_.checksum));
    return std::to_string(train_end_) + " words of text (CRC-32 " + checksum + ") to learn from, " +
           std::to_string(held_out_end_ - train_end_) + " held out, " + std::to_string(corpus_.vocabulary.size()) +
           " known; " + describe_model() + (sparse_rows_ ? "; sparse rows" : "");
  }
  std::vector<Weight<float>*> weights() override { return model_.weights(); }
  void start(std::uint64_t seed) override {
    seed_ = seed;
    model_.start(seed);
  }
  double loss_and_grad(std::uint64_t step) override {
    const Random random(seed_, kBatchStream);
    clear();
    for (std::size_t i = 0; i < batch_size_; ++i) {
      take(random.below(step * batch_size_ + i, train_end_ - examples_.words));
    }
    return sparse_rows_ ? model_.loss_and_row_grads(words_, next_) : model_.loss_and_grad(words_, next_);
  }
  void set_grads(Optimizer& optimizer) override {
    if (!sparse_rows_) return;
    rows_.assign(words_.begin(), words_.end());
    optimizer.set_lazy_row_grad(0, rows_, model_.row_grads());
  }
  Score evaluate() override {
    const std::size_t count = held_out_end_ - train_end_ - examples_.words;
    const std::size_t scored = std::min(count, examples_.most_scored);
    double loss = 0.0;
    for (std::size_t begin = 0; begin < scored; begin += examples_.at_once) {
      clear();
      const std::size_t end = std::min(begin + examples_.at_once, scored);
      for (std::size_t i = begin; i < end; ++i) take(train_end_ + i * count / scored);
      loss += model_.loss(words_, next_) * static_cast<double>(end - begin);
    }
    loss /= static_cast<double>(scored);
    return {loss, std::exp(loss)};
  }

 protected:
  /// `make_model(size of the vocabulary)`.
  template <class MakeModel>
  TextWorkload(const WorkloadOptions& options, const TextExamples& examples, const MakeModel& make_model)
      : corpus_(read_corpus(options.text, kVocabulary)),
        examples_(examples),
        model_(make_model(static_cast<Eigen::Index>(corpus_.vocabulary.size()))),
        batch_size_(options.batch_size),
        sparse_rows_(options.sparse_rows) {
    const bool validation = options.held_out == HeldOut::validation;
    train_end_ = validation ? corpus_.validation : corpus_.test;
    held_out_end_ = validation ? corpus_.test : corpus_.words.size();
  }
  [[nodiscard]] virtual std::string describe_model() const = 0;

 private:
  void clear() {
    words_.clear();
    next_.clear();
  }
  // Adds the example that begins there to the batch.
  void take(std::size_t begin) {
    const std::size_t end = begin + examples_.words;
    for (std::size_t i = begin; i < end; ++i) {
      words_.push_back(corpus_.words[i]);
      if (examples_.every_word || i + 1 == end) next_.push_back(corpus_.words[i + 1]);
    }
  }

  Corpus corpus_;
  TextExamples examples_;
  Model model_;
  std::size_t batch_size_;
  bool sparse_rows_;
  std::size_t train_end_, held_out_end_;
  std::vector<int> words_, next_;
  std::vector<std::int64_t> rows_;
  std::uint64_t seed_ = 0;
};

}  // namespace adamant::lab
