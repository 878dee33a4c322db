// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/claims/addition.h"

#include <algorithm>

#include "lab/modular_addition.h"

namespace adamant::lab {
namespace {

constexpr int kModulus = 43;
constexpr Eigen::Index kAdditionWidth = 48;
constexpr Eigen::Index kAdditionHidden = 128;

struct Questions {
  std::vector<Pair> pairs;
  std::vector<int> sums;

  void add(Pair pair) {
    pairs.push_back(pair);
    sums.push_back((pair.a + pair.b) % kModulus);
  }
};

class Addition final : public Workload {
 public:
  explicit Addition(HeldOut part) : part_(part), model_(kModulus, kAdditionWidth, kAdditionHidden) {
    for (int a = 0; a < kModulus; ++a) {
      for (int b = a; b < kModulus; ++b) all_.push_back({a, b});  // the network cannot tell a + b from b + a
    }
  }

  std::string describe() const override {
    return std::to_string(learned_.sums.size()) + " sums modulo " + std::to_string(kModulus) + " to learn from, " +
           std::to_string(held_out_.sums.size()) + " held out";
  }
  std::vector<Weight<float>*> weights() override { return model_.weights(); }
  void start(std::uint64_t seed) override {
    model_.start(seed);
    std::vector<std::size_t> order(all_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const Random random(seed, kBatchStream);
    std::ranges::sort(order, {}, [&](std::size_t i) { return random.bits(i); });
    // Of eight: six are learned, one is for validation, one for the test.
    const std::size_t learned = all_.size() * 6 / 8, validation = all_.size() / 8;
    learned_ = {}, held_out_ = {};
    for (std::size_t i = 0; i < order.size(); ++i) {
      const HeldOut held = i < learned + validation ? HeldOut::validation : HeldOut::test;
      if (i < learned) {
        learned_.add(all_[order[i]]);
      } else if (held == part_) {
        held_out_.add(all_[order[i]]);
      }
    }
  }
  double loss_and_grad(std::uint64_t) override { return model_.loss_and_grad(learned_.pairs, learned_.sums); }
  Score evaluate() override {
    Matrix<float>& logits = model_.logits(held_out_.pairs);
    const auto correct = static_cast<double>(count_correct(logits, held_out_.sums));
    return {softmax_cross_entropy(logits, held_out_.sums), correct / static_cast<double>(held_out_.sums.size())};
  }

 private:
  HeldOut part_;
  ModularAddition<float> model_;
  std::vector<Pair> all_;
  Questions learned_, held_out_;
};

}  // namespace

std::unique_ptr<Workload> make_addition(HeldOut part) { return std::make_unique<Addition>(part); }

}  // namespace adamant::lab
