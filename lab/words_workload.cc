// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// words: a language model learns a text; most words are rare, so most rows of its embedding seldom have a gradient.
#include "lab/text_workload.h"
#include "lab/word_model.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr std::size_t kWordsBefore = 3;
constexpr Eigen::Index kEmbeddingWidth = 32;
constexpr Eigen::Index kHiddenWidth = 32;

class WordsWorkload final : public TextWorkload<WordModel<float>> {
 public:
  explicit WordsWorkload(const WorkloadOptions& options)
      : TextWorkload(options, {.words = kWordsBefore, .every_word = false, .most_scored = 8192, .at_once = 512},
                     [](Eigen::Index vocabulary) {
                       return WordModel<float>(kWordsBefore, vocabulary, kEmbeddingWidth, kHiddenWidth);
                     }) {}

 private:
  [[nodiscard]] std::string describe_model() const override {
    return std::to_string(kWordsBefore) + " words predict the next, embedding of " + std::to_string(kEmbeddingWidth) +
           ", hidden layer of " + std::to_string(kHiddenWidth);
  }
};

}  // namespace

std::unique_ptr<Workload> make_words(const WorkloadOptions& options) {
  return std::make_unique<WordsWorkload>(options);
}

}  // namespace adamant::lab
