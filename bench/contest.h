// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A case and everything it is measured against, in one memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/cases.h"
#include "bench/measure.h"
#include "bench/memory.h"
#include "bench/result.h"
#include "bench/threads.h"

namespace adamant::bench {

/// The contestants work on the same parameters and gradients. The optimizer has its own states; the loops share some.
class Contest {
 public:
  /// Allocates and fills the memory. Throws as check_fits.
  explicit Contest(const Case& what);
  Contest(const Contest&) = delete;
  Contest& operator=(const Contest&) = delete;

  [[nodiscard]] const Workload& workload() const { return workload_; }
  [[nodiscard]] int threads() const { return threads_.count(); }

  /// One result for each policy of the case.
  [[nodiscard]] std::vector<Result> run(const Budget& budget) const;

  /// "step" (under the first policy), "ceiling".
  [[nodiscard]] const Contestant& contestant(const std::string& name) const;

 private:
  std::unique_ptr<Optimizer> make_optimizer(std::size_t tensors) const;
  void add_step(std::string name, Optimizer& optimizer, NonFinite policy, std::optional<double> max_norm);
  void add_statistics();
  void add_ceiling(std::string name, bool with_look);
  void add_rivals();
  void add_peers(const AdamwScalars& scalars);

  Case case_;
  Streams streams_;
  Workload workload_;
  mutable Threads threads_;
  std::unique_ptr<Contest> f32_;  // with memory of its own
  Memory param_, low_, grad_, states_[kMaxStates], denominator_;
  std::unique_ptr<Optimizer> optimizer_, one_tensor_;
  Statistics sums_, statistics_;
  std::vector<Contestant> contestants_;
};

}  // namespace adamant::bench
