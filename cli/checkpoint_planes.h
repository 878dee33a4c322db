// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The tensors in the files of a checkpoint, by their names.
#pragma once

#include <adamant/checkpoint.hpp>
#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <string>

namespace adamant::cli {

/// What a checkpoint has of a parameter has its name; a state adds "/exp_avg" to that, and its exponents "/exponents".
class CheckpointPlanes {
 public:
  explicit CheckpointPlanes(const CheckpointInfo& checkpoint);

  [[nodiscard]] const SafetensorsEntry& entry(const std::string& name) const { return *entries_.at(name).entry; }
  /// Fills `to` with the first bytes.
  void read(const std::string& name, std::span<std::byte> to);

 private:
  struct At {
    SafetensorsFile* file;
    const SafetensorsEntry* entry;
  };
  std::deque<SafetensorsFile> files_;
  std::map<std::string, At> entries_;
};

/// Whether a file says that it is a checkpoint, as other safetensors files do not.
[[nodiscard]] bool is_checkpoint(const SafetensorsFile& file);

}  // namespace adamant::cli
