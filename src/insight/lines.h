// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The lines of a file that may grow while it is read: what a GrowingFile writes.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace adamant {

/// A line counts once its end is there. Throws Error (io), naming path and reason, where the file cannot be read, where
/// a line is too long, and where another file has taken its place, under its name or in its memory on disk.
class Lines {
 public:
  explicit Lines(std::string path);

  /// The next line, valid until the next call; nothing where there is none yet.
  std::optional<std::string_view> next();
  /// Throws where the path has another file by now, so that nothing will come after the lines there were.
  void check_place() const;
  /// Throws what is wrong with the line that next() gave.
  [[noreturn]] void refuse_line(const std::string& why) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// Throws where the file no longer begins as it did, or is shorter than what was read; `text_` is then as long as
  /// `known`.
  void check_content(std::size_t known);
  [[noreturn]] void fail(const std::string& why) const;
  [[noreturn]] void refuse_line(std::size_t number, const std::string& why) const;

  std::string path_;
  std::filesystem::path place_;  // the same in every working folder
  std::unique_ptr<std::FILE, Close> file_;
  std::string head_;         // the first bytes of the file, by which it is known
  std::size_t read_ = 0;     // bytes
  std::string text_;         // read and not yet given
  std::size_t begin_ = 0;    // in it
  std::size_t number_ = 0;   // of the last line given
  bool was_at_end_ = false;  // when the file was read last
};

}  // namespace adamant
