// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/gzip.h"

#include <zlib.h>

#include <adamant/error.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace adamant::lab {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::io, "'" + path + "' " + why);
}

}  // namespace

std::string unpack_gzip(std::span<const unsigned char> packed) {
  z_stream stream{};
  stream.next_in = const_cast<Bytef*>(packed.data());  // zlib reads only
  stream.avail_in = static_cast<uInt>(packed.size());
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::runtime_error("zlib cannot start");
  std::string unpacked;
  int status = Z_OK;
  while (status == Z_OK) {
    char chunk[1 << 14];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof(chunk);
    status = inflate(&stream, Z_NO_FLUSH);
    unpacked.append(chunk, sizeof(chunk) - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("gzip data is damaged");
  return unpacked;
}

std::string read_file(const std::string& path, std::size_t limit) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse(path, "cannot be read: " + std::string(std::strerror(ENOENT)));
  if (!std::filesystem::is_regular_file(status)) refuse(path, "is not a regular file");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) refuse(path, "cannot be read: " + std::string(std::strerror(errno)));

  std::string content;
  char chunk[1 << 16];
  int got = 0;
  while ((got = gzread(file.get(), chunk, sizeof(chunk))) > 0) {
    content.append(chunk, static_cast<std::size_t>(got));
    if (content.size() > limit) refuse(path, "is larger than " + std::to_string(limit) + " bytes");
  }
  int code = Z_OK;
  const char* what = gzerror(file.get(), &code);
  if (got < 0 || code != Z_OK) refuse(path, "cannot be unpacked: " + std::string(what));
  return content;
}

}  // namespace adamant::lab
