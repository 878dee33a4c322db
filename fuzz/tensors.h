// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What holds of the tensors of a safetensors file, by the description of the format and not by the reader's own words.
#pragma once

#include <adamant/safetensors.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fuzz/input.h"

namespace adamant::fuzz {

/// One behind the other they fill `data` bytes, each has those of its shape, and no two have a name.
template <class Entries>
void check_tensors(const Entries& entries, std::uint64_t data) {
  std::uint64_t end = 0;
  std::vector<std::string_view> names;
  for (const SafetensorsEntry& entry : entries) {
    require(entry.offset == end && entry.bytes <= data - end);
    end += entry.bytes;
    __extension__ unsigned __int128 bits = entry.type.bits;
    for (const std::size_t extent : entry.shape) {
      bits *= extent;
      require(bits >> 64 == 0);
    }
    require(bits == 8 * static_cast<unsigned __int128>(entry.bytes));
    names.emplace_back(entry.name);
  }
  require(end == data);
  std::ranges::sort(names);
  require(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace adamant::fuzz
