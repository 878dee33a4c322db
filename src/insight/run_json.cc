// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/run_json.h"

#include <adamant/error.hpp>
#include <adamant/rule.hpp>
#include <limits>
#include <utility>

#include "base/text.h"
#include "insight/run_step.h"
#include "rule/options.h"

namespace adamant::run_json {

void refuse(std::string why) { throw Wrong{std::move(why)}; }

const Json& at(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) refuse("lacks " + in_quotes(name));
  return *found;
}
const Json& array_at(const Json& json, const char* name) {
  const Json& value = at(json, name);
  if (!value.is_array()) refuse(in_quotes(name) + " is not an array");
  return value;
}
std::uint64_t count(const Json& value, const char* name) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost) {
    refuse(in_quotes(name) + " is not a whole number from 0 to 2^53");
  }
  return value.get<std::uint64_t>();
}
double number(const Json& value, const char* name) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) refuse(in_quotes(name) + " is not a number");
  return value.get<double>();
}
std::string string_of(const Json& value, const char* name) {
  if (!value.is_string()) refuse(in_quotes(name) + " is not a string");
  return value.get<std::string>();
}
bool truth(const Json& value, const char* name) {
  if (!value.is_boolean()) refuse(in_quotes(name) + " is neither true nor false");
  return value.get<bool>();
}

Notes notes_of(const Json& json) {
  const Json& object = at(json, "notes");
  if (!object.is_object()) refuse("'notes' is not an object");
  Notes notes;
  for (const auto& [name, value] : object.items()) {
    if (value.is_structured() || value.is_boolean())
      refuse("the note " + printable(name) + " is neither text nor a number");
    notes.emplace_back(name, value.is_string() ? Note(value.get<std::string>()) : Note(number(value, "notes")));
  }
  return notes;
}

namespace {

void read_option(const Json& value, const char* name, std::optional<double>& option) { option = number(value, name); }
void read_option(const Json& value, const char* name, std::optional<bool>& option) { option = truth(value, name); }
void read_option(const Json& value, const char* name, Betas& option) {
  if (!value.is_array() || value.size() != 2) refuse(in_quotes(name) + " are not two numbers");
  option = Betas(number(value[0], name), number(value[1], name));
}

RunInfo::Group group_of(const Json& json) {
  if (!json.is_object()) refuse("a group is not an object");
  const Json& given = at(json, "options");
  if (!given.is_object()) refuse("'options' is not an object");
  Options options;
  std::size_t known = 0;
  for_each_option([&](const char* name, auto member) {
    const auto found = given.find(name);
    if (found == given.end()) return;
    ++known;
    read_option(*found, name, options.*member);
  });
  if (known != given.size()) refuse("a group has an option that no rule has");
  try {
    const Rule rule = rule_from_name(string_of(at(json, "rule"), "rule"));
    return {rule, resolve(rule, defaults(rule), options)};
  } catch (const Error& error) {
    refuse(error.what());
  }
}

}  // namespace

std::vector<RunInfo::Group> groups_of(const Json& json) {
  std::vector<RunInfo::Group> groups;
  for (const Json& group : array_at(json, "groups")) groups.push_back(group_of(group));
  if (groups.empty()) refuse("has no group");
  return groups;
}

std::vector<RunInfo::Tensor> tensors_of(const Json& json, std::size_t groups) {
  std::vector<RunInfo::Tensor> tensors;
  for (const Json& entry : array_at(json, "tensors")) {
    if (!entry.is_object()) refuse("a tensor is not an object");
    RunInfo::Tensor tensor;
    tensor.name = string_of(at(entry, "name"), "name");
    tensor.size = count(at(entry, "size"), "size");
    tensor.group = count(at(entry, "group"), "group");
    if (tensor.group >= groups) refuse("the tensor " + printable(tensor.name) + " is in a group that is not there");
    std::uint64_t elements = 1;
    for (const Json& side : array_at(entry, "shape")) {
      tensor.shape.push_back(count(side, "shape"));
      const std::uint64_t length = tensor.shape.back();
      elements = length != 0 && elements > kMost / length ? kMost + 1 : elements * length;
    }
    if (elements != tensor.size) {
      refuse("the tensor " + printable(tensor.name) + " has " + std::to_string(tensor.size) +
             " elements, which is not the product of its shape");
    }
    tensors.push_back(std::move(tensor));
  }
  if (tensors.empty()) refuse("has no tensor");
  return tensors;
}

namespace {

std::vector<RunInfo::Probe> probes_of(const Json& json, const std::vector<RunInfo::Tensor>& tensors) {
  std::vector<RunInfo::Probe> probes;
  for (const Json& pair : array_at(json, "probes")) {
    if (!pair.is_array() || pair.size() != 2) refuse("a probe is not a pair of tensor and element");
    const RunInfo::Probe probe{count(pair[0], "probes"), count(pair[1], "probes")};
    if (probe.tensor >= tensors.size() || probe.element >= tensors[probe.tensor].size) {
      refuse("a probe is at an element that is not there");
    }
    if (!probes.empty() &&
        std::pair(probes.back().tensor, probes.back().element) >= std::pair(probe.tensor, probe.element)) {
      refuse("the probes are not in order");
    }
    probes.push_back(probe);
  }
  return probes;
}

}  // namespace

RunInfo info_of(const Json& json) {
  if (json.find("log") == json.end() || json["log"] != run_format::kId) {
    refuse("is not the first line of a run log (log: " + std::string(run_format::kId) + ")");
  }
  RunInfo info;
  info.id = string_of(at(json, "id"), "id");
  info.version = string_of(at(json, "version"), "version");
  info.target = string_of(at(json, "target"), "target");
  info.title = string_of(at(json, "title"), "title");
  info.groups = groups_of(json);
  info.tensors = tensors_of(json, info.groups.size());
  info.probes = probes_of(json, info.tensors);
  info.notes = notes_of(json);
  return info;
}

std::array<std::uint32_t, ScaleSample::kBins> bins_of(const Json& json) {
  std::array<std::uint32_t, ScaleSample::kBins> bins{};
  if (!json.is_array()) refuse("'bins' are not arrays");
  if (json.empty()) return bins;
  const std::uint64_t first = count(json[0], "bins");
  if (first >= bins.size() || json.size() - 1 > bins.size() - first) refuse("a histogram has more than 64 bins");
  for (std::size_t i = 1; i < json.size(); ++i) {
    const std::uint64_t elements = count(json[i], "bins");
    if (elements > std::numeric_limits<std::uint32_t>::max()) refuse("a bin holds more than 2^32 elements");
    bins[first + i - 1] = static_cast<std::uint32_t>(elements);
  }
  return bins;
}

std::int64_t behind_of(const Json& json, std::uint64_t step) {
  const bool huge = json.is_number_unsigned() && json.get<std::uint64_t>() > step;
  if (!json.is_number_integer() || huge || json.get<std::int64_t>() < -static_cast<std::int64_t>(kMost)) {
    refuse("'behind' holds what is not a number of steps");
  }
  return json.get<std::int64_t>();
}

}  // namespace adamant::run_json
