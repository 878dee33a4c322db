// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>

#include "cli/say.h"

namespace adamant::cli {
namespace {

// Of the terminal, in characters; as many as one likes where it does not know.
std::size_t columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : std::numeric_limits<std::size_t>::max();
}

}  // namespace

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
  const std::string percent = fmt::format("{:3}%", total == 0 ? 0 : 100 * done / total);
  std::string text = fmt::format("{} [{}{}] {} {}", before, std::string(filled, '#'), std::string(kWidth - filled, '-'),
                                 percent, after);
  // A line that wraps could not be erased. The last column stays free, for some terminals wrap there. All is ASCII.
  const std::size_t most = columns() - 1;
  if (text.size() > most) text = fmt::format("{} {} {}", before, percent, after);
  if (text.size() > most) text = fmt::format("{} {}", percent, before).substr(0, most);
  // "\033[K" erases what is left of the bar before.
  say("\r{}\033[K", text);
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
