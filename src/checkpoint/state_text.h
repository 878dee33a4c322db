// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a checkpoint says of the state besides the planes, as the JSON text in its metadata.
#pragma once

#include <adamant/checkpoint.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::checkpoint {

/// A further file of a checkpoint.
struct Part {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // of its header
};

struct StateText {
  /// Its tensors have no states: those are in the entries of the files.
  StateDescription state;
  StateFormat state_format = StateFormat::f32;
  WeightFormat weight_format = WeightFormat::plain;
  std::map<std::string, StateFormat> formats;  // of the states of each tensor
  std::vector<Part> parts;
};

/// The key under which the text stands.
inline constexpr std::string_view kStateKey = "adamant";

[[nodiscard]] std::string to_text(const StateText& text);
/// Throws Wrong.
[[nodiscard]] StateText state_text_from(std::string_view text);

}  // namespace adamant::checkpoint
