// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/replay.h"

#include <adamant/statistics.hpp>
#include <algorithm>
#include <cmath>
#include <utility>

namespace adamant::report {

double Replay::total(std::size_t rule) const {
  double sum = 0.0;
  for (const Probe& probe : probes) sum += probe.path[rule];
  return sum;
}

Replayer::Replayer(const RunInfo& info, std::size_t buckets) {
  // The first group comes last, and stays.
  for (auto group = info.groups.rbegin(); group != info.groups.rend(); ++group) {
    const Options& options = group->options;
    if (options.momentum && *options.momentum > 0.0) replay_.beta1 = *options.momentum;
    if (options.alpha) replay_.beta2 = replay_.alpha = *options.alpha;
    if (options.betas) {
      replay_.beta1 = (*options.betas)[0];
      replay_.beta2 = (*options.betas)[1];
    }
    if (options.eps) replay_.eps = *options.eps;
  }
  replay_.speed = Timeline(kReplayed.size(), buckets);
}

void Replayer::start(const RunInfo& info) {
  for (const RunInfo::Probe& probe : info.probes) replay_.probes.push_back({probe.tensor, probe.element, 0.0, {}});
  grads_.assign(replay_.probes.size(), 0.0F);
  const double decay = 0.0, lr = 1.0;
  const std::array<std::pair<Rule, Options>, kReplayed.size()> rules = {{
      {Rule::adamw, {.lr = lr, .betas = {replay_.beta1, replay_.beta2}, .eps = replay_.eps, .weight_decay = decay}},
      {Rule::sgd, {.lr = lr, .momentum = replay_.beta1, .weight_decay = decay}},
      {Rule::rmsprop, {.lr = lr, .alpha = replay_.alpha, .eps = replay_.eps, .weight_decay = decay}},
      {Rule::adagrad, {.lr = lr, .eps = replay_.eps, .weight_decay = decay}},
  }};
  for (const auto& [rule, options] : rules) {
    Twin& twin = twins_.emplace_back();
    twin.weights.assign(grads_.size(), 0.0F);
    twin.optimizer = std::make_unique<Optimizer>(rule, std::vector<Param>{{"probes", twin.weights, grads_}}, options,
                                                 Settings{.threads = 1});
  }
}

void Replayer::add(const RunInfo& info, const RunStep& step) {
  if (!step.applied || info.probes.empty()) return;
  if (twins_.empty()) start(info);

  std::vector<double> lr(grads_.size());
  std::size_t index = 0;
  for (std::size_t t = 0; t < step.tensors.size(); ++t) {
    for (const Probe& probe : step.tensors[t].probes) {
      while (index < grads_.size() &&
             (replay_.probes[index].tensor != t || replay_.probes[index].element != probe.element)) {
        grads_[index++] = 0.0F;
      }
      if (index == grads_.size()) break;
      lr[index] = step.lr[info.tensors[t].group];
      replay_.probes[index].mean_square += static_cast<double>(probe.g) * static_cast<double>(probe.g);
      grads_[index++] = probe.g;
    }
  }
  ++replay_.steps;
  replay_.speed.begin(step.step);
  Statistics statistics;
  statistics.sample_every = 0;
  statistics.probes = static_cast<std::uint32_t>(grads_.size());
  for (std::size_t rule = 0; rule < twins_.size(); ++rule) {
    if (!twins_[rule].optimizer->step({.statistics = &statistics}).applied) continue;
    double speed = 0.0;
    const std::vector<Probe>& moved = statistics.tensors.front().probes;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const double length = lr[i] * std::abs(static_cast<double>(moved[i].u));
      replay_.probes[i].path[rule] += length;
      speed += length / static_cast<double>(moved.size());
    }
    replay_.speed.put(rule, speed);
  }
}

Replay Replayer::finish() {
  twins_.clear();
  const auto steps = static_cast<double>(std::max<std::uint64_t>(1, replay_.steps));
  for (Replay::Probe& probe : replay_.probes) probe.mean_square /= steps;
  return std::move(replay_);
}

}  // namespace adamant::report
