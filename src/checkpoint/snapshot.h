// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// All that a checkpoint is made from, in memory that does not change meanwhile.
#pragma once

#include <adamant/checkpoint.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "checkpoint/files.h"

namespace adamant::checkpoint {

struct Snapshot {
  StateDictView dict;
  StateFormat state_format;
  WeightFormat weight_format;
  std::map<std::string, Tensor> params;  // those that are to be saved
  Metadata metadata;
};

/// Writes it into a file of that name: whole or, where an Error is thrown, not at all.
void write(const Snapshot& snapshot, const Folder& folder, const std::string& name, std::uint64_t max_file_bytes);

/// Calls `use` with what the optimizer has, in its own memory, while it is held still.
void use_snapshot(const Optimizer& optimizer, bool params, const Metadata& metadata,
                  const std::function<void(const Snapshot&)>& use);

}  // namespace adamant::checkpoint
