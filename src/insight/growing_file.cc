// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/growing_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <adamant/error.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
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

}  // namespace

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
  waiting_.clear();
  flushed_ = Clock::now();
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
