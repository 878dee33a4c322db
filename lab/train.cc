// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/train.h"

#include <adamant/schedule.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

namespace adamant::lab {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

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

RunResult train(Workload& workload, const RunConfig& config, const LogConfig* log_config, const Watch& watch,
                const CheckpointConfig* checkpoints) {
  const auto begin = Clock::now();
  workload.start(config.seed);
  TrainedWeights weights(workload, config.memory);
  Optimizer optimizer = make_optimizer(config, weights.params());
  weights.start(optimizer);
  std::vector<double> step_ns, lr;  // at the start, of each group
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) lr.push_back(*optimizer.options(group).lr);

  LoopState state;
  std::optional<RunCheckpoints> saved;
  std::string position;  // of the log
  if (checkpoints) {
    saved.emplace(*checkpoints, *log_config, config, optimizer);
    if (const std::optional<RunCheckpoints::Found> found = saved->load(optimizer)) {
      state = found->state;
      position = found->log;
      weights.show();
    }
  }
  RunResult& result = state.result;
  for (const Share& share : shares_of(config, weights.params())) result.groups.push_back(share.tuned);
  result.f32_states = !has_states_of(optimizer, config.memory.state);
  if (state.done) return result;
  std::optional<RunLog> log;
  if (log_config) log = open_log(*log_config, config, optimizer, position);
  const double seconds_before = result.seconds;
  const auto measure_time = [&] {
    if (!step_ns.empty()) result.step_ns = median(step_ns);
    result.bytes_per_param = optimizer.bytes_per_parameter();
    result.seconds = seconds_before + std::chrono::duration<double>(Clock::now() - begin).count();
  };
  const auto save = [&] {
    measure_time();
    saved->save(optimizer, state, log->position());
  };

  while (result.steps < config.steps) {
    if (watch && !watch(result.steps, state.losses.latest)) {
      if (saved) save();
      result.outcome = Outcome::interrupted;
      break;
    }
    const double loss = workload.loss_and_grad(result.steps);
    workload.set_grads(optimizer);
    for (std::size_t group = 0; group < lr.size(); ++group) {
      optimizer.set_options(group,
                            {.lr = schedule::warmup_cosine(lr[group], result.steps, config.warmup, config.steps)});
    }
    const auto before = Clock::now();
    Statistics* const statistics = log ? log->statistics() : nullptr;
    if (statistics != nullptr) statistics->observe_every = 1;  // models are small, and reports are read closely
    const StepReport report = optimizer.step({.statistics = statistics});
    step_ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - before).count());
    weights.show();

    if (log) log->step(optimizer, loss, report);
    state.losses.add(loss);
    if (state.losses.diverged() || !report.applied) {
      result.outcome = Outcome::diverged;
      break;
    }
    ++result.steps;
    if (!result.steps_to_target && state.losses.below(config.target_loss)) result.steps_to_target = result.steps;
    if (saved && saved->due(result.steps)) save();
  }
  if (result.outcome == Outcome::finished) {
    result.score = workload.evaluate();
    if (!std::isfinite(result.score.loss)) result.outcome = Outcome::diverged;
  }
  measure_time();
  if (log) log->end(end_notes(*log_config, result));
  state.done = result.outcome != Outcome::interrupted;
  // Nothing is left to be logged, which ended before this is saved.
  if (saved && state.done) saved->save(optimizer, state, "");
  return result;
}

}  // namespace adamant::lab
