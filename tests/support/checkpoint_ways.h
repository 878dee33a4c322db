// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The ways to save, each with a checkpoint that is there before and one that is to take its place.
#pragma once

#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/faulty_system.h"
#include "tests/support/memory_system.h"
#include "tests/support/small_run.h"

namespace adamant::testing {

// Paths of the system in memory.
inline const std::string kFolder = "/adamant-memory", kPath = kFolder + "/run.safetensors",
                         kRun = kFolder + "/runs/one";

/// How often a test does what takes time; `make soak` asks for more.
inline std::size_t repeats() {
  const char* times = std::getenv("ADAMANT_SOAK");
  return times == nullptr ? 1 : std::max<std::size_t>(std::strtoull(times, nullptr, 10), 1);
}

/// A way to save, and to load what it saved.
struct Way {
  std::string name;
  std::function<void(const SmallRun&)> save;
  bool of_run;  // a folder of Checkpoints
};

inline void to_checkpoints(const SmallRun& run, const CheckpointsOptions& options, bool background) {
  Checkpoints checkpoints(kRun, options);
  if (!background) return checkpoints.save(*run.optimizer);
  checkpoints.save_in_background(*run.optimizer);
  checkpoints.wait();
}

inline const std::vector<Way>& ways() {
  static const std::vector<Way> kWays = {
      {"one file", [](const SmallRun& run) { save(*run.optimizer, kPath, {.params = true}); }, false},
      {"several files",
       [](const SmallRun& run) { save(*run.optimizer, kPath, {.params = true, .max_file_bytes = 700}); }, false},
      {"of a run", [](const SmallRun& run) { to_checkpoints(run, {.keep = 1, .params = true}, false); }, true},
      {"of a run, several files",
       [](const SmallRun& run) { to_checkpoints(run, {.keep = 1, .params = true, .max_file_bytes = 700}, false); },
       true},
      {"of a run, in the background",
       [](const SmallRun& run) { to_checkpoints(run, {.keep = 2, .params = true}, true); }, true},
  };
  return kWays;
}

/// Loads what is there by this way; "" where there is nothing.
inline std::string loaded(const Way& way, SmallRun& run) {
  if (!way.of_run) {
    load(*run.optimizer, kPath, {.params = true});
  } else if (!Checkpoints(kRun).load_newest(*run.optimizer, {.params = true})) {
    return "";
  }
  return run.bits();
}

inline std::size_t temporary_files(const MemoryFiles& files) {
  std::size_t count = 0;
  for (const auto& [folder, names] : files.folders) {
    for (const auto& [name, file] : names) count += name.ends_with(".tmp");
  }
  return count;
}

/// The two states between which a save stands.
struct OldAndNew {
  SmallRun older = SmallRun(), newer = SmallRun();
  std::string old_bits, new_bits;
  OldAndNew() {
    old_bits = older.step(2).bits();
    new_bits = newer.step(3).bits();
  }
  /// A system that has the old one, readable by its owner alone.
  [[nodiscard]] MemorySystem before(const Way& way) const {
    MemorySystem memory(kFolder);
    const UseSystem use(memory);
    way.save(older);
    for (auto& [file, mode] : memory.files.modes) mode = 0600;
    return MemorySystem(memory.files);
  }
};

}  // namespace adamant::testing
