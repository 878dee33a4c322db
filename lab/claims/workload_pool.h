// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Workloads for runs at the same time: to make one takes long, where it reads a text.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lab/workload.h"

namespace adamant::lab {

class WorkloadPool {
 public:
  using Make = std::function<std::unique_ptr<Workload>(HeldOut)>;
  explicit WorkloadPool(Make make) : make_(std::move(make)) {}

  /// run(workload), with one that no other run uses at this time.
  template <class Run>
  auto with(HeldOut part, const Run& run) {
    std::unique_ptr<Workload> workload = take(part);
    auto result = run(*workload);
    const std::lock_guard lock(mutex_);
    idle_[part].push_back(std::move(workload));
    return result;
  }

 private:
  std::unique_ptr<Workload> take(HeldOut part) {
    {
      const std::lock_guard lock(mutex_);
      auto& idle = idle_[part];
      if (!idle.empty()) {
        std::unique_ptr<Workload> workload = std::move(idle.back());
        idle.pop_back();
        return workload;
      }
    }
    return make_(part);
  }

  Make make_;
  std::mutex mutex_;
  std::map<HeldOut, std::vector<std::unique_ptr<Workload>>> idle_;
};

}  // namespace adamant::lab
