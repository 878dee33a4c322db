// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A system of which calls fail, are short, or do not come back.
#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/system.h"

namespace adamant::testing {

enum class SystemCall {
  make_folder,
  open_folder,
  open_at,
  status,
  status_at,
  set_mode,
  lock,
  allocate,
  read,
  write,
  sync,
  rename_at,
  unlink_at,
  close,
  names_in
};
inline constexpr int kSystemCalls = static_cast<int>(SystemCall::names_in) + 1;
inline constexpr const char* kSystemCallNames[kSystemCalls] = {
    "make_folder", "open_folder", "open_at", "status",    "status_at", "set_mode", "lock",    "allocate",
    "read",        "write",       "sync",    "rename_at", "unlink_at", "close",    "names_in"};

class FaultySystem final : public checkpoint::System {
 public:
  explicit FaultySystem(System& real) : real_(real) {}

  /// Called before each call, which fails with the errno that it returns; 0: the call is made.
  std::function<int(SystemCall)> before = [](SystemCall) { return 0; };
  /// How many bytes of so many are read or written at once; at least 1.
  std::function<std::size_t(std::size_t)> most = [](std::size_t bytes) { return bytes; };

  int make_folder(const char* path) override { return fails(SystemCall::make_folder) ? -1 : real_.make_folder(path); }
  int open_folder(const char* path) override { return fails(SystemCall::open_folder) ? -1 : real_.open_folder(path); }
  int open_at(int folder, const char* name, int flags, mode_t mode) override {
    return fails(SystemCall::open_at) ? -1 : real_.open_at(folder, name, flags, mode);
  }
  int status(int file, struct stat& status) override {
    return fails(SystemCall::status) ? -1 : real_.status(file, status);
  }
  int status_at(int folder, const char* name, struct stat& status) override {
    return fails(SystemCall::status_at) ? -1 : real_.status_at(folder, name, status);
  }
  int set_mode(int file, mode_t mode) override { return fails(SystemCall::set_mode) ? -1 : real_.set_mode(file, mode); }
  int lock(int file) override { return fails(SystemCall::lock) ? -1 : real_.lock(file); }
  int allocate(int file, off_t bytes) override {
    return fails(SystemCall::allocate) ? -1 : real_.allocate(file, bytes);
  }
  ssize_t read(int file, void* to, std::size_t bytes, off_t offset) override {
    return fails(SystemCall::read) ? -1 : real_.read(file, to, most(bytes), offset);
  }
  ssize_t write(int file, const void* from, std::size_t bytes, off_t offset) override {
    return fails(SystemCall::write) ? -1 : real_.write(file, from, most(bytes), offset);
  }
  int sync(int file) override { return fails(SystemCall::sync) ? -1 : real_.sync(file); }
  int rename_at(int folder, const char* from, const char* to) override {
    return fails(SystemCall::rename_at) ? -1 : real_.rename_at(folder, from, to);
  }
  int unlink_at(int folder, const char* name) override {
    return fails(SystemCall::unlink_at) ? -1 : real_.unlink_at(folder, name);
  }
  // It is closed whatever it returns, as on Linux.
  int close(int file) override {
    const bool failing = fails(SystemCall::close);
    const int error = errno, closed = real_.close(file);
    if (!failing) return closed;
    errno = error;
    return -1;
  }
  std::vector<std::string> names_in(int folder) override {
    return fails(SystemCall::names_in) ? std::vector<std::string>() : real_.names_in(folder);
  }

 private:
  bool fails(SystemCall call) {
    const int error = before(call);
    if (error != 0) errno = error;
    return error != 0;
  }
  System& real_;
};

/// The system of a scope.
class UseSystem {
 public:
  explicit UseSystem(checkpoint::System& system) { checkpoint::use_system(&system); }
  ~UseSystem() { checkpoint::use_system(nullptr); }
  UseSystem(const UseSystem&) = delete;
  UseSystem& operator=(const UseSystem&) = delete;
};

}  // namespace adamant::testing
