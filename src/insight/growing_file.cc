#include "insight/growing_file.h"

#include <adamant/error.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace adamant {

GrowingFile::GrowingFile(std::string path, Existing existing)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), existing == Existing::replace ? "wb" : "wbx")) {
  if (!file_) fail();
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
}

GrowingFile::~GrowingFile() {
  if (file_) static_cast<void>(std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()));  // flush() tells
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
}

void GrowingFile::fail() {
  failure_ = in_quotes(path_) + " cannot be written: " + std::strerror(errno);
  file_.reset();
  throw Error(ErrorCode::io, failure_);
}

}  // namespace adamant
