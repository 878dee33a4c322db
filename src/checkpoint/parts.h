// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Further files of a checkpoint. Their names contain a checksum of what they hold, so that those of a new checkpoint do
// not replace those of the one before, until the file that names them has been replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/files.h"
#include "checkpoint/state_text.h"

namespace adamant::checkpoint {

/// Of part `index`, counted from 0: "adamw-0123456789abcdef-00001-of-00002.safetensors".
[[nodiscard]] std::string part_name(std::string_view name, std::uint64_t checksum, std::size_t index,
                                    std::size_t count);
/// Names them after their checksums and the text that describes the state.
void name_parts(std::string_view name, std::vector<Part>& parts, std::string_view state_text);
/// The file that would name this one as a part; empty where it is none.
[[nodiscard]] std::string whole_of(std::string_view name);
/// Removes parts of that file in the folder that are not these.
void remove_parts_but(const Folder& folder, std::string_view name, const std::vector<Part>& parts);

}  // namespace adamant::checkpoint
