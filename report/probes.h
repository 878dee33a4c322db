// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The elements that a run log follows in full.
#pragma once

#include <adamant/run_log.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace adamant::report {

/// A probe in one step; v as stored.
struct ProbeSample {
  std::uint64_t step = 0;         ///< of the run
  std::uint64_t tensor_step = 0;  ///< of the tensor, for bias correction
  double lr = 0.0;
  float g = 0.0F, m = 0.0F, v = 0.0F, u = 0.0F, w = 0.0F;
};

struct ProbeTrack {
  std::size_t tensor = 0, element = 0;
  std::vector<ProbeSample> first;  ///< the first steps
  std::vector<ProbeSample> last;   ///< the last steps
  std::vector<ProbeSample> early;  ///< ever further apart, until step 5/(1-β2)
  std::uint64_t steps = 0;         ///< seen
  std::uint64_t hits = 0;          ///< of them with g ≠ 0

  /// Share of sign changes among neighbouring gradients of `last` that are not 0; 0 where fewer than half are.
  [[nodiscard]] double flip_rate() const;
};

class ProbeRecorder {
 public:
  /// Keeps `window` first and last steps, and early ones until `early_steps`.
  explicit ProbeRecorder(std::size_t window, double early_steps);
  void add(const RunInfo& info, const RunStep& step);
  [[nodiscard]] std::vector<ProbeTrack> finish();

 private:
  std::size_t window_;
  double early_steps_;
  std::vector<ProbeTrack> tracks_;
};

}  // namespace adamant::report
