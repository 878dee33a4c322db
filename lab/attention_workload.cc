// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// attention: a small transformer learns a text; its tensors differ in the size of their gradients as its words do.
#include "lab/attention_model.h"
#include "lab/text_workload.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr AttentionSize kAttentionSize;

class AttentionWorkload final : public TextWorkload<AttentionModel<float>> {
 public:
  explicit AttentionWorkload(const WorkloadOptions& options)
      : TextWorkload(options, {.words = kAttentionSize.context, .every_word = true, .most_scored = 512, .at_once = 32},
                     [](Eigen::Index vocabulary) {
                       AttentionSize size = kAttentionSize;
                       size.vocabulary = vocabulary;
                       return AttentionModel<float>(size);
                     }) {}

 private:
  [[nodiscard]] std::string describe_model() const override {
    return "transformer of " + std::to_string(kAttentionSize.layers) + " layers, width " +
           std::to_string(kAttentionSize.width) + ", " + std::to_string(kAttentionSize.heads) + " heads, context " +
           std::to_string(kAttentionSize.context);
  }
};

}  // namespace

std::unique_ptr<Workload> make_attention(const WorkloadOptions& options) {
  return std::make_unique<AttentionWorkload>(options);
}

}  // namespace adamant::lab
