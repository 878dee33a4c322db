// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// attention: a small transformer learns a text; its tensors differ in the size of their gradients as its words do.
#include <algorithm>
#include <cmath>

#include "lab/attention_model.h"
#include "lab/text.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr std::size_t kMostSequences = 512;   // sequences, evenly spread over the held-out part
constexpr std::size_t kSequencesAtOnce = 32;  // bounds the memory of the activations

class AttentionWorkload final : public Workload {
 public:
  explicit AttentionWorkload(const WorkloadOptions& options)
      : corpus_(read_corpus(options.text, kVocabulary)),
        size_({.vocabulary = static_cast<Eigen::Index>(corpus_.vocabulary.size())}),
        model_(size_),
        context_(static_cast<std::size_t>(size_.context)),
        batch_size_(options.batch_size),
        sparse_rows_(options.sparse_rows) {
    const bool validation = options.held_out == HeldOut::validation;
    train_end_ = validation ? corpus_.validation : corpus_.test;
    held_out_end_ = validation ? corpus_.test : corpus_.words.size();
  }

  std::string describe() const override {
    return std::to_string(train_end_) + " words of text to learn from, " + std::to_string(held_out_end_ - train_end_) +
           " held out, " + std::to_string(corpus_.vocabulary.size()) + " known; transformer of " +
           std::to_string(size_.layers) + " layers, width " + std::to_string(size_.width) + ", " +
           std::to_string(size_.heads) + " heads, context " + std::to_string(size_.context) +
           (sparse_rows_ ? "; sparse rows" : "");
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
      take(random.below(step * batch_size_ + i, train_end_ - context_));
    }
    return sparse_rows_ ? model_.loss_and_row_grads(words_, next_) : model_.loss_and_grad(words_, next_);
  }
  void set_grads(Optimizer& optimizer) override {
    if (!sparse_rows_) return;
    rows_.assign(words_.begin(), words_.end());
    optimizer.set_lazy_row_grad(0, rows_, model_.row_grads());
  }
  Score evaluate() override {
    const std::size_t count = held_out_end_ - train_end_ - context_;
    const std::size_t scored = std::min(count, kMostSequences);
    double loss = 0.0;
    for (std::size_t begin = 0; begin < scored; begin += kSequencesAtOnce) {
      clear();
      const std::size_t end = std::min(begin + kSequencesAtOnce, scored);
      for (std::size_t i = begin; i < end; ++i) take(train_end_ + i * count / scored);
      loss += model_.loss(words_, next_) * static_cast<double>(end - begin);
    }
    loss /= static_cast<double>(scored);
    return {loss, std::exp(loss)};
  }

 private:
  void clear() {
    words_.clear();
    next_.clear();
  }
  // Adds the sequence that begins there to the batch.
  void take(std::size_t begin) {
    for (std::size_t i = begin; i < begin + context_; ++i) {
      words_.push_back(corpus_.words[i]);
      next_.push_back(corpus_.words[i + 1]);
    }
  }

  Corpus corpus_;
  AttentionSize size_;
  AttentionModel<float> model_;
  std::size_t context_, batch_size_;
  bool sparse_rows_;
  std::size_t train_end_, held_out_end_;
  std::vector<int> words_, next_;
  std::vector<std::int64_t> rows_;
  std::uint64_t seed_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_attention(const WorkloadOptions& options) {
  return std::make_unique<AttentionWorkload>(options);
}

}  // namespace adamant::lab
