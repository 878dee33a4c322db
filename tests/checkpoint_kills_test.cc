// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Processes that are killed while they save, load and clean up: what they said was saved is there, and whatever is
// there is a state that the run passed, bit by bit.
#include <gtest/gtest.h>

#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <thread>

#include "tests/support/checkpoint_ways.h"
#include "tests/support/faulty_system.h"
#include "tests/support/files.h"
#include "tests/support/saving_process.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

/// In memory, where there is such a folder: what a process has written stays when it dies, whether it is on a disk or
/// not.
fs::path in_memory() {
  const fs::path shared = "/dev/shm";
  return access(shared.c_str(), W_OK) == 0 ? shared : fs::temp_directory_path();
}

const CheckpointsOptions kOptions[] = {{.keep = 2, .params = true}, {.keep = 1, .params = true, .max_file_bytes = 700}};

TEST(Kills, AtAnyMomentLoseNothingThatWasSaved) {
  const std::size_t kills = 2000 * repeats();
  constexpr std::size_t kOfOneFolder = 100;
  std::size_t saved = 0, in_background = 0;
  PassedStates states;
  for (std::size_t first = 0; first < kills; first += kOfOneFolder) {
    TemporaryFolder folder(in_memory());
    const CheckpointsOptions& options = kOptions[first / kOfOneFolder % std::size(kOptions)];
    std::uint64_t least = 0;
    for (std::size_t kill = first; kill < first + kOfOneFolder; ++kill) {
      const bool background = kill % 4 == 3;
      SavingProcess process(folder.path(), options, background);
      // Half of them are killed at once; the others once they have saved, that the run goes on.
      if (kill % 2 == 0) process.wait_for_save();
      std::this_thread::sleep_for(std::chrono::microseconds(random_bits(kill) % 2000));
      const std::uint64_t told = process.kill();
      saved += told > least;
      least = std::max(least, told);
      in_background += background;
      least = std::max(least, states.expect_newest(folder.path(), least));
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GE(saved, kills / 4);
  std::cout << kills << " kills at random, " << in_background << " of them while saving in the background\n";
}

/// Does something in a process of its own that is killed at its n-th call of the system. Returns whether it was, and so
/// did not come to its end.
template <class Do>
bool killed_at(int number, const Do& act) {
  return in_child([&] {
           checkpoint::System real;
           FaultySystem system(real);
           int calls = 0;
           system.before = [&](SystemCall) {
             if (++calls == number) ::kill(getpid(), SIGKILL);
             return 0;
           };
           const UseSystem use(system);
           act();
         }) == SIGKILL;
}

/// Names of files, without the random ones of temporary files, and their sizes.
std::string shape_of(const fs::path& folder) {
  std::string shape;
  std::multiset<std::uintmax_t> temporary;
  for (const std::string& name : names_in(folder)) {
    const std::uintmax_t size = fs::file_size(folder / name);
    if (name.ends_with(".tmp")) {
      temporary.insert(size);
    } else {
      shape += name + ":" + std::to_string(size) + "\n";
    }
  }
  for (const std::uintmax_t size : temporary) shape += std::to_string(size) + "\n";
  return shape;
}

TEST(Kills, AtEveryCallOfTheSystemLoseNothing) {
  std::size_t while_saving = 0, while_recovering = 0;
  PassedStates states;
  for (const CheckpointsOptions& options : kOptions) {
    TemporaryFolder folder(in_memory());
    const fs::path before = folder.path() / "before", after = folder.path() / "after", again = folder.path() / "again";
    {
      SmallRun run;
      Checkpoints checkpoints(before, options);
      for (int i = 0; i < 2; ++i) checkpoints.save(*run.step().optimizer);
    }
    const auto recover = [&](const fs::path& place) {
      SmallRun run;
      Checkpoints checkpoints(place, options);
      checkpoints.load_newest(*run.optimizer, {.params = true});
      checkpoints.remove_after(run.optimizer->steps());
    };
    std::set<std::string> seen;
    for (int saving = 1;; ++saving) {
      fs::remove_all(after);
      fs::copy(before, after);
      const bool killed = killed_at(saving, [&] {
        SmallRun run;
        Checkpoints checkpoints(after, options);
        checkpoints.load_newest(*run.optimizer, {.params = true});
        checkpoints.save(*run.step().optimizer);
      });
      ASSERT_GE(states.expect_newest(after, killed ? 2 : 3), 2u);
      if (!killed) break;
      ++while_saving;
      // What it left is cleaned up by a process that is killed, too; and that by another one. Once for files of the
      // same names and sizes, unless there is time.
      if (!seen.insert(shape_of(after)).second && repeats() == 1) continue;
      for (int recovering = 1;; ++recovering) {
        fs::remove_all(again);
        fs::copy(after, again);
        if (!killed_at(recovering, [&] { recover(again); })) break;
        ++while_recovering;
        ASSERT_GE(states.expect_newest(again, 2), 2u);
        recover(again);
        ASSERT_EQ(temporary_files_in(again), 0u);
        ASSERT_EQ(parts_without_whole_in(again), 0u);
        ASSERT_GE(states.expect_newest(again, 2), 2u);
      }
      if (HasFatalFailure()) return;
    }
  }
  std::cout << while_saving << " kills at every call of load and save, " << while_recovering
            << " at every call of what cleans up after each\n";
}

}  // namespace
}  // namespace adamant::testing
