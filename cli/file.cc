// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace adamant::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::error_code& error) {
  throw std::runtime_error(fmt::format("'{}' cannot be written: {}", path, error.message()));
}

void write(const std::string& path, std::string_view text, std::error_code& error) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) error.assign(errno != 0 ? errno : EIO, std::generic_category());
}

}  // namespace

void replace_file(const std::string& path, std::string_view text) {
  std::error_code error;
  const fs::file_status there = fs::symlink_status(path, error);
  error.clear();
  // What is no file of its own, a device or a link to anything, stays what it is and is written through.
  if (fs::exists(there) && !fs::is_regular_file(there)) {
    write(path, text, error);
    if (error) fail(path, error);
    return;
  }
  const std::string part = fmt::format("{}.{}", path, getpid());
  write(part, text, error);
  if (!error && fs::exists(there)) fs::permissions(part, there.permissions(), error);
  if (!error) fs::rename(part, path, error);
  if (error) {
    std::error_code left;
    fs::remove(part, left);
    fail(path, error);
  }
}

void check_writable(const char* option, const std::string& path) {
  const fs::path folder = fs::absolute(path).parent_path();
  std::error_code error;
  if (fs::is_directory(path, error)) throw std::runtime_error(fmt::format("{}: '{}' is a folder", option, path));
  const bool there = fs::exists(path, error);
  if (access(there && !fs::is_regular_file(path, error) ? path.c_str() : folder.c_str(), W_OK) != 0) {
    throw std::runtime_error(fmt::format("{}: '{}' cannot be written: {}", option, path, std::strerror(errno)));
  }
}

}  // namespace adamant::cli
