// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The instruction sets, and proof of which one runs.
#pragma once

#include <gtest/gtest.h>

#include <adamant/targets.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/kernels.h"

namespace adamant::testing {

/// Forces an instruction set for a scope; afterwards the best one is in use again.
class ForcedTarget {
 public:
  explicit ForcedTarget(std::string_view name) { use_target(name); }
  ~ForcedTarget() { use_target({}); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;

  /// Highway's bit of the instruction set that the kernels in use were compiled for: every table says so itself. 0
  /// where they do not agree.
  [[nodiscard]] static std::int64_t running() {
    const std::int64_t target = f32_kernels().target;
    for (const std::int64_t other :
         {f64_kernels().target, f32_observers().target, f64_observers().target, format_kernels().target,
          fused_kernels().target, compact_kernels().target, group_kernels().target}) {
      if (other != target) return 0;
    }
    return target;
  }
};

/// A test that runs on each instruction set.
class OnEveryTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_NE(ForcedTarget::running(), 0) << "tables of different instruction sets";
    ASSERT_EQ(current_target(), GetParam());
  }

 private:
  ForcedTarget target_{GetParam()};
};

/// The portable instruction set, which all others are compared with.
inline std::string baseline_target() { return targets().back(); }

}  // namespace adamant::testing
