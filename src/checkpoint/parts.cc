// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/parts.h"

#include <algorithm>
#include <span>

#include "checkpoint/checksums.h"

namespace adamant::checkpoint {
namespace {

constexpr std::string_view kExtension = ".safetensors", kOf = "-of-";
constexpr std::size_t kCountDigits = 5;

// Parts have the extension if their file has it: those of "run" are others than those of "run.safetensors".
std::string_view extension_of(std::string_view name) { return name.ends_with(kExtension) ? kExtension : ""; }
std::string_view stem_of(std::string_view name) { return name.substr(0, name.size() - extension_of(name).size()); }

std::string padded(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kCountDigits - std::min(kCountDigits, digits.size()), '0') + digits;
}

bool is_count(std::string_view text) {
  return text.size() >= kCountDigits && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string part_name(std::string_view name, std::uint64_t checksum, std::size_t index, std::size_t count) {
  std::string part(stem_of(name));
  part += '-';
  append_hex(part, checksum);
  return part.append("-").append(padded(index + 1)).append(kOf).append(padded(count)).append(extension_of(name));
}

void name_parts(std::string_view name, std::vector<Part>& parts, std::string_view state_text) {
  std::string all(state_text);
  for (const Part& part : parts) append_hex(all, part.checksum);
  const std::uint64_t checksum = checksum_of(std::as_bytes(std::span(all)));
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].name = part_name(name, checksum, i, parts.size());
}

std::string whole_of(std::string_view name) {
  const std::string_view stem = stem_of(name);
  const std::size_t of = stem.rfind(kOf);
  if (of == std::string_view::npos || !is_count(stem.substr(of + kOf.size()))) return {};
  const std::size_t dash = stem.substr(0, of).rfind('-');
  if (dash == std::string_view::npos || !is_count(stem.substr(dash + 1, of - dash - 1))) return {};
  if (dash < kHexDigits + 1 || stem[dash - kHexDigits - 1] != '-' ||
      !from_hex(stem.substr(dash - kHexDigits, kHexDigits))) {
    return {};
  }
  return std::string(stem.substr(0, dash - kHexDigits - 1)).append(extension_of(name));
}

void remove_parts_but(const Folder& folder, std::string_view name, const std::vector<Part>& parts) {
  for (const std::string& other : folder.names()) {
    if (whole_of(other) == name && std::ranges::find(parts, other, &Part::name) == parts.end()) folder.remove(other);
  }
}

}  // namespace adamant::checkpoint
