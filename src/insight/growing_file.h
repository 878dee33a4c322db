// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A file that only grows, record by record, while others may read it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace adamant {

/// Records wait in memory until they are handed over to the system; from then on they can be read, also after the
/// process was killed. Throws Error (io), naming path and reason, where the file cannot be written; then it is closed,
/// and each later call throws the same again. It belongs to the process that opened it: in a child of fork() nothing of
/// it is written, and calls throw. Its path means the same if the working folder changes later.
class GrowingFile {
 public:
  /// `replace` makes a new file in the place of an old one, so that who reads the old one is not led into the new one.
  /// The old one stays until the first flush, and where that fails. What is no regular file, or in a folder that may
  /// not be written, is written itself.
  enum class Existing { replace, refuse };

  GrowingFile(std::string path, Existing existing);
  /// Goes on with a file that is there, whose first `keep` bytes are records; what follows them is cut off.
  GrowingFile(std::string path, std::uint64_t keep);
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  /// Hands over what is left; here errors are silent.
  ~GrowingFile();

  void add(std::string_view record);
  void flush();
  /// Hands over what has waited for so long.
  void flush_after(double seconds);
  /// Hands over everything, and waits until it outlasts a power cut. Where only the folder cannot be opened, throws
  /// Error (io), and the file goes on.
  void sync();
  void close();

  /// Throws what went wrong before.
  void check() const;
  [[nodiscard]] bool open() const { return file_ != nullptr; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Bytes that were handed over, with those of before.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// Opens a file for what is to be in the place of another; nullptr: errno tells.
  std::FILE* successor();
  void use(std::FILE* file);
  void write_waiting();
  void take_place();
  void drop_temporary();
  [[noreturn]] void fail();

  [[nodiscard]] bool inherited() const;

  std::string path_;
  std::filesystem::path place_;  // the same in every working folder
  pid_t process_;
  int forks_;  // that led to it
  std::unique_ptr<std::FILE, Close> file_;
  std::filesystem::path temporary_;  // its name, until the old file is replaced
  std::string waiting_;
  std::uint64_t size_ = 0;
  bool in_folder_ = false;  // its name outlasts a power cut
  Clock::time_point flushed_ = Clock::now();
  std::string failure_;
};

}  // namespace adamant
