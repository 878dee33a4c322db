// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/checkpoint_planes.h"

namespace adamant::cli {

CheckpointPlanes::CheckpointPlanes(const CheckpointInfo& checkpoint) {
  for (const auto& path : checkpoint.files) {
    SafetensorsFile& file = files_.emplace_back(path);
    for (const SafetensorsEntry& entry : file.entries()) entries_.emplace(entry.name, At{&file, &entry});
  }
}

void CheckpointPlanes::read(const std::string& name, std::span<std::byte> to) {
  const At& at = entries_.at(name);
  at.file->read(*at.entry, 0, to);
}

bool is_checkpoint(const SafetensorsFile& file) {
  // Under which the library keeps what it says of the state.
  constexpr const char* kStateKey = "adamant";
  return file.metadata().contains(kStateKey);
}

}  // namespace adamant::cli
