// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a long command says while it works, on standard error: a bar on a terminal, else lines only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace adamant::cli {

class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows the bar at done/total with a text before and one after it; on a terminal, and at most ten times a second.
  void show(std::string_view before, std::uint64_t done, std::uint64_t total, std::string_view after);
  /// Prints a line that stays.
  void line(std::string_view text);
  /// Takes the bar away, so that other lines can be printed; the next show() shows it at once.
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace adamant::cli
