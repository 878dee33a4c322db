// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "base/forks.h"

#include <pthread.h>

#include <atomic>

namespace adamant {
namespace {

constinit std::atomic<int> count = 0;

}  // namespace

int forks() noexcept {
  // Fails only where a few bytes are not to be had; then no fork is seen.
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++count; });
  static_cast<void>(registered);
  return count;
}

}  // namespace adamant
