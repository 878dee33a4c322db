// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints: saved, described, loaded.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <new>
#include <numeric>
#include <utility>

#include "c/calls.h"

struct adamant_checkpoints {
  adamant::Checkpoints checkpoints;
};

namespace adamant::c {
namespace {

constexpr const char* kInfo = "info (adamant_checkpoint_info)";

bool flag(std::int32_t value, const char* name) {
  if (value != 0 && value != 1) {
    refuse(ErrorCode::invalid_argument, std::string(name) + " is " + std::to_string(value) + ", must be 0 or 1");
  }
  return value == 1;
}

std::string path_of(const char* path, const char* what) { return std::string(given_text(path, what)); }

Metadata read_metadata(const adamant_value* values, std::size_t count) {
  Metadata metadata;
  for (const adamant_value& value : read_all(values, count, "metadata (adamant_value)")) {
    const std::string name(given_text(value.name, "name of metadata"));
    if (!metadata.emplace(name, given_text(value.text, "text of metadata")).second) {
      refuse(ErrorCode::duplicate, "metadata '" + name + "' is given twice");
    }
  }
  return metadata;
}

LoadOptions read_load_options(const adamant_load_options* given_options) {
  const auto options = read_or_default(given_options, "options (adamant_load_options)");
  return {.params = flag(options.params, "params"), .round = flag(options.round, "round")};
}

/// All that the pointers of the struct point to.
struct Kept {
  CheckpointInfo info;
  std::vector<std::string> paths;
  std::vector<OptionList> options;
  std::vector<adamant_value> metadata;
  std::vector<const char*> files;
  std::vector<adamant_group_info> groups;
  std::vector<adamant_tensor_info> tensors;
};

adamant_tensor_info described(const std::string& name, const StateDescription::Entry& entry, StateFormat state_format) {
  adamant_tensor_info tensor{};
  tensor.struct_size = sizeof(tensor);
  tensor.name = name.c_str();
  tensor.shape = entry.shape.data();
  tensor.ndim = entry.shape.size();
  tensor.size = std::accumulate(entry.shape.begin(), entry.shape.end(), std::size_t{1}, std::multiplies());
  tensor.step = entry.step;
  tensor.format = -1;
  if (!entry.states.empty()) state_format = entry.states.begin()->second.format;
  tensor.state_format = static_cast<std::int32_t>(state_format);
  tensor.weight_format = static_cast<std::int32_t>(entry.weight_format);
  return tensor;
}

// Of the last info that was told in this thread.
Kept& last() {
  thread_local Kept kept;
  return kept;
}

Kept kept_of(CheckpointInfo&& info) {
  Kept next;
  next.info = std::move(info);
  const StateDescription& state = next.info.state;
  for (const auto& [name, value] : next.info.metadata) {
    adamant_value& filled = next.metadata.emplace_back();
    filled.struct_size = sizeof(filled);
    filled.name = name.c_str();
    filled.text = value.c_str();
    filled.kind = ADAMANT_WORD;
  }
  for (const auto& file : next.info.files) next.paths.push_back(file.string());
  for (const std::string& path : next.paths) next.files.push_back(path.c_str());
  for (const StateDictGroup& group : state.groups) next.options.emplace_back(group.options);
  for (const auto& [name, entry] : state.tensors) {
    next.tensors.push_back(described(name, entry, next.info.state_format));
  }
  for (std::size_t g = 0; g < state.groups.size(); ++g) {
    const StateDictGroup& group = state.groups[g];
    next.groups.push_back({sizeof(adamant_group_info), group.rule.c_str(), group.formula.c_str(),
                           next.options[g].data(), next.options[g].size()});
    for (const std::string& name : group.params) {
      const auto index = std::distance(state.tensors.begin(), state.tensors.find(name));
      next.tensors[static_cast<std::size_t>(index)].group = g;
    }
  }
  return next;
}

// Allocates nothing.
void write_info(adamant_checkpoint_info* to, Kept&& next) {
  Kept& kept = last();
  kept = std::move(next);
  adamant_checkpoint_info filled{};
  filled.steps = kept.info.state.steps;
  filled.bytes = kept.info.bytes;
  filled.metadata = kept.metadata.data();
  filled.metadata_count = kept.metadata.size();
  filled.files = kept.files.data();
  filled.file_count = kept.files.size();
  filled.groups = kept.groups.data();
  filled.group_count = kept.groups.size();
  filled.tensors = kept.tensors.data();
  filled.tensor_count = kept.tensors.size();
  filled.state_format = static_cast<std::int32_t>(kept.info.state_format);
  filled.weight_format = static_cast<std::int32_t>(kept.info.weight_format);
  filled.params = kept.info.params ? 1 : 0;
  write(to, filled, kInfo);
}

// Fills the info, if there is one. It is also made before, for where memory runs out once the load is done; then it is
// that of the file which had the path before the load.
void load_and_tell(Optimizer& optimizer, const std::filesystem::path& from, const LoadOptions& options,
                   adamant_checkpoint_info* info) {
  if (info == nullptr) {
    load(optimizer, from, options);
    return;
  }
  last();  // its first use in a thread allocates
  Kept before = kept_of(inspect(from));
  CheckpointInfo loaded = load(optimizer, from, options);
  Kept kept;
  try {
    kept = kept_of(std::move(loaded));
  } catch (const std::bad_alloc&) {
    kept = std::move(before);
  }
  write_info(info, std::move(kept));
}

}  // namespace
}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

adamant_status adamant_save(const adamant_optimizer* optimizer, const char* path,
                            const adamant_save_options* given_options) {
  return guarded([&] {
    const auto options = read_or_default(given_options, "options (adamant_save_options)");
    save(of(optimizer), path_of(path, "path"),
         {.params = flag(options.params, "params"),
          .metadata = read_metadata(options.metadata, options.metadata_count),
          .max_file_bytes = options.max_file_bytes});
  });
}

adamant_status adamant_load_file(adamant_optimizer* optimizer, const char* path,
                                 const adamant_load_options* given_options, adamant_checkpoint_info* info) {
  return guarded([&] {
    if (info != nullptr) check_struct(info, kInfo);
    load_and_tell(of(optimizer), path_of(path, "path"), read_load_options(given_options), info);
  });
}

adamant_status adamant_inspect(const char* path, adamant_checkpoint_info* info) {
  return guarded([&] {
    check_struct(info, kInfo);
    write_info(info, kept_of(inspect(path_of(path, "path"))));
  });
}

adamant_status adamant_verify(const char* path) {
  return guarded([&] { verify(path_of(path, "path")); });
}

adamant_status adamant_checkpoints_open(const char* folder, const adamant_checkpoints_options* given_options,
                                        adamant_checkpoints** checkpoints) {
  return guarded([&] {
    given(checkpoints, "checkpoints") = nullptr;
    const auto options = read_or_default(given_options, "options (adamant_checkpoints_options)");
    CheckpointsOptions made;
    if (options.keep != 0) made.keep = options.keep;
    made.params = flag(options.params, "params");
    made.max_file_bytes = options.max_file_bytes;
    *checkpoints = new adamant_checkpoints{Checkpoints(path_of(folder, "folder"), made)};
  });
}

adamant_status adamant_checkpoints_save(adamant_checkpoints* checkpoints, const adamant_optimizer* optimizer,
                                        const adamant_value* metadata, size_t metadata_count, int32_t background) {
  return guarded([&] {
    Checkpoints& own = given(checkpoints, "checkpoints").checkpoints;
    const bool waits = !flag(background, "background");
    const Metadata read = read_metadata(metadata, metadata_count);
    waits ? own.save(of(optimizer), read) : own.save_in_background(of(optimizer), read);
  });
}

adamant_status adamant_checkpoints_wait(adamant_checkpoints* checkpoints) {
  return guarded([&] { given(checkpoints, "checkpoints").checkpoints.wait(); });
}

adamant_status adamant_checkpoints_list(adamant_checkpoints* checkpoints, const uint64_t** steps, size_t* count) {
  return guarded([&] {
    given(steps, "steps");
    given(count, "count");
    thread_local std::vector<std::uint64_t> kept;
    std::vector<std::uint64_t> next;
    for (const auto& item : given(checkpoints, "checkpoints").checkpoints.list()) next.push_back(item.steps);
    kept = std::move(next);
    *steps = kept.data();
    *count = kept.size();
  });
}

adamant_status adamant_checkpoints_load(adamant_checkpoints* checkpoints, adamant_optimizer* optimizer,
                                        const adamant_load_options* given_options, adamant_checkpoint_info* info,
                                        int32_t* found) {
  return guarded([&] {
    given(found, "found") = 0;
    if (info != nullptr) check_struct(info, kInfo);
    Checkpoints& own = given(checkpoints, "checkpoints").checkpoints;
    Optimizer& to = of(optimizer);
    const LoadOptions options = read_load_options(given_options);
    own.wait();
    const std::vector<Checkpoints::Item> all = own.list();
    if (all.empty()) return;
    load_and_tell(to, all.back().path, options, info);
    *found = 1;
  });
}

adamant_status adamant_checkpoints_remove_after(adamant_checkpoints* checkpoints, uint64_t steps) {
  return guarded([&] { given(checkpoints, "checkpoints").checkpoints.remove_after(steps); });
}

void adamant_checkpoints_free(adamant_checkpoints* checkpoints) { delete checkpoints; }
