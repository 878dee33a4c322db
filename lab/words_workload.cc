// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// words: a language model learns a text; most words are rare, so most rows of its embedding seldom have a gradient.
#include <algorithm>
#include <cmath>

#include "lab/text.h"
#include "lab/word_model.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr std::size_t kWordsBefore = 3;
constexpr Eigen::Index kEmbeddingWidth = 32;
constexpr Eigen::Index kHiddenWidth = 32;
constexpr std::size_t kMostScored = 8192;   // words, evenly spread over the held-out part
constexpr std::size_t kScoredAtOnce = 512;  // bounds the memory of the logits

class WordsWorkload final : public Workload {
 public:
  explicit WordsWorkload(const WorkloadOptions& options)
      : corpus_(read_corpus(options.text, kVocabulary)),
        model_(kWordsBefore, static_cast<Eigen::Index>(corpus_.vocabulary.size()), kEmbeddingWidth, kHiddenWidth),
        batch_size_(options.batch_size),
        sparse_rows_(options.sparse_rows) {
    const bool validation = options.held_out == HeldOut::validation;
    train_end_ = validation ? corpus_.validation : corpus_.test;
    held_out_end_ = validation ? corpus_.test : corpus_.words.size();
  }

  std::string describe() const override {
    return std::to_string(train_end_) + " words of text to learn from, " + std::to_string(held_out_end_ - train_end_) +
           " held out, " + std::to_string(corpus_.vocabulary.size()) + " known; " + std::to_string(kWordsBefore) +
           " words predict the next, embedding of " + std::to_string(kEmbeddingWidth) + ", hidden layer of " +
           std::to_string(kHiddenWidth) + (sparse_rows_ ? "; sparse rows" : "");
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
      take(kWordsBefore + random.below(step * batch_size_ + i, train_end_ - kWordsBefore));
    }
    return sparse_rows_ ? model_.loss_and_row_grads(context_, next_) : model_.loss_and_grad(context_, next_);
  }
  void set_grads(Optimizer& optimizer) override {
    if (!sparse_rows_) return;
    rows_.assign(context_.begin(), context_.end());
    optimizer.set_lazy_row_grad(0, rows_, model_.row_grads());
  }
  Score evaluate() override {
    const std::size_t first = train_end_ + kWordsBefore, count = held_out_end_ - first;
    const std::size_t scored = std::min(count, kMostScored);
    double loss = 0.0;
    for (std::size_t begin = 0; begin < scored; begin += kScoredAtOnce) {
      clear();
      for (std::size_t i = begin; i < std::min(begin + kScoredAtOnce, scored); ++i) take(first + i * count / scored);
      loss += softmax_cross_entropy(model_.logits(context_), next_) * static_cast<double>(next_.size());
    }
    loss /= static_cast<double>(scored);
    return {loss, std::exp(loss)};
  }

 private:
  void clear() {
    context_.clear();
    next_.clear();
  }
  // Adds the word at that position and the words before it to the batch.
  void take(std::size_t position) {
    for (std::size_t i = position - kWordsBefore; i < position; ++i) context_.push_back(corpus_.words[i]);
    next_.push_back(corpus_.words[position]);
  }

  Corpus corpus_;
  WordModel<float> model_;
  std::size_t batch_size_;
  bool sparse_rows_;
  std::size_t train_end_, held_out_end_;
  std::vector<int> context_, next_;
  std::vector<std::int64_t> rows_;
  std::uint64_t seed_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_words(const WorkloadOptions& options) {
  return std::make_unique<WordsWorkload>(options);
}

}  // namespace adamant::lab
