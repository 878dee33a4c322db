// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The update: one pass over all that a step touches.
#pragma once

#include <adamant/statistics.hpp>
#include <span>

#include "base/workers.h"
#include "optim/plan.h"

namespace adamant {

struct Update {
  std::span<const GroupState> groups;
  std::span<TensorState> tensors;  // those of the work
  std::size_t first_tensor;        // index of tensors[0] in the optimizer
  double multiple;                 // of each gradient in memory
  const Settings* settings;
  Statistics* statistics;  // filled where not null
  bool append_statistics;  // to what they have
};

/// Updates the tensors and counts their steps. Nothing was changed where it throws std::bad_alloc.
void update(Workers& workers, const Work& work, const Update& what);

}  // namespace adamant
