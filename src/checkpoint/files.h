// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Files of which there is always the old one or the new one. All that goes wrong is an Error (io) that names the path
// and what the system says.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace adamant::checkpoint {

using Path = std::filesystem::path;

/// An open file or folder.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int number() const { return number_; }
  /// Closes it. Returns what the system returns.
  int close();

 private:
  int number_;
};

/// A folder that is held open, so that what is done in it is done in the same folder, wherever that is moved.
class Folder {
 public:
  explicit Folder(Path path);
  /// Made, with what leads to it, where it is not there; then it outlasts a power cut.
  [[nodiscard]] static Folder made(const Path& path);

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] int number() const { return open_.number(); }
  [[nodiscard]] std::vector<std::string> names() const;
  /// Throws Error (io) where its path leads to another folder by now, or to none.
  void check_path() const;
  /// Makes what was renamed and removed here last.
  void sync() const;
  /// Removes a file. Returns whether it was there.
  bool remove(const std::string& name) const;
  /// Removes the temporary files of processes that are gone.
  void remove_orphans() const;

 private:
  Path path_;
  Descriptor open_;
};

/// The folder of a file and the name in it; a link is followed first.
struct Place {
  Folder folder;
  std::string name;
};
[[nodiscard]] Place place_of(const Path& path);

/// A regular file to be read. It must not change meanwhile.
class File {
 public:
  explicit File(const Path& path);

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Fills `to` with the bytes from `offset` on.
  void read(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  Path path_;
  Descriptor open_;
  std::uint64_t size_ = 0;
};

/// A file that is written beside its name, under a name of its own, and takes its place once it is whole. Until then it
/// is removed by the destructor, and by remove_orphans() if the process does not come to that.
class NewFile {
 public:
  /// For `name` in the folder, or a name that begins so. It is to have so many bytes, and who may read it is who may
  /// read what has that name now.
  NewFile(const Folder& folder, std::string name, std::uint64_t bytes);
  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// It outlasts a power cut from now on, under its temporary name. Whatever of this fails is not tried again: what the
  /// system could not write it may have forgotten.
  void sync();
  /// Takes the place of `name`, which may be there. Folder::sync() makes it last.
  void rename(const std::string& name);

 private:
  NewFile(const Folder& folder, std::string name);
  void create(mode_t mode);
  [[noreturn]] void fail(int error) const;

  const Folder* folder_;
  std::string name_;
  std::uint64_t unsynced_ = 0;  // bytes written since the disk was told to begin
  std::string temporary_;       // empty once it has its name
  Descriptor open_;
};

/// Throws Error (io): "'path' cannot be read: No such file or directory".
[[noreturn]] void refuse_file(const Path& path, const std::string& what, int error);

}  // namespace adamant::checkpoint
