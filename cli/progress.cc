// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/progress.h"

#include <unistd.h>

#include <cstdlib>

#include "cli/say.h"

namespace adamant::cli {

Progress::Progress() {
  const char* kind = std::getenv("TERM");
  terminal_ = isatty(STDERR_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

void Progress::show(std::string_view before, std::uint64_t done, std::uint64_t total, std::string_view after) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  constexpr std::uint64_t kWidth = 20;
  const auto filled = static_cast<std::size_t>(total == 0 ? 0 : kWidth * done / total);
  // "\033[K" erases what is left of the bar before.
  say("\r{} [{}{}] {:3}% {}\033[K", before, std::string(filled, '#'), std::string(kWidth - filled, '-'),
      total == 0 ? 0 : 100 * done / total, after);
  shown_ = true;
}

void Progress::line(std::string_view text) {
  clear();
  say("{}\n", text);
}

void Progress::clear() {
  if (shown_) say("\r\033[K");
  shown_ = false;
  next_ = {};
}

}  // namespace adamant::cli
