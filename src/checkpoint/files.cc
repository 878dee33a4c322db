// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/files.h"

#include <fcntl.h>

#include <adamant/error.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>

#include "base/text.h"
#include "checkpoint/checksums.h"
#include "checkpoint/system.h"

namespace adamant::checkpoint {
namespace {

constexpr std::string_view kPrefix = ".adamant-", kSuffix = ".tmp";
// What a system call takes at once; Linux takes 2 GiB less a page.
constexpr std::size_t kMost = std::size_t{1} << 30;

std::string temporary_name() {
  std::random_device random;
  std::string name(kPrefix);
  append_hex(name, std::uint64_t{random()} << 32 | random());
  return name.append(kSuffix);
}

bool is_temporary(std::string_view name) {
  return name.size() == kPrefix.size() + kHexDigits + kSuffix.size() && name.starts_with(kPrefix) &&
         name.ends_with(kSuffix);
}

// Calls again what a signal interrupted.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Descriptor opened(const Path& path, int number, const char* what) {
  if (number < 0) refuse_file(path, what, errno);
  return Descriptor(number);
}

}  // namespace

void refuse_file(const Path& path, const std::string& what, int error) {
  throw Error(ErrorCode::io, printable(path.native()) + " " + what + ": " + std::generic_category().message(error));
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close();
}

int Descriptor::close() { return system().close(std::exchange(number_, -1)); }

Folder::Folder(Path path)
    : path_(std::move(path)),
      open_(opened(path_, uninterrupted([&] { return system().open_folder(path_.c_str()); }), "cannot be opened")) {}

Folder Folder::made(const Path& path) {
  const int there = uninterrupted([&] { return system().open_folder(path.c_str()); });
  if (there >= 0) {
    Descriptor(there).close();
  } else if (errno == ENOENT && path.has_relative_path()) {
    std::error_code failure;
    const Path whole = std::filesystem::absolute(path, failure).lexically_normal();
    if (failure) refuse_file(path, "cannot be made", failure.value());
    const Folder parent = made(whole.has_filename() ? whole.parent_path() : whole.parent_path().parent_path());
    if (uninterrupted([&] { return system().make_folder(path.c_str()); }) != 0 && errno != EEXIST) {
      refuse_file(path, "cannot be made", errno);
    }
    parent.sync();
  }
  return Folder(path);
}

void Folder::check_path() const {
  const Folder there(path_);
  struct stat its{}, now{};
  if (system().status(number(), its) != 0 || system().status(there.number(), now) != 0) {
    refuse_file(path_, "cannot be looked at", errno);
  }
  if (its.st_dev == now.st_dev && its.st_ino == now.st_ino) return;
  throw Error(ErrorCode::io, printable(path_.native()) + " is another folder than the one that was opened");
}

std::vector<std::string> Folder::names() const {
  errno = 0;
  std::vector<std::string> names = system().names_in(number());
  if (names.empty() && errno != 0) refuse_file(path_, "cannot be listed", errno);
  return names;
}

void Folder::sync() const {
  // Some file systems cannot, and need not.
  if (system().sync(number()) != 0 && errno != EINVAL) refuse_file(path_, "cannot be made to last", errno);
}

bool Folder::remove(const std::string& name) const {
  if (uninterrupted([&] { return system().unlink_at(number(), name.c_str()); }) == 0) return true;
  if (errno == ENOENT) return false;
  refuse_file(path_ / name, "cannot be removed", errno);
}

void Folder::remove_orphans() const {
  for (const std::string& name : names()) {
    if (!is_temporary(name)) continue;
    const Descriptor file(system().open_at(number(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0));
    // Who writes it holds its lock.
    if (file.number() >= 0 && system().lock(file.number()) == 0) remove(name);
  }
}

Place place_of(const Path& path) {
  std::error_code failure, not_there;
  const Path whole = std::filesystem::is_symlink(path, not_there) ? std::filesystem::canonical(path, failure) : path;
  if (failure) refuse_file(path, "cannot be found", failure.value());
  if (!whole.has_filename() || whole.filename() == "." || whole.filename() == "..") {
    throw Error(ErrorCode::io, printable(path.native()) + " names no file");
  }
  return {Folder(whole.has_parent_path() ? whole.parent_path() : Path(".")), whole.filename()};
}

// Opened without waiting: a pipe would wait for who writes it.
File::File(const Path& path)
    : path_(path),
      open_(opened(path_,
                   uninterrupted([&] { return system().open_at(AT_FDCWD, path_.c_str(), O_RDONLY | O_NONBLOCK, 0); }),
                   "cannot be read")) {
  struct stat status{};
  if (system().status(open_.number(), status) != 0) refuse_file(path_, "cannot be read", errno);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::io, printable(path_.native()) + " is not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void File::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = uninterrupted([&] {
      return system().read(open_.number(), to.data(), std::min(to.size(), kMost), static_cast<off_t>(offset));
    });
    if (got < 0) refuse_file(path_, "cannot be read", errno);
    if (got == 0) {
      throw Error(ErrorCode::io, printable(path_.native()) + " has become shorter while it was read: it ends at byte " +
                                     std::to_string(offset));
    }
    to = to.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

NewFile::NewFile(const Folder& folder, std::string name) : folder_(&folder), name_(std::move(name)), open_(-1) {}

// Once the other constructor is done, the destructor removes what was made, whatever fails here.
NewFile::NewFile(const Folder& folder, std::string name, std::uint64_t bytes) : NewFile(folder, std::move(name)) {
  struct stat old{};
  const bool there = uninterrupted([&] { return system().status_at(folder.number(), name_.c_str(), old); }) == 0;
  // Or it might become readable by others.
  if (!there && errno != ENOENT) fail(errno);
  if (there && !S_ISREG(old.st_mode)) {
    throw Error(ErrorCode::io, printable((folder.path() / name_).native()) + " is not a regular file");
  }
  create(there ? old.st_mode & 0777 : 0666);
  // The mask of the process has taken bits of the mode.
  if (there && system().set_mode(open_.number(), old.st_mode & 07777) != 0) fail(errno);
  if (bytes == 0) return;
  const int reserved = uninterrupted([&] { return system().allocate(open_.number(), static_cast<off_t>(bytes)); });
  // Where memory cannot be reserved, the writes tell.
  if (reserved != 0 && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) fail(errno);
}

void NewFile::create(mode_t mode) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    std::string name = temporary_name();
    Descriptor file(system().open_at(folder_->number(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    if (file.number() < 0) {
      if (errno == EEXIST || errno == EINTR) continue;
      fail(errno);
    }
    // Who looks for orphans may have found it before it was locked, and removed it. Some file systems have no locks.
    struct stat status{};
    const bool locked = system().lock(file.number()) == 0 || errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS;
    if (locked && (system().status(file.number(), status) != 0 || status.st_nlink > 0)) {
      temporary_ = std::move(name);  // allocates nothing: the file has been made
      open_ = std::move(file);
      return;
    }
    system().unlink_at(folder_->number(), name.c_str());
  }
  fail(EEXIST);
}

NewFile::~NewFile() {
  if (open_.number() >= 0 && !temporary_.empty()) system().unlink_at(folder_->number(), temporary_.c_str());
}

void NewFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = uninterrupted([&] {
      return system().write(open_.number(), bytes.data(), std::min(bytes.size(), kMost), static_cast<off_t>(offset));
    });
    if (put < 0) fail(errno);
    if (put == 0) fail(EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
    unsynced_ += static_cast<std::uint64_t>(put);
  }
  // The disk writes while the rest is prepared.
  constexpr std::uint64_t kMuch = std::uint64_t{8} << 20;
  if (unsynced_ < kMuch) return;
  system().begin_sync(open_.number(), 0, 0);
  unsynced_ = 0;
}

void NewFile::sync() {
  if (system().sync(open_.number()) != 0) fail(errno);
}

void NewFile::rename(const std::string& name) {
  if (uninterrupted([&] { return system().rename_at(folder_->number(), temporary_.c_str(), name.c_str()); }) != 0) {
    fail(errno);
  }
  temporary_.clear();
  if (open_.close() != 0) fail(errno);
}

void NewFile::fail(int error) const { refuse_file(folder_->path() / name_, "cannot be written", error); }

}  // namespace adamant::checkpoint
