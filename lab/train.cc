// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/train.h"

#include <adamant/schedule.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>

namespace adamant::lab {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Whether losses grow beyond all bounds. One that is not finite comes late or never: the engine keeps states finite.
class Divergence {
 public:
  [[nodiscard]] bool seen(double loss) {
    if (!first_) first_ = loss;
    return !(loss <= 1000.0 * *first_);
  }

 private:
  std::optional<double> first_;
};

// Average of the last few losses.
class RecentLoss {
 public:
  void add(double loss) { losses_[count_++ % losses_.size()] = loss; }
  [[nodiscard]] bool below(double target) const {
    return count_ >= losses_.size() &&
           std::accumulate(losses_.begin(), losses_.end(), 0.0) <= target * static_cast<double>(losses_.size());
  }

 private:
  std::array<double, 20> losses_{};
  std::size_t count_ = 0;
};

// Which rule takes which parameters.
struct Share {
  TunedRule tuned;
  std::vector<Param> params;
};

std::vector<Share> shares_of(const RunConfig& config, std::vector<Param> params) {
  std::vector<Share> shares(1);
  if (config.vectors) {
    const auto is_vector = [](const Param& param) { return param.shape.size() < 2 || param.shape.front() == 1; };
    const auto vectors = std::ranges::stable_partition(params, std::not_fn(is_vector));
    if (!vectors.empty()) {
      shares.push_back({*config.vectors, {vectors.begin(), vectors.end()}});
      params.erase(vectors.begin(), vectors.end());
    }
  }
  shares.front() = {{config.rule, config.settings}, std::move(params)};
  if (shares.front().params.empty()) shares.erase(shares.begin());
  return shares;
}

bool has_states_of(const Optimizer& optimizer, StateFormat format) {
  for (std::size_t i = 0; i < optimizer.tensor_count(); ++i) {
    if (optimizer.tensor(i).state_format == format) return true;
  }
  return false;
}

}  // namespace

Optimizer make_optimizer(const RunConfig& config, std::vector<Param> params) {
  std::vector<ParamGroup> groups;
  for (Share& share : shares_of(config, std::move(params))) {
    const auto& [rule, settings] = share.tuned;
    groups.push_back({std::move(share.params), options_of(rule, settings), rule.rule});
  }
  return Optimizer(
      config.rule.rule, std::move(groups), options_of(config.rule, config.settings),
      {.state = config.memory.state, .weights = config.memory.weights, .report_norm = true, .threads = config.threads});
}

RunResult train(Workload& workload, const RunConfig& config, const LogConfig* log_config, const Watch& watch) {
  const auto begin = Clock::now();
  workload.start(config.seed);
  TrainedWeights weights(workload, config.memory);
  Optimizer optimizer = make_optimizer(config, weights.params());
  weights.start(optimizer);
  std::optional<RunLog> log;
  if (log_config) log = open_log(*log_config, config, optimizer);

  RunResult result;
  for (const Share& share : shares_of(config, weights.params())) result.groups.push_back(share.tuned);
  result.f32_states = !has_states_of(optimizer, config.memory.state);
  std::vector<double> step_ns, lr;  // at the start, of each group
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) lr.push_back(*optimizer.options(group).lr);
  RecentLoss recent;
  Divergence divergence;
  double loss = 0.0;
  for (; result.steps < config.steps; ++result.steps) {
    if (watch && !watch(result.steps, loss)) {
      result.outcome = Outcome::interrupted;
      break;
    }
    loss = workload.loss_and_grad(result.steps);
    workload.set_grads(optimizer);
    for (std::size_t group = 0; group < lr.size(); ++group) {
      optimizer.set_options(group, {.lr = schedule::cosine(lr[group], result.steps, config.steps)});
    }
    const auto before = Clock::now();
    const StepReport report = optimizer.step({.statistics = log ? log->statistics() : nullptr});
    step_ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - before).count());
    weights.show();

    if (log) log->step(optimizer, loss, report);
    if (divergence.seen(loss) || !report.applied) {
      result.outcome = Outcome::diverged;
      break;
    }
    recent.add(loss);
    if (!result.steps_to_target && recent.below(config.target_loss)) result.steps_to_target = result.steps + 1;
  }
  if (result.outcome == Outcome::finished) {
    result.score = workload.evaluate();
    if (!std::isfinite(result.score.loss)) result.outcome = Outcome::diverged;
  }
  result.step_ns = median(std::move(step_ns));
  result.bytes_per_param = optimizer.bytes_per_parameter();
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (log) log->end(end_notes(*log_config, result));
  return result;
}

}  // namespace adamant::lab
