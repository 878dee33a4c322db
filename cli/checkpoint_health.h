// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The health of the moments in a checkpoint: what can be told from their numbers alone.
#pragma once

#include <adamant/checkpoint.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace adamant::cli {

/// One state of a tensor. Of a second moment it is the root that is measured, which is as large as gradients are.
struct StateHealth {
  std::string name;      ///< "exp_avg_sq"
  bool squares = false;  ///< a second moment
  std::uint64_t elements = 0, zeros = 0, nans = 0, infinities = 0;
  std::uint64_t negatives = 0;  ///< of a second moment, which no run makes negative
  double rms = 0.0, max = 0.0;  ///< root mean square, and largest magnitude, of the elements that are finite
};

struct TensorHealth {
  std::string name;
  std::uint64_t step = 0;
  std::vector<StateHealth> states;
  std::vector<std::string> findings;  ///< what is unusual, in words; none where nothing is
};

/// Of all tensors, by name. Reads one tensor at a time. Throws Error (io) for what is damaged or does not fit together.
[[nodiscard]] std::vector<TensorHealth> health_of(const CheckpointInfo& checkpoint);

}  // namespace adamant::cli
