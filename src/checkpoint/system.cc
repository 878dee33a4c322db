// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace adamant::checkpoint {

int System::make_folder(const char* path) { return ::mkdir(path, 0777); }

int System::open_folder(const char* path) { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

int System::open_at(int folder, const char* name, int flags, mode_t mode) {
  return ::openat(folder, name, flags | O_CLOEXEC, mode);
}

int System::status(int file, struct stat& status) { return ::fstat(file, &status); }

int System::status_at(int folder, const char* name, struct stat& status) {
  return ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW);
}

int System::set_mode(int file, mode_t mode) { return ::fchmod(file, mode); }

int System::lock(int file) { return ::flock(file, LOCK_EX | LOCK_NB); }

int System::allocate(int file, off_t bytes) {
#ifdef __linux__
  return ::fallocate(file, 0, 0, bytes);
#else
  return ::ftruncate(file, bytes);
#endif
}

ssize_t System::read(int file, void* to, std::size_t bytes, off_t offset) { return ::pread(file, to, bytes, offset); }

ssize_t System::write(int file, const void* from, std::size_t bytes, off_t offset) {
  return ::pwrite(file, from, bytes, offset);
}

void System::begin_sync([[maybe_unused]] int file, [[maybe_unused]] off_t offset, [[maybe_unused]] off_t bytes) {
#ifdef __linux__
  static_cast<void>(::sync_file_range(file, offset, bytes, SYNC_FILE_RANGE_WRITE));
#endif
}

int System::sync(int file) { return ::fsync(file); }

int System::rename_at(int folder, const char* from, const char* to) { return ::renameat(folder, from, folder, to); }

int System::unlink_at(int folder, const char* name) { return ::unlinkat(folder, name, 0); }

int System::close(int file) { return ::close(file); }

std::vector<std::string> System::names_in(int folder) {
  struct Close {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return {};
  const std::unique_ptr<DIR, Close> open(::fdopendir(again));
  if (!open) {
    const int error = errno;
    ::close(again);
    errno = error;
    return {};
  }
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(open.get());) names.emplace_back(entry->d_name);
  return errno == 0 ? names : std::vector<std::string>();
}

namespace {

System& real() {
  static System system;
  return system;
}

std::atomic<System*> in_use{nullptr};

}  // namespace

System& system() {
  System* replacement = in_use.load(std::memory_order_acquire);
  return replacement != nullptr ? *replacement : real();
}

void use_system(System* replacement) { in_use.store(replacement, std::memory_order_release); }

}  // namespace adamant::checkpoint
