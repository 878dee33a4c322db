// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a measurement has to name: processor, caches, compiler; and how much memory there is to measure in.
#pragma once

#include <cstddef>
#include <string>

namespace adamant::bench {

struct Machine {
  std::string cpu;                   ///< model name, as the system says it
  int threads = 0;                   ///< processors that this process may use
  std::string caches;                ///< "L1d 48 KiB, L2 1 MiB, L3 32 MiB"; empty where the system does not say
  std::size_t last_level_cache = 0;  ///< bytes, of all of them together; 0: not known
  std::string compiler;              ///< with its version
};
[[nodiscard]] Machine machine();

/// Bytes that can be taken without swapping: what the system has left, or the control group if that is less.
[[nodiscard]] std::size_t available_memory();

/// "1.5 GiB"
[[nodiscard]] std::string readable_bytes(double bytes);

}  // namespace adamant::bench
