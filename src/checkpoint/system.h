// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The calls of the operating system that files need, and nothing else, so that tests can put faults, kills and power
// cuts in their place.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace adamant::checkpoint {

/// Each call is one call of the system of that name: it returns what that returns, and sets errno where it fails.
class System {
 public:
  System() = default;
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  virtual ~System() = default;

  virtual int make_folder(const char* path);
  virtual int open_folder(const char* path);
  virtual int open_at(int folder, const char* name, int flags, mode_t mode);
  virtual int status(int file, struct stat& status);
  virtual int status_at(int folder, const char* name, struct stat& status);  // of a link, not of what it leads to
  virtual int set_mode(int file, mode_t mode);
  /// Takes the lock of a file for this process, without waiting.
  virtual int lock(int file);
  /// Reserves memory on the disk, so that it does not run out later.
  virtual int allocate(int file, off_t bytes);
  virtual ssize_t read(int file, void* to, std::size_t bytes, off_t offset);
  virtual ssize_t write(int file, const void* from, std::size_t bytes, off_t offset);
  /// Begins to bring what was written to the disk, and does not wait. A hint: that it fails means nothing.
  virtual void begin_sync(int file, off_t offset, off_t bytes);
  /// Of a file its content, of a folder its names: they outlast a power cut from now on.
  virtual int sync(int file);
  virtual int rename_at(int folder, const char* from, const char* to);
  virtual int unlink_at(int folder, const char* name);
  virtual int close(int file);
  /// Names of what lies in a folder. Empty, with errno set, where it cannot be read.
  virtual std::vector<std::string> names_in(int folder);
};

[[nodiscard]] System& system();
/// From now on, for all threads; null: the real one.
void use_system(System* replacement);

}  // namespace adamant::checkpoint
