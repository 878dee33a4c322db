// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/lines.h"

#include <sys/stat.h>
#include <unistd.h>

#include <adamant/error.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace adamant {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr std::size_t kLongest = std::size_t{64} << 20;
constexpr std::size_t kHead = 256;
constexpr const char* kReplaced = "another file has taken its place";

}  // namespace

Lines::Lines(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb")) {
  if (!file_) fail(std::strerror(errno));
  std::error_code error;
  place_ = std::filesystem::absolute(path_, error);
  if (error) fail(error.message());
}

std::optional<std::string_view> Lines::next() {
  for (std::size_t searched = begin_;;) {
    const std::size_t end = text_.find('\n', searched);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(text_).substr(begin_, end - begin_);
      begin_ = end + 1;
      ++number_;
      return line;
    }
    text_.erase(0, begin_);
    begin_ = 0;
    searched = text_.size();
    if (searched > kLongest) refuse_line(number_ + 1, "is longer than 64 MiB");
    text_.resize(searched + kChunk);
    std::clearerr(file_.get());
    const std::size_t got = std::fread(text_.data() + searched, 1, kChunk, file_.get());
    const int error = errno;
    text_.resize(searched + got);
    if (got == 0 && std::ferror(file_.get()) != 0) fail(std::strerror(error));
    read_ += got;
    // What is read after a while may be of another file that was written over this one.
    if (was_at_end_) check_content(searched);
    was_at_end_ = got < kChunk;
    head_.append(text_, searched, std::min(got, kHead - head_.size()));
    if (got == 0) return std::nullopt;
  }
}

void Lines::check_content(std::size_t known) {
  struct stat own{};
  const int file = fileno(file_.get());
  if (fstat(file, &own) != 0 || !S_ISREG(own.st_mode)) return;  // a pipe has no other content
  std::string head(head_.size(), '\0');
  const bool same = own.st_size >= static_cast<off_t>(read_) &&
                    pread(file, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) && head == head_;
  if (same) return;
  text_.resize(known);
  fail(kReplaced);
}

void Lines::check_place() const {
  struct stat own{}, there{};
  // A file that was removed has nothing in its place.
  if (fstat(fileno(file_.get()), &own) != 0 || stat(place_.c_str(), &there) != 0) return;
  if (own.st_ino != there.st_ino || own.st_dev != there.st_dev) fail(kReplaced);
}

void Lines::refuse_line(const std::string& why) const { refuse_line(std::max<std::size_t>(number_, 1), why); }
void Lines::refuse_line(std::size_t number, const std::string& why) const {
  throw Error(ErrorCode::io, path_ + ":" + std::to_string(number) + ": " + why);
}
void Lines::fail(const std::string& why) const {
  throw Error(ErrorCode::io, in_quotes(path_) + " cannot be read: " + why);
}

}  // namespace adamant
