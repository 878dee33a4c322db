#include "base/workers.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <unistd.h>

#include <algorithm>

#include "base/float_environment.h"

namespace adamant {

// oneTBB prints a warning where an arena asks for more threads than the process is allowed, which is the number of
// processors unless someone says otherwise: say so, and where someone else keeps the limit lower, ask for no more.
struct Workers::Arena {
  explicit Arena(int threads)
      : limit(tbb::global_control::max_allowed_parallelism, std::max(static_cast<std::size_t>(threads), allowed())),
        arena(std::min(threads, static_cast<int>(allowed()))) {}
  static std::size_t allowed() {
    return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  }
  tbb::global_control limit;
  tbb::task_arena arena;
};

namespace {

// oneTBB's threads are gone in a process that is forked from one that had them, and what they held at that moment stays
// locked: whether they ran in a parent, a child learns from the process that first asked for them.
bool threads_live_here() {
  static const pid_t first_process = getpid();
  return getpid() == first_process;
}

}  // namespace

Workers::Workers(int threads) : threads_(threads > 0 ? threads : tbb::info::default_concurrency()) {
  if (threads_ > 1 && threads_live_here()) arena_ = std::make_unique<Arena>(threads_);
}

Workers::~Workers() {
  if (arena_ && !threads_live_here()) static_cast<void>(arena_.release());
}

void Workers::run_pieces(std::size_t count, Call call, void* region) {
  if (count <= 1 || !arena_ || !threads_live_here()) {
    const FloatEnvironment environment;
    for (std::size_t i = 0; i < count; ++i) call(region, i);
    return;
  }
  arena_->arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count), [&](const tbb::blocked_range<std::size_t>& range) {
      const FloatEnvironment environment;
      for (std::size_t i = range.begin(); i != range.end(); ++i) call(region, i);
    });
  });
}

}  // namespace adamant
