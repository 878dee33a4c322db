// Threads: runs pieces of work in parallel, each under the floating-point environment of the contract.
#pragma once

#include <cstddef>
#include <memory>

#include "base/handover.h"

namespace adamant {

/// A bounded set of threads that sleeps when there is nothing to do. Which thread runs which piece is not determined.
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
  void run(std::size_t count, const Work& work) {
    Region<Work> region{work, {}, {}};
    region.begin.give();
    run_pieces(count, &call<Work>, &region);
    region.end.take();
  }

 private:
  template <class Work>
  struct Region {
    const Work& work;
    Handover begin, end;
  };
  using Call = void (*)(void* region, std::size_t index);
  template <class Work>
  static void call(void* typeless, std::size_t index) {
    auto& region = *static_cast<Region<Work>*>(typeless);
    region.begin.take();
    region.work(index);
    region.end.give();
  }
  void run_pieces(std::size_t count, Call call, void* region);

  struct Arena;
  std::unique_ptr<Arena> arena_;
  int threads_;
};

}  // namespace adamant
