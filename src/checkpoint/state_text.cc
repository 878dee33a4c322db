// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/state_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <variant>

#include "base/text.h"
#include "checkpoint/checksums.h"
#include "checkpoint/header.h"

namespace adamant::checkpoint {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kId = "adamant-1";
// Objects and arrays within each other.
constexpr int kMostDepth = 6;

// As nlohmann's parser, but for keys that are there twice, of which that keeps the last.
Json parsed(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= kMostDepth) throw Wrong{"is nested too deeply"};
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      throw Wrong{"has " + printable(value.get<std::string>()) + " twice"};
    }
    return true;
  };
  check_zero_bytes(text, "is");
  try {
    return Json::parse(text, check);
  } catch (const nlohmann::json::exception&) {
    throw Wrong{"is not JSON"};
  }
}

// An object whose fields are read one by one, and which has no others.
class Fields {
 public:
  Fields(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
    if (!json.is_object()) throw Wrong{what_ + " is not an object"};
  }

  const Json& operator[](const char* name) {
    const Json* found = find(name);
    if (found == nullptr) throw Wrong{what_ + " lacks " + in_quotes(name)};
    return *found;
  }
  const Json* find(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    ++read_;
    return &*found;
  }
  std::uint64_t whole(const char* name) {
    const Json& value = (*this)[name];
    if (!value.is_number_unsigned()) wrong(name, "not a whole number");
    return value.get<std::uint64_t>();
  }
  std::string text(const char* name) {
    const Json& value = (*this)[name];
    if (!value.is_string()) wrong(name, "not a string");
    return value.get<std::string>();
  }
  const Json& array(const char* name) {
    const Json& value = (*this)[name];
    if (!value.is_array()) wrong(name, "not an array");
    return value;
  }
  template <class F>
  F format(const char* name, F (*from_name)(std::string_view)) {
    try {
      return from_name(text(name));
    } catch (const Error& error) {
      throw Wrong{what_ + ": " + error.what()};
    }
  }
  [[noreturn]] void wrong(const char* name, const char* why) const {
    throw Wrong{what_ + " has a " + in_quotes(name) + " that is " + why};
  }
  void end() const {
    if (read_ != json_.size()) throw Wrong{what_ + " has a field that is unknown"};
  }

 private:
  const Json& json_;
  std::string what_;
  std::size_t read_ = 0;
};

Json to_json(const Options& options) {
  Json json = Json::object();
  for_each_option([&](const char* name, auto) {
    if (const std::optional<OptionValue> value = get_option(options, name)) {
      std::visit([&](const auto& given) { json[name] = given; }, *value);
    }
  });
  return json;
}

double number(const Json& json, const std::string& what) {
  if (!json.is_number()) throw Wrong{what + " is not a number"};
  return json.get<double>();
}

Options options_from(const Json& json, const std::string& what) {
  if (!json.is_object()) throw Wrong{what + " are not an object"};
  Options options;
  for (const auto& [name, value] : json.items()) {
    OptionValue given;
    if (value.is_boolean()) {
      given = value.get<bool>();
    } else if (value.is_array()) {
      if (value.size() != 2) throw Wrong{what + ": " + printable(name) + " are not two numbers"};
      given = std::array{number(value[0], what), number(value[1], what)};
    } else {
      given = number(value, what + ": " + printable(name));
    }
    try {
      set_option(options, name, given);
    } catch (const Error& error) {
      throw Wrong{what + ": " + error.what()};
    }
  }
  return options;
}

void read_tensor(const std::string& name, const Json& json, StateText& text) {
  Fields fields(json, "tensor " + printable(name));
  StateDescription::Entry entry;
  for (const Json& extent : fields.array("shape")) {
    if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > std::numeric_limits<std::size_t>::max()) {
      fields.wrong("shape", "not one of whole numbers");
    }
    entry.shape.push_back(extent.get<std::size_t>());
  }
  const std::uint64_t group = fields.whole("group");
  if (group >= text.state.groups.size()) fields.wrong("group", "none of its groups");
  text.state.groups[group].params.push_back(name);
  entry.step = fields.whole("step");
  text.formats[name] = fields.format("state_format", state_format_from_name);
  entry.weight_format = fields.format("weight_format", weight_format_from_name);
  fields.end();
  text.state.tensors.emplace(name, std::move(entry));
}

Part part_from(const Json& json) {
  Fields fields(json, "a file");
  Part part;
  part.name = fields.text("name");
  // In the same folder.
  if (part.name.empty() || part.name.find('/') != std::string::npos || part.name.find('\0') != std::string::npos ||
      part.name == "." || part.name == "..") {
    throw Wrong{"the file " + printable(part.name) + " is not a name in its folder"};
  }
  part.bytes = fields.whole("bytes");
  const std::optional<std::uint64_t> checksum = from_hex(fields.text("checksum"));
  if (!checksum) fields.wrong("checksum", "not 16 hexadecimal digits");
  part.checksum = *checksum;
  fields.end();
  return part;
}

}  // namespace

std::string to_text(const StateText& text) {
  const StateDescription& state = text.state;
  Json json = {{"format", kId},
               {"seed", state.seed},
               {"steps", state.steps},
               {"grad_norm", nullptr},
               {"state_format", info(text.state_format).name},
               {"weight_format", info(text.weight_format).name},
               {"groups", Json::array()},
               {"tensors", Json::object()}};
  if (state.grad_norm) json["grad_norm"] = *state.grad_norm;
  std::map<std::string_view, std::size_t> groups;
  for (const StateDictGroup& group : state.groups) {
    for (const std::string& name : group.params) groups[name] = json["groups"].size();
    json["groups"].push_back({{"rule", group.rule}, {"formula", group.formula}, {"options", to_json(group.options)}});
  }
  for (const auto& [name, entry] : state.tensors) {
    json["tensors"][name] = {{"shape", entry.shape},
                             {"group", groups.at(name)},
                             {"step", entry.step},
                             {"state_format", info(text.formats.at(name)).name},
                             {"weight_format", info(entry.weight_format).name}};
  }
  if (!text.parts.empty()) json["files"] = Json::array();
  for (const Part& part : text.parts) {
    std::string checksum;
    append_hex(checksum, part.checksum);
    json["files"].push_back({{"name", part.name}, {"bytes", part.bytes}, {"checksum", checksum}});
  }
  return json.dump();
}

StateText state_text_from(std::string_view from) {
  const Json json = parsed(from);
  Fields fields(json, "the state");
  if (const std::string id = fields.text("format"); id != kId) {
    throw Wrong{"its format is " + printable(id) + ", must be " + in_quotes(kId) +
                ": it is of another version of the library"};
  }
  StateText text;
  text.state.seed = fields.whole("seed");
  text.state.steps = fields.whole("steps");
  if (const Json& norm = fields["grad_norm"]; !norm.is_null()) text.state.grad_norm = number(norm, "'grad_norm'");
  text.state_format = fields.format("state_format", state_format_from_name);
  text.weight_format = fields.format("weight_format", weight_format_from_name);
  for (const Json& group : fields.array("groups")) {
    const std::string what = "group " + std::to_string(text.state.groups.size());
    Fields its(group, what);
    text.state.groups.push_back(
        {its.text("rule"), its.text("formula"), options_from(its["options"], "options of " + what), {}});
    its.end();
  }
  const Json& tensors = fields["tensors"];
  if (!tensors.is_object()) fields.wrong("tensors", "not an object");
  for (const auto& [name, tensor] : tensors.items()) read_tensor(name, tensor, text);
  if (const Json* files = fields.find("files")) {
    if (!files->is_array()) fields.wrong("files", "not an array");
    for (const Json& part : *files) text.parts.push_back(part_from(part));
  }
  fields.end();
  return text;
}

}  // namespace adamant::checkpoint
