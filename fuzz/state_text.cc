// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a checkpoint says of the state, of any bytes: refused, or the groups share its tensors out, its files are names
// in its folder, and its own text says the same.
#include "checkpoint/state_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/header.h"
#include "fuzz/input.h"

namespace {

using namespace adamant;
using checkpoint::StateText;
using fuzz::require;

std::optional<StateText> parsed(std::string_view text) {
  try {
    return checkpoint::state_text_from(text);
  } catch (const checkpoint::Wrong&) {
    return {};
  }
}

void check(const StateText& text) {
  std::vector<std::string> params, tensors;
  for (const StateDictGroup& group : text.state.groups) std::ranges::copy(group.params, std::back_inserter(params));
  for (const auto& [name, entry] : text.state.tensors) {
    tensors.push_back(name);
    require(text.formats.contains(name) && entry.states.empty());
  }
  std::ranges::sort(params);
  require(params == tensors && text.formats.size() == tensors.size());
  for (const checkpoint::Part& part : text.parts) {
    require(!part.name.empty() && part.name != "." && part.name != "..");
    require(part.name.find_first_of(std::string_view("/\0", 2)) == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::optional<StateText> text = parsed({reinterpret_cast<const char*>(data), size});
  if (!text) return fuzz::kKeep;
  check(*text);
  const std::string own = to_text(*text);
  const std::optional<StateText> again = parsed(own);
  require(again && to_text(*again) == own);
  return fuzz::kKeep;
}
