// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/state_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <variant>

#include "base/text.h"
#include "checkpoint/checksums.h"
#include "checkpoint/header.h"
#include "checkpoint/json.h"

namespace adamant::checkpoint {
namespace {

constexpr std::string_view kId = "adamant-1";
// Objects and arrays within each other.
constexpr std::size_t kMostDepth = 6;

// An object whose fields are read one by one, and which has no others.
class Fields {
 public:
  Fields(const JsonValue& json, std::string what) : members_(json.as<JsonValue::Object>()), what_(std::move(what)) {
    if (members_ == nullptr) throw Wrong{what_ + " is not an object"};
  }

  [[nodiscard]] bool has(const char* name) const { return members_->contains(name); }
  /// Of each field once.
  const JsonValue& operator[](const char* name) {
    const auto found = members_->find(name);
    if (found == members_->end()) throw Wrong{what_ + " lacks " + in_quotes(name)};
    ++read_;
    return found->second;
  }
  std::uint64_t whole(const char* name) { return get<std::uint64_t>(name, "not a whole number"); }
  std::string text(const char* name) { return get<std::string>(name, "not a string"); }
  const JsonValue::Array& array(const char* name) { return get<JsonValue::Array>(name, "not an array"); }
  const JsonValue::Object& object(const char* name) { return get<JsonValue::Object>(name, "not an object"); }
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
    if (read_ != members_->size()) throw Wrong{what_ + " has a field that is unknown"};
  }

 private:
  template <class T>
  const T& get(const char* name, const char* why) {
    const T* value = (*this)[name].as<T>();
    if (value == nullptr) wrong(name, why);
    return *value;
  }

  const JsonValue::Object* members_;
  std::string what_;
  std::size_t read_ = 0;
};

std::string text_of(const Options& options) {
  std::map<std::string, std::string> members;
  const auto text = [](const auto& given) {
    if constexpr (requires { given[1]; }) {
      return array_text({json_text(given[0]), json_text(given[1])});
    } else {
      return json_text(given);
    }
  };
  for_each_option([&](const char* name, auto) {
    if (const std::optional<OptionValue> value = get_option(options, name)) members[name] = std::visit(text, *value);
  });
  return object_text(members);
}

double number(const JsonValue& json, const std::string& what) {
  const std::optional<double> value = json.number();
  if (!value) throw Wrong{what + " is not a number"};
  return *value;
}

Options options_from(const JsonValue::Object& json, const std::string& what) {
  Options options;
  for (const auto& [name, value] : json) {
    OptionValue given;
    if (const bool* flag = value.as<bool>()) {
      given = *flag;
    } else if (const auto* two = value.as<JsonValue::Array>()) {
      if (two->size() != 2) throw Wrong{what + ": " + printable(name) + " are not two numbers"};
      given = std::array{number((*two)[0], what), number((*two)[1], what)};
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

void read_tensor(const std::string& name, const JsonValue& json, StateText& text) {
  Fields fields(json, "tensor " + printable(name));
  StateDescription::Entry entry;
  for (const JsonValue& extent : fields.array("shape")) {
    const auto* value = extent.as<std::uint64_t>();
    if (value == nullptr || *value > std::numeric_limits<std::size_t>::max()) {
      fields.wrong("shape", "not one of whole numbers");
    }
    entry.shape.push_back(static_cast<std::size_t>(*value));
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

Part part_from(const JsonValue& json) {
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
  std::map<std::string_view, std::size_t> group_of;
  std::vector<std::string> groups, files;
  for (const StateDictGroup& group : state.groups) {
    for (const std::string& name : group.params) group_of[name] = groups.size();
    groups.push_back(object_text({{"rule", json_text(std::string_view(group.rule))},
                                  {"formula", json_text(std::string_view(group.formula))},
                                  {"options", text_of(group.options)}}));
  }
  std::map<std::string, std::string> tensors;
  for (const auto& [name, entry] : state.tensors) {
    std::vector<std::string> shape;
    shape.reserve(entry.shape.size());
    for (const std::size_t extent : entry.shape) shape.push_back(json_text(std::uint64_t{extent}));
    tensors[name] = object_text({{"shape", array_text(shape)},
                                 {"group", json_text(std::uint64_t{group_of.at(name)})},
                                 {"step", json_text(entry.step)},
                                 {"state_format", json_text(info(text.formats.at(name)).name)},
                                 {"weight_format", json_text(info(entry.weight_format).name)}});
  }
  for (const Part& part : text.parts) {
    std::string checksum;
    append_hex(checksum, part.checksum);
    files.push_back(object_text({{"name", json_text(std::string_view(part.name))},
                                 {"bytes", json_text(part.bytes)},
                                 {"checksum", json_text(std::string_view(checksum))}}));
  }
  std::map<std::string, std::string> members = {{"format", json_text(kId)},
                                                {"seed", json_text(state.seed)},
                                                {"steps", json_text(state.steps)},
                                                {"grad_norm", state.grad_norm ? json_text(*state.grad_norm) : "null"},
                                                {"state_format", json_text(info(text.state_format).name)},
                                                {"weight_format", json_text(info(text.weight_format).name)},
                                                {"groups", array_text(groups)},
                                                {"tensors", object_text(tensors)}};
  if (!files.empty()) members["files"] = array_text(files);
  return object_text(members);
}

StateText state_text_from(std::string_view from) {
  const JsonValue json = parse_json(from, kMostDepth);
  Fields fields(json, "the state");
  if (const std::string id = fields.text("format"); id != kId) {
    throw Wrong{"its format is " + printable(id) + ", must be " + in_quotes(kId) +
                ": it is of another version of the library"};
  }
  StateText text;
  text.state.seed = fields.whole("seed");
  text.state.steps = fields.whole("steps");
  if (const JsonValue& norm = fields["grad_norm"]; !norm.is_null()) {
    text.state.grad_norm = number(norm, "'grad_norm'");
  }
  text.state_format = fields.format("state_format", state_format_from_name);
  text.weight_format = fields.format("weight_format", weight_format_from_name);
  for (const JsonValue& group : fields.array("groups")) {
    const std::string what = "group " + std::to_string(text.state.groups.size());
    Fields its(group, what);
    text.state.groups.push_back(
        {its.text("rule"), its.text("formula"), options_from(its.object("options"), "options of " + what), {}});
    its.end();
  }
  for (const auto& [name, tensor] : fields.object("tensors")) read_tensor(name, tensor, text);
  if (fields.has("files")) {
    for (const JsonValue& part : fields.array("files")) text.parts.push_back(part_from(part));
  }
  fields.end();
  return text;
}

}  // namespace adamant::checkpoint
