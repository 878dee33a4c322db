// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/growing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <adamant/error.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/forks.h"
#include "base/text.h"

namespace adamant {
namespace {

// Links, devices and pipes stay, and so does a file that may not be written.
void remove_old(const char* path) {
  struct stat there{};
  if (lstat(path, &there) == 0 && S_ISREG(there.st_mode) && access(path, W_OK) == 0) unlink(path);
}

std::FILE* open_file(const char* path, GrowingFile::Existing existing) {
  if (existing == GrowingFile::Existing::refuse) return std::fopen(path, "wbx");
  remove_old(path);
  return std::fopen(path, "wb");
}

// Throws Error (io) unless the path has a file of at least so many bytes, the last of which ends a line.
void check_kept(std::FILE* file, const std::string& path, std::uint64_t keep) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::io, in_quotes(path) + " cannot go on: " + why);
  };
  struct stat there{};
  if (fstat(fileno(file), &there) != 0) refuse(std::strerror(errno));
  if (!S_ISREG(there.st_mode)) refuse("it is not a regular file");
  if (static_cast<std::uint64_t>(there.st_size) < keep) {
    refuse("it has " + std::to_string(there.st_size) + " bytes, and had " + std::to_string(keep));
  }
  char last = 0;
  if (keep == 0 || pread(fileno(file), &last, 1, static_cast<off_t>(keep - 1)) != 1 || last != '\n') {
    refuse("its byte " + std::to_string(keep) + " ended a line, and does not any more");
  }
}

}  // namespace

GrowingFile::GrowingFile(std::string path, std::uint64_t keep)
    : path_(std::move(path)), process_(getpid()), forks_(forks()), file_(std::fopen(path_.c_str(), "r+b")) {
  if (!file_) fail();
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
  check_kept(file_.get(), path_, keep);
  const auto end = static_cast<off_t>(keep);
  if (ftruncate(fileno(file_.get()), end) != 0 || fseeko(file_.get(), end, SEEK_SET) != 0) fail();
  size_ = keep;
}

GrowingFile::GrowingFile(std::string path, Existing existing)
    : path_(std::move(path)), process_(getpid()), forks_(forks()), file_(open_file(path_.c_str(), existing)) {
  if (!file_) fail();
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

GrowingFile::~GrowingFile() {
  if (!file_ || inherited()) return;
  static_cast<void>(std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()));  // flush() tells
}

void GrowingFile::add(std::string_view record) {
  constexpr std::size_t kMuch = std::size_t{1} << 20;  // bytes
  check();
  waiting_ += record;
  if (waiting_.size() > kMuch) flush();
}

void GrowingFile::flush() {
  check();
  if (file_ && std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()) != waiting_.size()) fail();
  size_ += waiting_.size();
  waiting_.clear();
  flushed_ = Clock::now();
}

void GrowingFile::sync() {
  flush();
  // Pipes and devices have nothing to wait for.
  const auto wait_for = [](int file) { return fsync(file) == 0 || errno == EINVAL || errno == EROFS; };
  if (file_ && !wait_for(fileno(file_.get()))) fail();
  if (std::exchange(in_folder_, true)) return;
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  const int names = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (names < 0) fail();
  const bool done = wait_for(names);
  ::close(names);
  if (!done) fail();
}

void GrowingFile::flush_after(double seconds) {
  if (std::chrono::duration<double>(Clock::now() - flushed_).count() >= seconds) flush();
}

void GrowingFile::close() {
  flush();
  if (file_ && std::fclose(file_.release()) != 0) fail();
}

void GrowingFile::check() const {
  if (!failure_.empty()) throw Error(ErrorCode::io, failure_);
  if (inherited()) {
    throw Error(ErrorCode::io, in_quotes(path_) + " cannot be written: it belongs to the process " +
                                   std::to_string(process_) + ", of which this one is a fork");
  }
}

bool GrowingFile::inherited() const { return forks() != forks_; }

void GrowingFile::fail() {
  failure_ = in_quotes(path_) + " cannot be written: " + std::strerror(errno);
  file_.reset();
  throw Error(ErrorCode::io, failure_);
}

}  // namespace adamant
