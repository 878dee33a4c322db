// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/machine.h"

#include <oneapi/tbb/info.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace adamant::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value of the first "key   : value" line.
std::string field(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

// "32768K" in bytes.
std::size_t kib_text(const std::string& text) {
  std::size_t number = 0;
  std::istringstream(text) >> number;
  return number << (text.ends_with('M') ? 20 : text.ends_with('K') ? 10 : 0);
}

void find_caches(Machine& machine) {
  struct Level {
    std::size_t bytes = 0;
    std::set<std::string> shared_by;  // one entry for each cache of this level
  };
  std::map<int, Level> levels;
  for (int cpu = 0;; ++cpu) {
    const std::string cpu_path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index";
    if (first_line(cpu_path + "0/level").empty()) break;
    for (int index = 0;; ++index) {
      const std::string path = cpu_path + std::to_string(index) + "/";
      const std::string level = first_line(path + "level");
      if (level.empty()) break;
      if (first_line(path + "type") == "Instruction") continue;
      Level& entry = levels[std::stoi(level)];
      entry.bytes = kib_text(first_line(path + "size"));
      entry.shared_by.insert(first_line(path + "shared_cpu_list"));
    }
  }
  for (const auto& [level, entry] : levels) {
    machine.caches += (machine.caches.empty() ? "L" : ", L") + std::to_string(level) + (level == 1 ? "d " : " ") +
                      readable_bytes(static_cast<double>(entry.bytes));
    if (entry.shared_by.size() > 1) machine.caches += " × " + std::to_string(entry.shared_by.size());
    machine.last_level_cache = entry.bytes * entry.shared_by.size();
  }
}

}  // namespace

Machine machine() {
  Machine machine;
  machine.cpu = field("/proc/cpuinfo", "model name");
  if (machine.cpu.empty()) machine.cpu = "unknown CPU";
  machine.threads = tbb::info::default_concurrency();
  find_caches(machine);
#if defined(__clang__)
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "g++ " __VERSION__;
#endif
  while (machine.compiler.ends_with(' ')) machine.compiler.pop_back();
  return machine;
}

std::size_t available_memory() {
  std::size_t available = std::numeric_limits<std::size_t>::max();
  if (const std::string kib = field("/proc/meminfo", "MemAvailable"); !kib.empty()) available = std::stoull(kib) << 10;
  const std::string limit = first_line("/sys/fs/cgroup/memory.max");
  const std::string used = first_line("/sys/fs/cgroup/memory.current");
  if (!limit.empty() && limit != "max" && !used.empty()) {
    const std::size_t most = std::stoull(limit), now = std::stoull(used);
    available = std::min(available, most > now ? most - now : 0);
  }
  return available;
}

std::string readable_bytes(double bytes) {
  const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024.0 && unit < 4; ++unit) bytes /= 1024.0;
  char text[32];
  std::snprintf(text, sizeof(text), bytes < 9.95 && bytes != static_cast<int>(bytes) ? "%.1f %s" : "%.0f %s", bytes,
                units[unit]);
  return text;
}

}  // namespace adamant::bench
