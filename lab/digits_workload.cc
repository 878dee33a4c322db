// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// digits: a multilayer perceptron reads handwritten digits.
#include <numeric>
#include <stdexcept>

#include "lab/digits.h"
#include "lab/mlp.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

constexpr Eigen::Index kHidden = 128;

// Some rows of the data.
struct Part {
  Matrix<float> images;
  std::vector<int> labels;

  Part(const Digits& digits, const std::vector<std::size_t>& rows) { take(digits.images, digits.labels, rows); }
  Part() = default;

  void take(const Matrix<float>& from, const std::vector<int>& from_labels, const std::vector<std::size_t>& rows) {
    images.resize(static_cast<Eigen::Index>(rows.size()), from.cols());
    labels.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      images.row(static_cast<Eigen::Index>(i)) = from.row(static_cast<Eigen::Index>(rows[i]));
      labels[i] = from_labels[rows[i]];
    }
  }
};

class DigitsWorkload final : public Workload {
 public:
  explicit DigitsWorkload(const WorkloadOptions& options) : model_(64, kHidden, 10), batch_rows_(options.batch_size) {
    const Digits digits = load_digits();
    // Every fifth image is for the test, the one before it for validation.
    std::vector<std::size_t> train, held_out;
    for (std::size_t i = 0; i < digits.labels.size(); ++i) {
      const bool test = i % 5 == 4, validation = i % 5 == 3;
      const bool held = options.held_out == HeldOut::test ? test : validation;
      if (held) held_out.push_back(i);
      if (!test && !held) train.push_back(i);
    }
    train_ = Part(digits, train);
    held_out_ = Part(digits, held_out);
  }

  std::string describe() const override {
    return std::to_string(train_.labels.size()) + " handwritten digits to learn from, " +
           std::to_string(held_out_.labels.size()) + " held out; perceptron 64-" + std::to_string(kHidden) + "-10";
  }
  std::vector<Weight<float>*> weights() override { return model_.weights(); }
  void start(std::uint64_t seed) override {
    seed_ = seed;
    model_.start(seed);
  }
  double loss_and_grad(std::uint64_t step) override {
    const Random random(seed_, kBatchStream);
    for (std::size_t i = 0; i < batch_rows_.size(); ++i) {
      batch_rows_[i] = random.below(step * batch_rows_.size() + i, train_.labels.size());
    }
    batch_.take(train_.images, train_.labels, batch_rows_);
    return model_.loss_and_grad(batch_.images, batch_.labels);
  }
  Score evaluate() override {
    Matrix<float>& logits = model_.logits(held_out_.images);
    const auto correct = static_cast<double>(count_correct(logits, held_out_.labels));
    return {softmax_cross_entropy(logits, held_out_.labels), correct / static_cast<double>(held_out_.labels.size())};
  }

 private:
  Mlp<float> model_;
  Part train_, held_out_, batch_;
  std::vector<std::size_t> batch_rows_;
  std::uint64_t seed_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_digits(const WorkloadOptions& options) {
  return std::make_unique<DigitsWorkload>(options);
}

}  // namespace adamant::lab
