// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What bench/peers.py loads of this folder: the ceiling of an f32 step, and the machine.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/loops.h"
#include "bench/machine.h"
#include "bench/threads.h"

namespace {

// A zero that the compiler does not know, and where the loads of the ceiling end.
volatile std::uint8_t nothing = 0;
std::atomic<std::uint64_t> sink;

}  // namespace

/// Loads and stores what an f32 step of AdamW does, 28 bytes per element, on n elements of each; changes nothing.
extern "C" __attribute__((visibility("default"))) void adamant_ceiling(float* param, const float* grad, float* exp_avg,
                                                                       float* exp_avg_sq, std::size_t n) {
  using namespace adamant::bench;
  static Threads threads(0);
  static const Loops& widest = *loops().front();
  const Streams streams{.param = param, .grad = grad, .states = {exp_avg, exp_avg_sq}, .state_count = 2};
  const Loops::Ceiling ceiling = widest.ceiling(streams);
  threads.run(n, [&](std::size_t first, std::size_t count) { sink |= ceiling(streams, first, count, nothing); });
}

/// Three lines: the CPU, its caches, the compiler. Valid while the process lives.
extern "C" __attribute__((visibility("default"))) const char* adamant_machine() {
  static const std::string text = [] {
    const adamant::bench::Machine machine = adamant::bench::machine();
    return machine.cpu + "\n" + machine.caches + "\n" + machine.compiler;
  }();
  return text.c_str();
}
