// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The header of a safetensors file, of any bytes: refused, or all that it says of its tensors holds, and its own text
// says the same.
#include "checkpoint/header.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/input.h"
#include "fuzz/tensors.h"

namespace {

using namespace adamant;
using fuzz::require;

std::optional<checkpoint::Header> parsed(std::string_view text, std::uint64_t data) {
  try {
    return checkpoint::parse_header(text, data);
  } catch (const checkpoint::Wrong&) {
    return {};
  }
}

/// Where the last tensor ends, as far as that can be told: with so many bytes behind it, a header is not refused.
std::uint64_t end_of(std::string_view text) {
  constexpr std::string_view kField = "\"data_offsets\":[";
  std::uint64_t end = 0;
  while (text.find(kField) != std::string_view::npos) {
    text.remove_prefix(text.find(kField) + kField.size());
    const char* second = text.data() + std::min(text.find(',') + 1, text.size());
    std::uint64_t number = 0;
    std::from_chars(second, text.data() + text.size(), number);
    end = std::max(end, number);
  }
  return end;
}

void check(const checkpoint::Header& header, std::uint64_t data) {
  fuzz::check_tensors(header.entries, data);
  for (const SafetensorsEntry& entry : header.entries) {
    require(std::ranges::none_of(entry.name, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; }));
  }
}

std::vector<const SafetensorsEntry*> by_name(const checkpoint::Header& header) {
  std::vector<const SafetensorsEntry*> entries;
  entries.reserve(header.entries.size());
  for (const SafetensorsEntry& entry : header.entries) entries.push_back(&entry);
  std::ranges::sort(entries, {}, &SafetensorsEntry::name);
  return entries;
}

bool same(const checkpoint::Header& a, const checkpoint::Header& b) {
  return a.metadata == b.metadata &&
         std::ranges::equal(by_name(a), by_name(b), [](const SafetensorsEntry* x, const SafetensorsEntry* y) {
           return x->name == y->name && x->type.name == y->type.name && x->shape == y->shape &&
                  x->offset == y->offset && x->bytes == y->bytes;
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.ends_with('\n')) text.remove_suffix(1);  // as the inputs in fuzz/corpus/ end
  // Some of them with other bytes behind it than those of its tensors.
  const std::uint64_t behind = size % 16 == 15 ? size : end_of(text);
  const std::optional<checkpoint::Header> header = parsed(text, behind);
  if (!header) return fuzz::kKeep;
  check(*header, behind);
  const std::string again = checkpoint::header_text(*header);
  require(again.size() % 8 == 0);
  const std::optional<checkpoint::Header> read_back = parsed(again, behind);
  require(read_back && same(*read_back, *header));
  return fuzz::kKeep;
}
