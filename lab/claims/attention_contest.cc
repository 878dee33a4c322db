// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/claims/attention_contest.h"

#include <adamant/optimizer.hpp>
#include <adamant/schedule.hpp>
#include <algorithm>
#include <cmath>

#include "lab/claims/remembered.h"
#include "lab/claims/rig.h"
#include "lab/claims/workload_pool.h"
#include "lab/matrix.h"

namespace adamant::lab {
namespace {

constexpr std::uint64_t kMostSeeds = 3;    // of the final runs: each takes seconds
constexpr std::uint64_t kChoosing = 1001;  // the seed of the runs that choose learning rates
constexpr double kAttentionBeta2 = 0.99, kAttentionEpsilon = 1e-8;

double mean_square(const Matrix<float>& grad) {
  return static_cast<double>(grad.squaredNorm()) / static_cast<double>(grad.size());
}

// Takes the gradients of a step and makes the step. Where a rule is not the engine's, the engine's rule gets other
// gradients or, for each tensor, another learning rate.
class Stepper {
 public:
  Stepper(Way way, const std::vector<Weight<float>*>& weights) : way_(way), weights_(weights), optimizer_(make()) {
    if (way_ == Way::sign) {
      for (const Weight<float>* weight : weights_)
        averages_.emplace_back(Matrix<float>::Zero(weight->grad.rows(), weight->grad.cols()));
    }
    squares_.resize(weights_.size());
  }

  void step(double lr) {
    ++steps_;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      Matrix<float>& grad = weights_[i]->grad;
      double tensor_lr = lr;
      if (way_ == Way::normalised) {
        grad /= static_cast<float>(std::sqrt(mean_square(grad)) + kAttentionEpsilon);
      } else if (way_ == Way::sign) {
        averages_[i] = static_cast<float>(kBeta1) * averages_[i] + static_cast<float>(1.0 - kBeta1) * grad;
        grad = averages_[i];
      } else if (way_ == Way::tensor_v) {
        squares_[i] += (1.0 - kAttentionBeta2) * (mean_square(grad) - squares_[i]);
        const double corrected = squares_[i] / (1.0 - std::pow(kAttentionBeta2, steps_));
        tensor_lr = lr / (std::sqrt(corrected) + kAttentionEpsilon);
      }
      optimizer_.set_options(i, {.lr = tensor_lr});
    }
    optimizer_.step();
  }

  [[nodiscard]] GradientScales scales() const {
    GradientScales scales;
    const double weight = 1.0 - std::pow(kAttentionBeta2, steps_);
    const auto rms = [&](std::span<const float> v) {
      double sum = 0.0;
      for (const float value : v) sum += static_cast<double>(value);
      return std::sqrt(sum / static_cast<double>(v.size()) / weight);
    };
    for (const Weight<float>* tensor : weights_) {
      scales.tensors.push_back(rms(optimizer_.export_state(tensor->name, "exp_avg_sq")));
    }
    const Weight<float>& embedding = *weights_.front();
    const std::vector<float> v = optimizer_.export_state(embedding.name, "exp_avg_sq");
    const auto width = static_cast<std::size_t>(embedding.value.cols());
    for (std::size_t row = 0; row < v.size(); row += width) {
      scales.words.push_back(rms(std::span(v).subspan(row, width)));
    }
    return scales;
  }

 private:
  Optimizer make() const {
    std::vector<ParamGroup> groups;
    groups.reserve(weights_.size());
    for (Weight<float>* weight : weights_) groups.push_back({.params = {{weight->name, weight->value, weight->grad}}});
    Rule rule = Rule::sgd;
    Options options{.lr = 0.0, .momentum = kBeta1, .weight_decay = 0.0};
    if (way_ == Way::adamw) {
      rule = Rule::adamw;
      options = {.lr = 0.0, .betas = {kBeta1, kAttentionBeta2}, .eps = kAttentionEpsilon, .weight_decay = 0.0};
    } else if (way_ == Way::sign) {
      // Without memory AdamW leaves the sign of what it is given.
      rule = Rule::adamw;
      options = {.lr = 0.0, .betas = {0.0, 0.0}, .eps = 0.0, .weight_decay = 0.0};
    } else if (way_ == Way::tensor_v) {
      options = {.lr = 0.0, .momentum = kBeta1, .dampening = kBeta1, .weight_decay = 0.0};
    }
    return {rule, std::move(groups), options, {.threads = 1}};
  }

  Way way_;
  std::vector<Weight<float>*> weights_;
  Optimizer optimizer_;
  std::vector<Matrix<float>> averages_;
  std::vector<double> squares_;
  int steps_ = 0;
};

const WorkloadInfo& attention_info() {
  return *std::ranges::find(workloads(), std::string_view("attention"), &WorkloadInfo::name);
}

double train_attention(Workload& attention, Way way, double lr, std::uint64_t seed, GradientScales* scales = nullptr) {
  const WorkloadInfo& info = attention_info();
  attention.start(seed);
  Stepper stepper(way, attention.weights());
  for (std::uint64_t t = 0; t < info.steps; ++t) {
    attention.loss_and_grad(t);
    stepper.step(schedule::warmup_cosine(lr, t, info.warmup, info.steps));
  }
  if (scales != nullptr) *scales = stepper.scales();
  return attention.evaluate().loss;
}

AttentionContest train_all(const Setup& setup) {
  const WorkloadInfo& info = attention_info();
  WorkloadPool pool(
      [&](HeldOut part) { return info.make({.batch_size = info.batch_size, .held_out = part, .text = setup.text}); });
  AttentionContest contest;
  constexpr std::size_t kRates = kWays.front().learning_rates.size();
  setup.for_each(kWays.size() * kRates, [&](std::size_t job) {
    const std::size_t way = job / kRates, rate = job % kRates;
    contest.validation[way][rate] = pool.with(HeldOut::validation, [&](Workload& attention) {
      return train_attention(attention, static_cast<Way>(way), kWays[way].learning_rates[rate], kChoosing);
    });
  });
  const std::uint64_t seeds = std::min(setup.seeds, kMostSeeds);
  for (auto& losses : contest.losses) losses.resize(seeds);
  setup.for_each(kWays.size() * seeds, [&](std::size_t job) {
    const std::size_t way = job % kWays.size(), seed = job / kWays.size();
    contest.losses[way][seed] = pool.with(HeldOut::test, [&](Workload& attention) {
      const bool looks = static_cast<Way>(way) == Way::adamw && seed == 0;
      return train_attention(attention, static_cast<Way>(way), contest.best_rate(static_cast<Way>(way)), seed + 1,
                             looks ? &contest.scales : nullptr);
    });
  });
  return contest;
}

}  // namespace

double AttentionContest::best_rate(Way way) const {
  const auto& of_rates = validation[static_cast<std::size_t>(way)];
  return kWays[static_cast<std::size_t>(way)]
      .learning_rates[static_cast<std::size_t>(std::ranges::min_element(of_rates) - of_rates.begin())];
}

const AttentionContest& attention_contest(const Setup& setup) {
  return remembered<AttentionContest>("", setup, [&] { return train_all(setup); });
}

}  // namespace adamant::lab
