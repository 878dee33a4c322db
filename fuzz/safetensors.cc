// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// SafetensorsFile on a file of any bytes: refused with an Error, or all that it says of its tensors holds.
//
// An input that begins with "{" is a header in a line of JSON, and its tensors' bytes; length and size are made to fit,
// or few inputs would get past them. Any other is a file.
#include <adamant/safetensors.hpp>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "fuzz/memory_file.h"
#include "fuzz/tensors.h"

namespace {

using namespace adamant;
using Json = nlohmann::ordered_json;
using fuzz::require;

void check(SafetensorsFile& file, const std::string& bytes) {
  require(file.size() == bytes.size() && bytes.size() >= 8);
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<std::uint8_t>(bytes[i]);
  require(length <= bytes.size() - 8 && bytes[8] == '{');
  fuzz::check_tensors(file.entries(), bytes.size() - 8 - length);
  for (const SafetensorsEntry& entry : file.entries()) {
    require(&file.entry(entry.name) == &entry);
    std::vector<std::byte> data(entry.bytes);
    if (fuzz::accepted([&] { file.read(entry, 0, data); })) {
      require(data.empty() || std::memcmp(data.data(), bytes.data() + 8 + length + entry.offset, data.size()) == 0);
    } else {
      require(file.has_checksums());
    }
  }
  if (fuzz::accepted([&] { file.verify(); })) require(file.has_checksums());
}

/// Where the tensors of a header end, as far as that can be told.
std::size_t end_of(const std::string& header) {
  constexpr std::size_t kMost = 1 << 16;
  std::size_t end = 0;
  const Json json = Json::parse(header, nullptr, false);
  if (!json.is_object()) return 0;
  for (const Json& entry : json) {
    if (!entry.is_object() || !entry.contains("data_offsets")) continue;
    for (const Json& offset : entry["data_offsets"]) {
      if (offset.is_number_unsigned()) end = std::max(end, std::min(offset.get<std::size_t>(), kMost));
    }
  }
  return end;
}

std::string file_of(std::string input) {
  if (!input.starts_with('{')) return input;
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string header = input.substr(0, line);
  std::string tensors = input.substr(std::min(line + 1, input.size()));
  tensors.resize(end_of(header));
  std::string file;
  for (std::size_t i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> 8 * i);
  return file + header + tensors;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = file_of({reinterpret_cast<const char*>(data), size});
  fuzz::MemoryFile memory(bytes);
  fuzz::accepted([&] {
    SafetensorsFile file(memory.path());
    check(file, bytes);
  });
  return fuzz::kKeep;
}
