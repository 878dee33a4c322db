// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A safetensors file that is on the disk and has yet to take its name.
#pragma once

#include <adamant/safetensors.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "checkpoint/files.h"

namespace adamant::checkpoint {

struct Written {
  NewFile file;
  std::uint64_t bytes;
  std::uint64_t checksum;  // of its header, and so of all of it
};

/// Writes the tensors for `name` in the folder and waits until they are on the disk. Any metadata is taken but that of
/// the checksums.
[[nodiscard]] Written write_safetensors(const Folder& folder, const std::string& name,
                                        std::span<const SafetensorsTensor> tensors, const Metadata& metadata);

/// Throws Error (invalid_argument) for metadata that users must not give.
void check_metadata(const Metadata& metadata);

}  // namespace adamant::checkpoint
