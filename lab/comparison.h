// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the losses of several rules on one workload say, as a sentence.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace adamant::lab {

struct ComparedRule {
  std::string name;
  bool scales = false;         ///< divides by a second moment
  std::vector<double> losses;  ///< of each seed, the same seeds for each rule; NaN where the run did not finish
};

/// Names the rule of lowest mean loss, and how far above it the best of the other kind is: of those that scale, or that
/// do not; where all are of one kind, the second best. It is clearly above where the mean difference on the same
/// seeds is not zero by Student's t, at 95 %. Only rules that finished with every seed count; empty for fewer than two
/// of them.
[[nodiscard]] std::string comparison_sentence(std::span<const ComparedRule> rules);

}  // namespace adamant::lab
