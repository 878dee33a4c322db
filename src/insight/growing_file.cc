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
#include <system_error>
#include <utility>

#include "base/forks.h"
#include "base/text.h"

namespace adamant {
namespace {

// Links, devices and pipes stay, and so does a file that may not be written.
bool may_be_replaced(const char* path) {
  struct stat there{};
  return lstat(path, &there) == 0 && S_ISREG(there.st_mode) && access(path, W_OK) == 0;
}

// Whether a folder lets no name in it be made, or be given to another file: it may not be written, or the file is
// another user's in one like /tmp, or mounted.
bool keeps_names(int error) { return error == EACCES || error == EPERM || error == EROFS || error == EBUSY; }

// Empties it. Where O_CREAT is given, folders like /tmp may refuse that to who may write the file.
std::FILE* open_old(const char* path) {
  const int file = ::open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
  return file < 0 ? nullptr : fdopen(file, "wb");
}

// The same file in every working folder.
std::filesystem::path whole(const std::string& path) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(path, error);
  if (!path.empty() && error) throw Error(ErrorCode::io, in_quotes(path) + " cannot be written: " + error.message());
  return place;
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
    : path_(std::move(path)), place_(whole(path_)), process_(getpid()), forks_(forks()) {
  use(std::fopen(path_.c_str(), "r+b"));
  check_kept(file_.get(), path_, keep);
  const auto end = static_cast<off_t>(keep);
  if (ftruncate(fileno(file_.get()), end) != 0 || fseeko(file_.get(), end, SEEK_SET) != 0) fail();
  size_ = keep;
}

GrowingFile::GrowingFile(std::string path, Existing existing)
    : path_(std::move(path)), place_(whole(path_)), process_(getpid()), forks_(forks()) {
  use(existing == Existing::refuse ? std::fopen(path_.c_str(), "wbx") : successor());
}

GrowingFile::~GrowingFile() {
  if (!file_ || inherited()) return;
  if (temporary_.empty()) {
    static_cast<void>(std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()));  // flush() tells
  }
  drop_temporary();
}

std::FILE* GrowingFile::successor() {
  if (!may_be_replaced(path_.c_str())) return std::fopen(path_.c_str(), "wb");
  std::FILE* file = nullptr;
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    temporary_ = place_.parent_path() / (".adamant-" + std::to_string(process_) + "-" + std::to_string(i) + ".log");
    file = std::fopen(temporary_.c_str(), "wbx");
    if (file != nullptr || errno != EEXIST) break;
  }
  if (file != nullptr) return file;
  temporary_.clear();
  return keeps_names(errno) ? open_old(path_.c_str()) : nullptr;
}

void GrowingFile::use(std::FILE* file) {
  if (file == nullptr) fail();
  file_.reset(file);
  std::setvbuf(file, nullptr, _IONBF, 0);
}

void GrowingFile::write_waiting() {
  if (std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()) != waiting_.size()) fail();
}

void GrowingFile::take_place() {
  if (std::rename(temporary_.c_str(), place_.c_str()) == 0) {
    temporary_.clear();
    return;
  }
  if (!keeps_names(errno)) fail();
  drop_temporary();
  use(open_old(place_.c_str()));
  write_waiting();
}

void GrowingFile::drop_temporary() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
}

void GrowingFile::add(std::string_view record) {
  constexpr std::size_t kMuch = std::size_t{1} << 20;  // bytes
  check();
  waiting_ += record;
  if (waiting_.size() > kMuch) flush();
}

void GrowingFile::flush() {
  check();
  if (file_) write_waiting();
  if (!temporary_.empty()) take_place();
  size_ += waiting_.size();
  waiting_.clear();
  flushed_ = Clock::now();
}

void GrowingFile::sync() {
  flush();
  // Pipes and devices have nothing to wait for.
  const auto wait_for = [](int file) { return fsync(file) == 0 || errno == EINVAL || errno == EROFS; };
  if (file_ && !wait_for(fileno(file_.get()))) fail();
  if (in_folder_) return;
  const int names = ::open(place_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (names < 0) {
    throw Error(ErrorCode::io, in_quotes(path_) + " may not outlast a power cut: its folder cannot be opened: " +
                                   std::strerror(errno));
  }
  const bool done = wait_for(names);
  const int error = errno;
  ::close(names);
  errno = error;
  if (!done) fail();
  in_folder_ = true;
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
  drop_temporary();
  throw Error(ErrorCode::io, failure_);
}

}  // namespace adamant
