// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/claims/claims.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "lab/claims/claim_list.h"

namespace adamant::lab {
namespace {

constexpr ClaimInfo kClaims[] = {
    {"noise", claim_noise},
    {"inertia", claim_inertia},
    {"oscillation", claim_oscillation},
    {"mean-square", claim_mean_square},
    {"rescaling", claim_rescaling},
    {"badly-scaled", claim_badly_scaled},
    {"sparse", claim_sparse},
    {"bias-correction", claim_bias_correction},
    {"epsilon", claim_epsilon},
    {"decoupled", claim_decoupled},
    {"generalise", claim_generalise},
    {"generalise-better", claim_generalise_better},
    {"separable", claim_separable},
    {"family", claim_family},
    {"transformers", claim_transformers},
    {"signs", claim_signs},
};

std::size_t thread_count(int threads, std::size_t jobs) {
  const std::size_t wanted = threads > 0 ? static_cast<std::size_t>(threads) : std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(jobs, 1));
}

}  // namespace

void Setup::for_each(std::size_t count, const std::function<void(std::size_t)>& run) const {
  std::atomic<std::size_t> next = 0;
  std::size_t done = 0;  // guarded by the mutex, as `failure`
  std::exception_ptr failure;
  std::mutex mutex;
  std::condition_variable changed;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      std::exception_ptr thrown;
      try {
        run(i);
      } catch (...) {
        thrown = std::current_exception();
        next = count;
      }
      const std::lock_guard lock(mutex);
      ++done;
      if (thrown && !failure) failure = thrown;
      changed.notify_one();
    }
  };
  bool stopped = false;
  {
    std::vector<std::jthread> workers;
    std::size_t running = thread_count(threads, count);
    for (std::size_t i = running; i > 0; --i) {
      workers.emplace_back([&] {
        work();
        const std::lock_guard lock(mutex);
        --running;
        changed.notify_one();
      });
    }
    // This thread only watches: what it calls may print.
    std::unique_lock lock(mutex);
    while (running > 0) {
      changed.wait_for(lock, std::chrono::milliseconds(100));
      const std::size_t so_far = done;
      lock.unlock();
      if (watch && !stopped && !watch(so_far, count)) {
        stopped = true;
        next = count;
      }
      lock.lock();
    }
  }
  if (failure) std::rethrow_exception(failure);
  if (stopped) throw Interrupted();
}

std::span<const ClaimInfo> claims() { return kClaims; }

Claim measure(const ClaimInfo& claim, const Setup& setup) {
  Claim measured = claim.experiment(setup);
  measured.id = claim.id;
  return measured;
}

}  // namespace adamant::lab
