// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Threads: runs pieces of work in parallel, each under the floating-point environment of the contract.
#pragma once

#include <cstddef>

namespace adamant {

/// A bounded set of threads that sleeps when there is nothing to do. Which thread runs which piece is not determined.
/// All share the threads of one pool, which are made when they are first needed and end with the last Workers. Where
/// the system gives fewer threads, or none, the others and the caller's do the work.
class Workers {
 public:
  /// 0 threads: as many as there are processors this process may use.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] int threads() const noexcept { return threads_; }

  /// Calls work(i) for each i in [0, count) and returns when all are done. `work` must not throw.
  /// One piece, one thread, or a process forked from one that had workers: all on the caller's thread.
  template <class Work>
  void run(std::size_t count, const Work& work) noexcept {
    run_pieces(count, &call<Work>, &work);
  }

 private:
  using Call = void (*)(const void* work, std::size_t index);
  template <class Work>
  static void call(const void* work, std::size_t index) {
    (*static_cast<const Work*>(work))(index);
  }
  void run_pieces(std::size_t count, Call call, const void* work) noexcept;

  class Pool;
  Pool* pool_ = nullptr;  // of all Workers
  int threads_;
};

}  // namespace adamant
