// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The coordinates that a log follows, and their moments as averages of gradients.
#pragma once

#include <string>
#include <vector>

#include "report/run.h"

namespace adamant::report {

/// "layer.weight[17]"
[[nodiscard]] std::string probe_name(const Run& run, std::size_t tensor, std::size_t element);

/// m as a mean of the gradients so far: without the bias of its start; SGD's buffer is a sum of them.
[[nodiscard]] double mean_m(const Run& run, const ProbeTrack& track, const ProbeSample& sample);
/// v̂
[[nodiscard]] double corrected_v(const Run& run, const ProbeTrack& track, const ProbeSample& sample);
/// RMS(m̂)/RMS(g) of pure noise, in the last of its steps.
[[nodiscard]] double noise_of_m(const Run& run, const ProbeTrack& track);

/// Probes with gradients, of tensors whose rule has that; a few of each tensor, the tensors in turn; those that are
/// rarely hit last.
[[nodiscard]] std::vector<const ProbeTrack*> shown_probes(const Run& run, Trait trait, std::size_t limit);

}  // namespace adamant::report
