// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The threads of the loops that a step is compared with: the same kind of pool that the library uses.
#pragma once

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstddef>

namespace adamant::bench {

class Threads {
 public:
  /// 0: one for each processor the process may use.
  explicit Threads(int count) : count_(count > 0 ? count : tbb::info::default_concurrency()), arena_(count_) {}

  [[nodiscard]] int count() const { return count_; }

  /// Calls work(first, n) for pieces that cover [0, total). Little work stays on the caller's thread, where it is done
  /// before another one wakes up.
  template <class Work>
  void run(std::size_t total, const Work& work) {
    if (count_ == 1 || total <= kSerial) return work(std::size_t{0}, total);
    const std::size_t pieces = (total + kPiece - 1) / kPiece;
    arena_.execute([&] {
      tbb::parallel_for(tbb::blocked_range<std::size_t>(0, pieces), [&](const tbb::blocked_range<std::size_t>& range) {
        const std::size_t first = range.begin() * kPiece;
        work(first, std::min(range.end() * kPiece, total) - first);
      });
    });
  }

 private:
  // Elements.
  static constexpr std::size_t kPiece = std::size_t{1} << 14;
  static constexpr std::size_t kSerial = std::size_t{1} << 16;

  int count_;
  tbb::task_arena arena_;
};

}  // namespace adamant::bench
