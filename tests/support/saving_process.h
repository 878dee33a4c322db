// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A process that trains and saves until it is killed, and what must be there then.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/small_run.h"

namespace adamant::testing {

/// The states of a SmallRun after each number of steps.
class PassedStates {
 public:
  const std::string& at(std::uint64_t steps) {
    while (bits_.size() <= steps) {
      bits_.push_back(run_.bits());
      run_.step();
    }
    return bits_[steps];
  }
  /// In the folder, which no process has cleaned up yet, all checkpoints are whole, and the newest is a state that the
  /// run passed, and not of fewer steps than that. Returns its steps, or 0 where there is none.
  std::uint64_t expect_newest(const std::filesystem::path& folder, std::uint64_t least) {
    std::string newest;
    for (const std::string& name : names_in(folder)) {
      const bool whole = name.starts_with("step-") && name.find("-of-") == std::string::npos;
      if (!whole) continue;
      verify(folder / name);
      newest = std::max(newest, name);
    }
    if (newest.empty()) {
      EXPECT_EQ(least, 0u) << "nothing is left";
      return 0;
    }
    SmallRun reader;
    const CheckpointInfo info = load(*reader.optimizer, folder / newest, {.params = true});
    EXPECT_GE(info.state.steps, least);
    EXPECT_EQ(reader.bits(), at(info.state.steps)) << "after " << info.state.steps << " steps";
    return info.state.steps;
  }

 private:
  SmallRun run_;
  std::vector<std::string> bits_;
};

inline std::size_t temporary_files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::ranges::count_if(names_in(folder), [](const std::string& name) { return name.ends_with(".tmp"); }));
}

inline std::size_t parts_without_whole_in(const std::filesystem::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  return static_cast<std::size_t>(std::ranges::count_if(names, [&](const std::string& name) {
    constexpr std::size_t kWhole = std::string_view("step-000000000000").size();
    return name.find("-of-") != std::string::npos &&
           !std::ranges::binary_search(names, name.substr(0, kWhole) + ".safetensors");
  }));
}

/// Does it in a process of its own. Returns the signal that ended it, or 0; an exception is a failure.
template <class Do>
int in_child(const Do& act) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      act();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) throw std::runtime_error("fork");
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the process failed";
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

class SavingProcess {
 public:
  /// Goes on from the newest checkpoint of the folder, saves after each step and says so.
  SavingProcess(const std::filesystem::path& folder, const CheckpointsOptions& options, bool background) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ < 0) throw std::runtime_error("fork");
    if (child_ == 0) {
      ::close(ends[0]);
      try {
        save_for_ever(folder, options, background, ends[1]);
      } catch (...) {
        _exit(1);  // the disk is gone, for instance
      }
    }
    ::close(ends[1]);
    told_ = ends[0];
  }
  SavingProcess(const SavingProcess&) = delete;
  SavingProcess& operator=(const SavingProcess&) = delete;
  ~SavingProcess() {
    if (child_ > 0) kill();
  }

  void wait_for_save() const {
    pollfd ready = {told_, POLLIN, 0};
    constexpr int kMost = 10'000;  // ms
    poll(&ready, 1, kMost);
  }
  /// Returns the steps of the last checkpoint that it said was saved; 0 where it said nothing.
  std::uint64_t kill() {
    ::kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
    std::uint64_t steps = 0, last = 0;
    while (::read(told_, &steps, sizeof(steps)) == sizeof(steps)) last = steps;
    ::close(told_);
    return last;
  }

 private:
  [[noreturn]] static void save_for_ever(const std::filesystem::path& folder, const CheckpointsOptions& options,
                                         bool background, int told) {
    SmallRun run;
    Checkpoints checkpoints(folder, options);
    checkpoints.load_newest(*run.optimizer, {.params = true});
    for (;;) {
      run.step();
      if (background) {
        checkpoints.save_in_background(*run.optimizer);
        checkpoints.wait();
      } else {
        checkpoints.save(*run.optimizer);
      }
      const std::uint64_t steps = run.optimizer->steps();
      if (::write(told, &steps, sizeof(steps)) != sizeof(steps)) _exit(1);
    }
  }

  pid_t child_ = -1;
  int told_ = -1;
};

}  // namespace adamant::testing
