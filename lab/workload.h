// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A workload: a model, its data, and what it is scored by. The training loop (train.h) knows nothing else of them.
#pragma once

#include <adamant/optimizer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::lab {

template <class Real>
struct Weight;  // matrix.h; Eigen takes long to compile

/// What the score is taken on. Settings are chosen on the validation part, which the final runs train on; the test part
/// is only ever used for the final score, but in the claim that shows what choosing on it would do.
enum class HeldOut { test, validation };

struct WorkloadOptions {
  std::size_t batch_size = 1;
  HeldOut held_out = HeldOut::test;
  std::string text{};  ///< path; where it reads_text
  bool sparse_rows =
      false;  ///< where it reads_text: give the embedding's gradient as rows, so that only touched rows move
};

struct Score {
  double loss = 0.0;    ///< on held-out data
  double metric = 0.0;  ///< as WorkloadInfo::metric says
};

class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  /// One line: the data, the model, its size.
  [[nodiscard]] virtual std::string describe() const = 0;
  /// The parameters and their gradients, in a fixed order.
  [[nodiscard]] virtual std::vector<Weight<float>*> weights() = 0;
  /// Puts the parameters at the start of that seed, which also decides the batches: the same for every rule.
  virtual void start(std::uint64_t seed) = 0;
  /// Loss on the batch of that step (counted from 0), which is a pure function of seed and step; fills the gradients.
  virtual double loss_and_grad(std::uint64_t step) = 0;
  /// Called before each step, for gradients whose address or rows change.
  virtual void set_grads(Optimizer&) {}
  [[nodiscard]] virtual Score evaluate() = 0;
};

struct WorkloadInfo {
  std::string_view name;
  std::string_view metric;  ///< "accuracy" in [0, 1], "perplexity", or "distance" to the minimum
  std::string (*metric_text)(double value);
  std::uint64_t steps;       ///< unless told otherwise
  std::uint64_t warmup = 0;  ///< of so many steps, those with a rising learning rate; see warmup_of
  std::size_t batch_size;    ///< unless told otherwise
  std::uint64_t seeds = 3;   ///< runs of each rule, unless told otherwise
  double target_loss;        ///< a run counts the steps until its training loss is this low
  bool reads_text = false;   ///< learns the text of WorkloadOptions, and may give rows of gradients
  bool decays = true;        ///< may be better with weight decay, which draws to zero: not a known minimum elsewhere
  bool slow = false;         ///< a search for its settings tries fewer of them; see tune.h
  std::unique_ptr<Workload> (*make)(const WorkloadOptions&);
};

/// Steps of a rising learning rate in a run of so many steps: always the same share.
[[nodiscard]] inline std::uint64_t warmup_of(const WorkloadInfo& info, std::uint64_t steps) {
  return steps * info.warmup / info.steps;
}

/// All workloads.
[[nodiscard]] std::span<const WorkloadInfo> workloads();

}  // namespace adamant::lab
