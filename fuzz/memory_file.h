// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A file that the library reads from memory, without the system.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "checkpoint/system.h"
#include "tests/support/memory_system.h"

namespace adamant::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::string bytes) : system_(kFolder) {
    system_.files.folders[kFolder]["x"] = 1;
    system_.files.contents[1] = std::move(bytes);
    system_.files.modes[1] = 0600;
    checkpoint::use_system(&system_);
  }
  ~MemoryFile() { checkpoint::use_system(nullptr); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] static std::string path() { return std::string(kFolder) + "/x"; }
  [[nodiscard]] std::string contents() const {
    return system_.files.contents.at(system_.files.folders.at(kFolder).at("x"));
  }

 private:
  static constexpr const char* kFolder = "/adamant-memory";
  testing::MemorySystem system_;
};

}  // namespace adamant::fuzz
