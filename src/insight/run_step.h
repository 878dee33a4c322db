// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Steps as they are given to what records and watches them.
#pragma once

#include <adamant/error.hpp>
#include <adamant/run_log.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "base/text.h"

namespace adamant {

/// Why no run with the groups `before` goes on with the groups `now`: it may get more, but each keeps its place and its
/// rule. Empty if it may be the same run.
inline std::string why_another_run(const std::vector<RunInfo::Group>& before, const std::vector<RunInfo::Group>& now) {
  if (now.size() < before.size()) return "there are fewer groups than before";
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (now[i].rule != before[i].rule) return "group " + std::to_string(i) + " changes its rule";
  }
  return "";
}

/// The same for tensors, each of which keeps its place, its name and its size.
inline std::string why_another_run(const std::vector<RunInfo::Tensor>& before,
                                   const std::vector<RunInfo::Tensor>& now) {
  if (now.size() < before.size()) return "there are fewer tensors than before";
  for (std::size_t i = 0; i < before.size(); ++i) {
    const RunInfo::Tensor &was = before[i], &is = now[i];
    if (is.name != was.name) {
      return "tensor " + std::to_string(i) + " is " + printable(is.name) + ", and was " + printable(was.name);
    }
    if (is.size != was.size) {
      return "the tensor " + printable(is.name) + " has " + counted(is.size, "element") + ", and had " +
             std::to_string(was.size);
    }
  }
  return "";
}

/// Refuses a step that does not know its run (invalid_argument), or whose parts do not fit together (mismatch): it has
/// not as many tensors and groups, or a tensor in a group that is not there.
inline void check_step(const RunStep& step) {
  if (!step.info)
    throw Error(ErrorCode::invalid_argument, "the step has no info of its run: run_step() makes it whole");
  const auto check = [](const char* what, std::size_t has, std::size_t needed) {
    if (has == needed) return;
    throw Error(ErrorCode::mismatch,
                "the step has " + std::to_string(has) + " " + what + ", its run " + std::to_string(needed));
  };
  check("tensors", step.tensors.size(), step.info->tensors.size());
  check("learning rates", step.lr.size(), step.info->groups.size());
  for (const RunInfo::Tensor& tensor : step.info->tensors) {
    if (tensor.group < step.info->groups.size()) continue;
    throw Error(ErrorCode::mismatch, "the tensor " + printable(tensor.name) + " is in group " +
                                         std::to_string(tensor.group) + ", but its run has " +
                                         counted(step.info->groups.size(), "group"));
  }
}

}  // namespace adamant
