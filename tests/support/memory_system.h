// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A file system in memory, which also knows what a power cut may leave of it.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/system.h"

namespace adamant::testing {

/// What the files and folders of a MemorySystem are. A file is known by a number, which its names lead to.
struct MemoryFiles {
  using Names = std::map<std::string, int>;
  std::map<std::string, Names> folders;  // by path, without a slash at the end
  std::map<int, std::string> contents;
  std::map<int, mode_t> modes;

  [[nodiscard]] bool contains(const std::string& folder, const std::string& name) const {
    const auto found = folders.find(folder);
    return found != folders.end() && found->second.contains(name);
  }
  /// What a folder has, by name.
  [[nodiscard]] std::map<std::string, std::string> in(const std::string& folder) const {
    std::map<std::string, std::string> all;
    for (const auto& [name, file] : folders.at(folder)) all[name] = contents.at(file);
    return all;
  }
};

/// A change of files or folders, or a call that makes earlier ones last.
struct MemoryChange {
  enum Kind { make_folder, create, allocate, write, rename, unlink, set_mode, sync_file, sync_folder };
  Kind kind;
  std::string folder{};  // in which a name is made, changed or removed; of sync_folder, which one
  std::string name{}, to{};
  int file = 0;
  std::size_t offset = 0;  // of write; of allocate, how many bytes there are to be
  std::string bytes{};     // of write
  mode_t mode = 0;
};

class MemorySystem : public checkpoint::System {
 public:
  explicit MemorySystem(const std::string& folder) { files.folders[folder]; }
  explicit MemorySystem(MemoryFiles from) : files(std::move(from)) {
    for (const auto& [file, bytes] : files.contents) next_file_ = std::max(next_file_, file + 1);
  }

  MemoryFiles files;
  /// Where it is set, each change is added to it.
  std::vector<MemoryChange>* changes = nullptr;

  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  /// As when a process ends: what it has open is closed.
  void close_all() { open_.clear(); }

  int make_folder(const char* path) override {
    const auto [parent, name] = split(path);
    if (!files.folders.contains(parent)) return fail(ENOENT);
    if (!files.folders.try_emplace(path).second) return fail(EEXIST);
    note({.kind = MemoryChange::make_folder, .folder = parent, .name = path});
    return 0;
  }
  int open_folder(const char* path) override {
    if (!files.folders.contains(path)) return fail(ENOENT);
    return opened({.folder = path});
  }
  int open_at(int folder, const char* name, int flags, mode_t mode) override {
    std::string where, its = name;
    if (folder == AT_FDCWD) {
      std::tie(where, its) = split(name);
    } else {
      where = open_.at(folder).folder;
    }
    const auto found = files.folders.find(where);
    if (found == files.folders.end()) return fail(ENOENT);
    const auto file = found->second.find(its);
    if ((flags & O_CREAT) == 0) return file == found->second.end() ? fail(ENOENT) : opened({.file = file->second});
    if (file != found->second.end()) return fail(EEXIST);  // O_EXCL
    const int number = next_file_++;
    found->second[its] = number;
    files.contents[number];
    files.modes[number] = mode & ~mode_t{022};
    note({.kind = MemoryChange::create, .folder = where, .name = its, .file = number, .mode = mode & ~mode_t{022}});
    return opened({.file = number});
  }
  int status(int file, struct stat& status) override {
    const Open& open = open_.at(file);
    if (open.folder.empty()) return describe(open.file, status);
    status = {};
    status.st_mode = S_IFDIR;
    status.st_ino = reinterpret_cast<std::uintptr_t>(&files.folders.at(open.folder));
    return 0;
  }
  int status_at(int folder, const char* name, struct stat& status) override {
    const auto& names = files.folders.at(open_.at(folder).folder);
    const auto found = names.find(name);
    return found == names.end() ? fail(ENOENT) : describe(found->second, status);
  }
  int set_mode(int file, mode_t mode) override {
    const int number = open_.at(file).file;
    files.modes[number] = mode;
    note({.kind = MemoryChange::set_mode, .file = number, .mode = mode});
    return 0;
  }
  int lock(int file) override {
    for (const auto& [other, its] : open_) {
      if (other != file && its.locked && its.file == open_.at(file).file) return fail(EWOULDBLOCK);
    }
    open_.at(file).locked = true;
    return 0;
  }
  int allocate(int file, off_t bytes) override {
    const int number = open_.at(file).file;
    std::string& contents = files.contents.at(number);
    if (contents.size() < static_cast<std::size_t>(bytes)) contents.resize(static_cast<std::size_t>(bytes));
    note({.kind = MemoryChange::allocate, .file = number, .offset = static_cast<std::size_t>(bytes)});
    return 0;
  }
  ssize_t read(int file, void* to, std::size_t bytes, off_t offset) override {
    const std::string& contents = files.contents.at(open_.at(file).file);
    const auto first = static_cast<std::size_t>(offset);
    if (first >= contents.size()) return 0;
    return static_cast<ssize_t>(contents.copy(static_cast<char*>(to), bytes, first));
  }
  ssize_t write(int file, const void* from, std::size_t bytes, off_t offset) override {
    const int number = open_.at(file).file;
    put(files.contents.at(number), static_cast<std::size_t>(offset), {static_cast<const char*>(from), bytes});
    note({.kind = MemoryChange::write,
          .file = number,
          .offset = static_cast<std::size_t>(offset),
          .bytes = {static_cast<const char*>(from), bytes}});
    return static_cast<ssize_t>(bytes);
  }
  int sync(int file) override {
    const Open& open = open_.at(file);
    const bool folder = !open.folder.empty();
    note({.kind = folder ? MemoryChange::sync_folder : MemoryChange::sync_file,
          .folder = open.folder,
          .file = open.file});
    return 0;
  }
  int rename_at(int folder, const char* from, const char* to) override {
    const std::string& where = open_.at(folder).folder;
    auto& names = files.folders.at(where);
    const auto found = names.find(from);
    if (found == names.end()) return fail(ENOENT);
    const int file = found->second;
    names.erase(found);
    names[to] = file;
    note({.kind = MemoryChange::rename, .folder = where, .name = from, .to = to, .file = file});
    return 0;
  }
  int unlink_at(int folder, const char* name) override {
    const std::string& where = open_.at(folder).folder;
    if (files.folders.at(where).erase(name) == 0) return fail(ENOENT);
    note({.kind = MemoryChange::unlink, .folder = where, .name = name});
    return 0;
  }
  int close(int file) override { return open_.erase(file) == 1 ? 0 : fail(EBADF); }
  std::vector<std::string> names_in(int folder) override {
    std::vector<std::string> names = {".", ".."};
    for (const auto& [name, file] : files.folders.at(open_.at(folder).folder)) names.push_back(name);
    errno = 0;
    return names;
  }

  static void put(std::string& contents, std::size_t offset, std::string_view bytes) {
    if (contents.size() < offset + bytes.size()) contents.resize(offset + bytes.size());
    contents.replace(offset, bytes.size(), bytes);
  }

 private:
  struct Open {
    std::string folder{};  // empty for a file
    int file = 0;
    bool locked = false;
  };

  static int fail(int error) {
    errno = error;
    return -1;
  }
  static std::pair<std::string, std::string> split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return {path.substr(0, slash), path.substr(slash + 1)};
  }
  int opened(Open open) {
    open_[next_open_] = std::move(open);
    return next_open_++;
  }
  int describe(int file, struct stat& status) {
    status = {};
    status.st_mode = S_IFREG | files.modes.at(file);
    status.st_size = static_cast<off_t>(files.contents.at(file).size());
    for (const auto& [path, names] : files.folders) {
      for (const auto& [name, its] : names) status.st_nlink += its == file;
    }
    return 0;
  }
  void note(MemoryChange change) const {
    if (changes != nullptr) changes->push_back(std::move(change));
  }

  std::map<int, Open> open_;
  int next_open_ = 1000, next_file_ = 1;
};

/// What a power cut may leave: all that was made to last, and of what was not, whatever part.
class PowerCut {
 public:
  /// How much of a write a disk does at once, in bytes.
  static constexpr std::size_t kSector = 512;

  /// After the first `count` changes of `all`, which began with `before`.
  PowerCut(const MemoryFiles& before, const std::vector<MemoryChange>& all, std::size_t count)
      : before_(before), changes_(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)), lasts_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t later = i + 1; later < count && !lasts_[i]; ++later)
        lasts_[i] = covers(changes_[later], changes_[i]);
      if (!lasts_[i]) choices_ += parts(changes_[i]);
    }
  }

  /// How many things may or may not have happened.
  [[nodiscard]] std::size_t choices() const { return choices_; }
  /// What is left where those happened for which `happened(number of the choice, number of the change)` holds.
  template <class Happened>
  [[nodiscard]] MemoryFiles left(const Happened& happened) const {
    MemoryFiles files = before_;
    std::size_t choice = 0;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const MemoryChange& change = changes_[i];
      for (std::size_t part = 0; part < parts(change); ++part) {
        if (lasts_[i] || happened(choice++, i)) apply(change, part, files);
      }
    }
    // Folders whose making was lost are gone with what is in them; a file that no name leads to is none.
    return files;
  }

 private:
  static bool covers(const MemoryChange& sync, const MemoryChange& change) {
    switch (change.kind) {
      case MemoryChange::allocate:
      case MemoryChange::write:
      case MemoryChange::set_mode:
        return sync.kind == MemoryChange::sync_file && sync.file == change.file;
      default:
        return sync.kind == MemoryChange::sync_folder && sync.folder == change.folder;
    }
  }
  static std::size_t parts(const MemoryChange& change) {
    switch (change.kind) {
      case MemoryChange::write:
        return change.bytes.empty() ? 0
                                    : (change.offset + change.bytes.size() - 1) / kSector - change.offset / kSector + 1;
      case MemoryChange::sync_file:
      case MemoryChange::sync_folder:
        return 0;
      default:
        return 1;
    }
  }
  static void apply(const MemoryChange& change, std::size_t part, MemoryFiles& files) {
    const auto names = [&]() -> MemoryFiles::Names* {
      const auto found = files.folders.find(change.folder);
      return found == files.folders.end() ? nullptr : &found->second;
    };
    switch (change.kind) {
      case MemoryChange::make_folder:
        if (files.folders.contains(change.folder)) files.folders[change.name];
        break;
      case MemoryChange::create:
        files.contents[change.file];
        files.modes[change.file] = change.mode;
        if (MemoryFiles::Names* in = names()) (*in)[change.name] = change.file;
        break;
      case MemoryChange::allocate:
        if (std::string& contents = files.contents[change.file]; contents.size() < change.offset) {
          contents.resize(change.offset);
        }
        break;
      case MemoryChange::set_mode:
        files.modes[change.file] = change.mode;
        break;
      case MemoryChange::write: {
        const std::size_t first = std::max(change.offset, (change.offset / kSector + part) * kSector);
        const std::size_t end =
            std::min(change.offset + change.bytes.size(), (change.offset / kSector + part + 1) * kSector);
        MemorySystem::put(files.contents[change.file], first,
                          std::string_view(change.bytes).substr(first - change.offset, end - first));
        break;
      }
      case MemoryChange::rename:
        if (MemoryFiles::Names* in = names()) {
          if (const auto from = in->find(change.name); from != in->end() && from->second == change.file)
            in->erase(from);
          (*in)[change.to] = change.file;
          files.contents[change.file];
          files.modes.try_emplace(change.file, 0600);
        }
        break;
      case MemoryChange::unlink:
        if (MemoryFiles::Names* in = names()) in->erase(change.name);
        break;
      case MemoryChange::sync_file:
      case MemoryChange::sync_folder:
        break;
    }
  }

  MemoryFiles before_;
  std::vector<MemoryChange> changes_;
  std::vector<bool> lasts_;
  std::size_t choices_ = 0;
};

}  // namespace adamant::testing
