// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant inspect: what is in a checkpoint, or in any safetensors file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "cli/checkpoint_health.h"
#include "cli/checkpoint_planes.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/rule_options.h"
#include "cli/say.h"
#include "cli/values.h"
#include "cli/words.h"

namespace adamant::cli {
namespace {

namespace fs = std::filesystem;

struct InspectArguments {
  std::string path;
  bool verify = false, health = false, json = false;
};

std::string shape_text(const std::vector<std::size_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// A line of metadata, which may be long.
std::string short_text(const std::string& text) {
  constexpr std::size_t kMost = 100;
  const std::string whole = escaped(text);
  return whole.size() <= kMost ? whole : fmt::format("{}... ({} bytes)", whole.substr(0, kMost), text.size());
}

void print_rows(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format(" {:<{}} ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

void print_metadata(const Metadata& metadata) {
  if (metadata.empty()) return;
  fmt::print("metadata\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : metadata) rows.push_back({escaped(key), short_text(value)});
  print_rows(rows);
}

// ---- Any safetensors file

void print_file(const std::string& path, const SafetensorsFile& file, bool verified) {
  fmt::print("{}: safetensors file, {}, {}, {}\n", path, counted(file.entries().size(), "tensor"),
             counted(file.size(), "byte"),
             verified               ? "checksums right"
             : file.has_checksums() ? "with checksums"
                                    : "no checksums");
  std::vector<std::vector<std::string>> rows;
  if (!file.entries().empty()) rows.push_back({"tensor", "type", "shape", "bytes"});
  for (const SafetensorsEntry& entry : file.entries()) {
    rows.push_back({escaped(entry.name), std::string(entry.type.name), shape_text(entry.shape), grouped(entry.bytes)});
  }
  print_rows(rows);
  print_metadata(file.metadata());
}

Json file_json(const std::string& path, const SafetensorsFile& file, bool verified) {
  Json tensors = Json::array();
  for (const SafetensorsEntry& entry : file.entries()) {
    tensors.push_back(
        {{"name", entry.name}, {"type", entry.type.name}, {"shape", entry.shape}, {"bytes", entry.bytes}});
  }
  return {{"path", path},
          {"kind", "safetensors"},
          {"bytes", file.size()},
          {"checksums", file.has_checksums()},
          {"verified", verified},
          {"tensors", std::move(tensors)},
          {"metadata", file.metadata()}};
}

// ---- Checkpoints

// What a tensor takes in the file.
struct Bytes {
  std::uint64_t param = 0, states = 0;  // low-order weight bits belong to the states
};

struct TensorView {
  const std::string& name;
  const StateDescription::Entry& entry;
  std::size_t group = 0;
  double elements = 1.0;  // a shape from outside may have more than 64 bits hold
  std::string state_format{}, param_type{};
  Bytes bytes{};
};

std::vector<TensorView> tensors_of(const CheckpointInfo& checkpoint) {
  std::map<std::string, std::size_t> groups;
  for (std::size_t g = 0; g < checkpoint.state.groups.size(); ++g) {
    for (const std::string& name : checkpoint.state.groups[g].params) groups[name] = g;
  }
  std::map<std::string, std::pair<std::string, Bytes>> stored;  // by tensor
  for (const SafetensorsEntry& entry : checkpoint.entries) {
    const std::size_t slash = entry.name.find('/');
    auto& [type, bytes] = stored[entry.name.substr(0, slash)];
    if (slash == std::string::npos) {
      type = entry.type.name;
      bytes.param = entry.bytes;
    } else {
      bytes.states += entry.bytes;
    }
  }
  std::vector<TensorView> tensors;
  for (const auto& [name, entry] : checkpoint.state.tensors) {
    TensorView& tensor = tensors.emplace_back(TensorView{.name = name, .entry = entry, .group = groups.at(name)});
    for (const std::size_t extent : entry.shape) tensor.elements *= static_cast<double>(extent);
    if (!entry.states.empty()) tensor.state_format = info(entry.states.begin()->second.format).name;
    std::tie(tensor.param_type, tensor.bytes) = stored[name];
  }
  return tensors;
}

double per_parameter(const std::vector<TensorView>& tensors, std::uint64_t Bytes::* part) {
  double elements = 0.0, bytes = 0.0;
  for (const TensorView& tensor : tensors) {
    elements += tensor.elements;
    bytes += static_cast<double>(tensor.bytes.*part);
  }
  return elements > 0.0 ? bytes / elements : 0.0;
}

std::string options_text(const Options& options) {
  std::string text;
  for_each_option([&](std::string_view name, auto) {
    if (const auto value = get_option(options, name)) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, to_text(*value));
    }
  });
  return text;
}

void print_health(const std::vector<TensorHealth>& health) {
  fmt::print("moments: RMS and largest magnitude; of a second moment v, those of its root\n");
  std::vector<std::vector<std::string>> rows = {{"tensor", "state", "RMS", "largest", "zero", "NaN", "infinite"}};
  for (const TensorHealth& tensor : health) {
    for (const StateHealth& state : tensor.states) {
      const double zero =
          state.elements == 0 ? 0.0 : 100.0 * static_cast<double>(state.zeros) / static_cast<double>(state.elements);
      rows.push_back({escaped(tensor.name), state.name + (state.squares ? " (root)" : ""),
                      fmt::format("{:.3g}", state.rms), fmt::format("{:.3g}", state.max), fmt::format("{:.3g}%", zero),
                      grouped(state.nans), grouped(state.infinities)});
    }
  }
  print_rows(rows);
  bool usual = true;
  for (const TensorHealth& tensor : health) {
    for (const std::string& finding : tensor.findings) {
      usual = false;
      fmt::print("{}: {}\n", escaped(tensor.name), finding);
    }
  }
  if (usual) fmt::print("Nothing unusual: every number is finite, and no second moment is zero.\n");
}

void print_checkpoint(const std::string& path, const CheckpointInfo& checkpoint, bool verified) {
  const std::vector<TensorView> tensors = tensors_of(checkpoint);
  fmt::print("{}: checkpoint after {}, {}, {}, {}\n", path, counted(checkpoint.state.steps, "step"),
             counted(tensors.size(), "tensor"), counted(checkpoint.bytes, "byte"),
             verified ? "checksums right" : "with checksums");
  for (const fs::path& file : checkpoint.files) {
    if (checkpoint.files.size() > 1) fmt::print("  {}\n", escaped(file.native()));
  }
  const double states = per_parameter(tensors, &Bytes::states), params = per_parameter(tensors, &Bytes::param);
  fmt::print("states {}, weights {}, seed {}: {:.2f} bytes a parameter{}\n", info(checkpoint.state_format).name,
             info(checkpoint.weight_format).name, checkpoint.state.seed, states + params,
             checkpoint.params ? fmt::format(", {:.2f} of them the parameter", params) : ", without the parameter");
  for (std::size_t g = 0; g < checkpoint.state.groups.size(); ++g) {
    const StateDictGroup& group = checkpoint.state.groups[g];
    fmt::print("group {}: {} ({}), {}: {}\n", g, escaped(group.rule), escaped(group.formula),
               counted(group.params.size(), "tensor"), options_text(group.options));
  }
  std::vector<std::vector<std::string>> rows = {
      {"tensor", "shape", "group", "step", "parameter", "states", "weights", "bytes"}};
  for (const TensorView& tensor : tensors) {
    rows.push_back({escaped(tensor.name), shape_text(tensor.entry.shape), std::to_string(tensor.group),
                    std::to_string(tensor.entry.step), tensor.param_type.empty() ? "-" : tensor.param_type,
                    tensor.state_format.empty() ? "-" : tensor.state_format,
                    std::string(info(tensor.entry.weight_format).name),
                    grouped(tensor.bytes.param + tensor.bytes.states)});
  }
  print_rows(rows);
  print_metadata(checkpoint.metadata);
}

Json health_json(const std::vector<StateHealth>& states) {
  Json json = Json::object();
  for (const StateHealth& state : states) {
    json[state.name] = {
        {"second_moment", state.squares}, {"elements", state.elements},    {"zeros", state.zeros}, {"nans", state.nans},
        {"infinities", state.infinities}, {"below_zero", state.negatives}, {"rms", state.rms},     {"max", state.max}};
  }
  return json;
}

Json checkpoint_json(const std::string& path, const CheckpointInfo& checkpoint, bool verified,
                     const std::vector<TensorHealth>& health) {
  const std::vector<TensorView> tensors = tensors_of(checkpoint);
  Json groups = Json::array(), list = Json::array(), files = Json::array();
  for (const StateDictGroup& group : checkpoint.state.groups) {
    groups.push_back({{"rule", group.rule},
                      {"formula", group.formula},
                      {"options", options_json(group.options)},
                      {"tensors", group.params}});
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorView& tensor = tensors[i];
    Json states = Json::array();
    for (const auto& [name, state] : tensor.entry.states) states.push_back(name);
    list.push_back({{"name", tensor.name},
                    {"shape", tensor.entry.shape},
                    {"group", tensor.group},
                    {"step", tensor.entry.step},
                    {"parameter", tensor.param_type.empty() ? Json() : Json(tensor.param_type)},
                    {"states", std::move(states)},
                    {"state_format", tensor.state_format.empty() ? Json() : Json(tensor.state_format)},
                    {"weight_format", info(tensor.entry.weight_format).name},
                    {"bytes", tensor.bytes.param + tensor.bytes.states}});
    if (!health.empty()) {
      list.back()["health"] = health_json(health[i].states);
      list.back()["findings"] = health[i].findings;
    }
  }
  for (const fs::path& file : checkpoint.files) files.push_back(file.native());
  return {{"path", path},
          {"kind", "checkpoint"},
          {"bytes", checkpoint.bytes},
          {"verified", verified},
          {"files", std::move(files)},
          {"steps", checkpoint.state.steps},
          {"seed", checkpoint.state.seed},
          {"grad_norm", checkpoint.state.grad_norm ? Json(*checkpoint.state.grad_norm) : Json()},
          {"state_format", info(checkpoint.state_format).name},
          {"weight_format", info(checkpoint.weight_format).name},
          {"params", checkpoint.params},
          {"bytes_per_parameter", per_parameter(tensors, &Bytes::states) + per_parameter(tensors, &Bytes::param)},
          {"groups", std::move(groups)},
          {"tensors", std::move(list)},
          {"metadata", checkpoint.metadata}};
}

int inspect_file(const InspectArguments& arguments, const std::string& path) {
  if (SafetensorsFile file(path); !is_checkpoint(file)) {
    if (arguments.health) throw UsageError(fmt::format("--health: '{}' is no checkpoint: it has no moments", path));
    if (arguments.verify) file.verify();
    if (arguments.json) {
      print_json(file_json(path, file, arguments.verify));
    } else {
      print_file(escaped(path), file, arguments.verify);
    }
    return kOk;
  }
  const CheckpointInfo checkpoint = inspect(path);
  if (arguments.verify) verify(path);
  std::vector<TensorHealth> health;
  if (arguments.health) health = health_of(checkpoint);
  if (arguments.json) {
    print_json(checkpoint_json(path, checkpoint, arguments.verify, health));
  } else {
    print_checkpoint(escaped(path), checkpoint, arguments.verify);
    if (arguments.health) print_health(health);
  }
  return kOk;
}

// What cannot be read is none.
bool is_readable_checkpoint(const fs::path& path) {
  try {
    return is_checkpoint(SafetensorsFile(path));
  } catch (const Error&) {
    return false;
  }
}

// Folders somewhere below this one that have checkpoints, such as those of the runs of a lab.
std::vector<fs::path> folders_with_checkpoints(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    if (path.extension() != ".safetensors" || std::ranges::find(found, path.parent_path()) != found.end()) continue;
    if (is_readable_checkpoint(path)) found.push_back(path.parent_path());
  }
  std::ranges::sort(found);
  return found;
}

[[noreturn]] void refuse_without_checkpoints(const std::string& folder) {
  constexpr std::size_t kShown = 3;
  std::vector<fs::path> below = folders_with_checkpoints(folder);
  const std::size_t more = below.size() - std::min(below.size(), kShown);
  below.resize(below.size() - more);
  std::string hint;
  for (const fs::path& path : below) hint += fmt::format("{}'{}'", hint.empty() ? "" : ", ", escaped(path.string()));
  throw std::runtime_error(fmt::format("FILE: '{}' is a folder without checkpoints{}{}{}", folder,
                                       hint.empty() ? "" : "; there are some in ", hint,
                                       more == 0 ? "" : " and " + counted(more, "other folder")));
}

// The checkpoints in a folder, by their steps. It is only read: a run may be writing to it.
int inspect_folder(const InspectArguments& arguments, const std::string& folder) {
  if (arguments.health) throw UsageError(fmt::format("--health: '{}' is a folder: name one of its files", folder));
  struct Item {
    std::uint64_t steps;
    std::string path;
    std::uint64_t bytes;
    bool params;
  };
  std::vector<Item> items;
  std::vector<std::string> failures;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    try {
      if (!is_checkpoint(SafetensorsFile(path))) continue;
      const CheckpointInfo checkpoint = inspect(path);
      if (arguments.verify) verify(path);
      items.push_back({checkpoint.state.steps, path.string(), checkpoint.bytes, checkpoint.params});
    } catch (const Error& error) {
      failures.emplace_back(error.what());
    }
  }
  if (items.empty() && failures.empty()) refuse_without_checkpoints(folder);
  std::ranges::stable_sort(items, {}, &Item::steps);
  if (arguments.json) {
    Json checkpoints = Json::array();
    for (const Item& item : items) {
      checkpoints.push_back(
          {{"path", item.path}, {"steps", item.steps}, {"bytes", item.bytes}, {"params", item.params}});
    }
    print_json({{"path", folder},
                {"kind", "folder"},
                {"verified", arguments.verify},
                {"checkpoints", std::move(checkpoints)},
                {"failures", failures}});
  } else {
    std::vector<std::vector<std::string>> rows = {{"checkpoint", "steps", "bytes", "parameters"}};
    for (const Item& item : items) {
      rows.push_back({escaped(item.path), grouped(item.steps), grouped(item.bytes), item.params ? "yes" : "no"});
    }
    if (!items.empty()) print_rows(rows);
  }
  for (const std::string& failure : failures) say("adamant inspect: {}\n", failure);
  return failures.empty() ? kOk : kFailed;
}

int run(const InspectArguments& arguments) {
  return fs::is_directory(arguments.path) ? inspect_folder(arguments, arguments.path)
                                          : inspect_file(arguments, arguments.path);
}

}  // namespace

Command add_inspect(CommandLine& line) {
  Subcommand options = line.add("inspect", "Say what is in a checkpoint, or in any safetensors file");
  auto arguments = std::make_shared<InspectArguments>();
  options.operand("FILE", arguments->path, "A checkpoint, a safetensors file, or a folder of checkpoints");
  options.flag("--verify", arguments->verify, "Read everything and compare the checksums");
  options.flag("--health", arguments->health,
               "Measure the moments: zeros, NaN, RMS and largest of each, and what is unusual");
  options.flag("--json", arguments->json, "Print one JSON object");
  options.footer(
      "Nothing is written. Exit status: 0 where the file is what it says; 1 where it is damaged, is no such file, has\n"
      "no checksums to verify, or is a folder without checkpoints; 2 for wrong usage. What --health finds does not\n"
      "change the exit status.");
  return {options, [arguments] { return run(*arguments); }};
}

}  // namespace adamant::cli
