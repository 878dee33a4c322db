// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Steps as they are given to what records and watches them.
#pragma once

#include <adamant/error.hpp>
#include <adamant/run_log.hpp>
#include <string>

namespace adamant {

/// Refuses a step that does not know its run (invalid_argument), or has not as many tensors and groups (mismatch).
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
}

}  // namespace adamant
