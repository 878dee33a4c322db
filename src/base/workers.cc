// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "base/workers.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/float_environment.h"
#include "base/forks.h"

namespace adamant {
namespace {

#if defined(__linux__)
/// The processors that a process (by its id) or a thread (0: the calling one) may use; room for 8192.
struct Processors {
  std::array<cpu_set_t, 8> sets{};
  explicit Processors(pid_t of) noexcept { known = sched_getaffinity(of, sizeof(sets), sets.data()) == 0; }
  bool known;
};
int processors() noexcept {
  const Processors ours(getpid());
  return ours.known ? CPU_COUNT_S(sizeof(ours.sets), ours.sets.data()) : 1;
}
/// A thread is made with the processors of the one that made it, which may have been bound to one of them.
void use_all_processors() noexcept {
  const Processors ours(getpid());
  if (ours.known) static_cast<void>(sched_setaffinity(0, sizeof(ours.sets), ours.sets.data()));
}
#else
int processors() noexcept { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }
void use_all_processors() noexcept {}
#endif

// Threads are gone in a process that is forked from one that had them, and what they held at that moment stays locked.
bool threads_live_here() noexcept { return forks() == 0; }

/// Whether `done` holds within the time in which a thread would just fall asleep and be woken again.
template <class Done>
bool soon(const Done& done) noexcept {
  constexpr std::chrono::microseconds kPatience(30);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
  }
  return true;
}

}  // namespace

class Workers::Pool {
 public:
  /// The pool of this process; each join() is followed by a leave(), the last of which ends its threads.
  static Pool* join() {
    const std::lock_guard lock(mutex);
    if (users == 0) the_pool = new Pool;
    ++users;
    return the_pool;
  }
  static void leave() noexcept {
    const std::lock_guard lock(mutex);
    if (--users == 0) delete std::exchange(the_pool, nullptr);
  }

  Pool() = default;
  ~Pool() {
    stop_ = true;
    announce();
    calls_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs on the caller's thread and on up to `helpers` others.
  void run(std::size_t helpers, std::size_t count, Call call, const void* work) noexcept {
    if (thread_count_ < helpers) make_threads(helpers);
    for (Region& region : regions_) {
      if (!region.take()) continue;
      region.open(helpers, count, call, work);
      announce();
      wake_two();
      region.work();
      region.close();
      return;
    }
    // So many at the same time keep each other busy.
    for (std::size_t i = 0; i < count; ++i) call(work, i);
  }

 private:
  /// Pieces of work that any thread may join in. A region is never freed while threads are there, so each may look.
  class alignas(64) Region {
   public:
    bool take() noexcept {
      std::uint32_t unused = 0;
      return state_.compare_exchange_strong(unused, kTaken);
    }
    void open(std::size_t helpers, std::size_t count, Call call, const void* pieces) noexcept {
      helpers_ = helpers;
      call_ = call;
      pieces_ = pieces;
      parts_ = std::min({helpers + 1, count, kMostParts});
      for (std::size_t p = 0; p < parts_; ++p) {
        part_[p].next = count / parts_ * p + count % parts_ * p / parts_;
        part_[p].end = count / parts_ * (p + 1) + count % parts_ * (p + 1) / parts_;
      }
      arrived_ = 0;
      handed_out_ = false;
      state_ |= kOpen;
    }
    /// Pieces one after the other of a part of its own, so that memory is read on and on; then those left of others.
    void work() noexcept {
      const std::size_t own = arrived_++ % parts_;
      for (std::size_t p = 0; p < parts_; ++p) {
        Part& part = part_[(own + p) % parts_];
        for (std::size_t i; (i = part.next.fetch_add(1, std::memory_order_relaxed)) < part.end;) call_(pieces_, i);
      }
      handed_out_ = true;
    }
    /// Back when all pieces are done.
    void close() noexcept {
      state_ &= ~kOpen;
      for (std::uint32_t state; ((state = state_) & kInside) != 0;) {
        if (!soon([&] { return (state_ & kInside) == 0; })) state_.wait(state);
      }
      state_ &= ~kTaken;
    }
    /// Helps where there is something to do.
    template <class Entered>
    bool help(const Entered& entered) noexcept {
      if ((state_ & kOpen) == 0) return false;
      const std::uint32_t before = state_++;
      const bool welcome = (before & kOpen) != 0 && (before & kInside) < helpers_ && !handed_out_;
      if (welcome) {
        entered();
        const FloatEnvironment environment;
        work();
      }
      const std::uint32_t after = --state_;
      if ((after & kInside) == 0 && (after & kOpen) == 0) state_.notify_all();
      return welcome;
    }

   private:
    static constexpr std::uint32_t kOpen = 1u << 31, kTaken = 1u << 30, kInside = kTaken - 1;
    static constexpr std::size_t kMostParts = 64;
    struct alignas(64) Part {
      std::atomic<std::size_t> next = 0;
      std::size_t end = 0;
    };

    std::atomic<std::uint32_t> state_ = 0;  // and how many helpers are inside
    std::atomic<std::size_t> arrived_ = 0;  // threads, each of which begins with another part
    std::atomic<bool> handed_out_ = false;  // all pieces
    std::size_t helpers_ = 0, parts_ = 0;
    Call call_ = nullptr;
    const void* pieces_ = nullptr;
    std::array<Part, kMostParts> part_;
  };

  void announce() noexcept { ++calls_; }
  // Each thread that wakes up to work wakes two more, so that many are awake soon.
  void wake_two() noexcept {
    calls_.notify_one();
    calls_.notify_one();
  }

  void serve() noexcept {
    use_all_processors();
    for (;;) {
      const std::uint32_t seen = calls_;
      if (stop_) return;
      bool helped = false;
      for (Region& region : regions_) helped = region.help([&] { wake_two(); }) || helped;
      if (!helped && !soon([&] { return calls_ != seen; })) calls_.wait(seen);
    }
  }

  void make_threads(std::size_t wanted) noexcept {
    const std::lock_guard lock(mutex_);
    // Where the system has no more threads, asking it at every step would take long.
    if (--pause_ > 0) return;
    try {
      while (threads_.size() < wanted) {
        threads_.emplace_back([this] { serve(); });
        thread_count_ = threads_.size();
      }
    } catch (const std::exception&) {  // std::system_error, std::bad_alloc
      pause_ = 100;
    }
  }

  static constinit inline std::mutex mutex;
  static constinit inline Pool* the_pool = nullptr;
  static constinit inline int users = 0;

  std::array<Region, 16> regions_;
  std::atomic<std::uint32_t> calls_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> thread_count_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<std::thread> threads_;
  int pause_ = 0;  // regions until the system is asked again
};

Workers::Workers(int threads) : threads_(threads > 0 ? threads : processors()) {
  if (threads_ > 1 && threads_live_here()) pool_ = Pool::join();
}

Workers::~Workers() {
  if (pool_ != nullptr && threads_live_here()) Pool::leave();
}

void Workers::run_pieces(std::size_t count, Call call, const void* work) noexcept {
  const FloatEnvironment environment;
  if (count > 1 && pool_ != nullptr && threads_live_here()) {
    pool_->run(std::min(count, static_cast<std::size_t>(threads_)) - 1, count, call, work);
  } else {
    for (std::size_t i = 0; i < count; ++i) call(work, i);
  }
}

}  // namespace adamant
