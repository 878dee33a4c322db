// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Reading run logs. Nothing in the file is trusted.
#include <adamant/error.hpp>
#include <adamant/rule.hpp>
#include <adamant/run_log.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "base/float_environment.h"
#include "base/held.h"
#include "base/text.h"
#include "insight/lines.h"
#include "insight/run_format.h"
#include "rule/options.h"

namespace adamant {
namespace {

using run_format::Json;

// What is wrong with a line; the reader says which.
struct Wrong {
  std::string why;
};
[[noreturn]] void refuse(std::string why) { throw Wrong{std::move(why)}; }

// A number that f64 holds exactly, as JSON's are.
constexpr std::uint64_t kMost = std::uint64_t{1} << 53;

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
// null stands for what is not finite.
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

void check_place(const RunInfo::Probe& probe, const std::vector<RunInfo::Tensor>& tensors) {
  if (probe.tensor >= tensors.size() || probe.element >= tensors[probe.tensor].size) {
    refuse("a probe is at an element that is not there");
  }
}

std::vector<RunInfo::Probe> probes_of(const Json& json, const std::vector<RunInfo::Tensor>& tensors) {
  std::vector<RunInfo::Probe> probes;
  for (const Json& pair : array_at(json, "probes")) {
    if (!pair.is_array() || pair.size() != 2) refuse("a probe is not a pair of tensor and element");
    const RunInfo::Probe probe{count(pair[0], "probes"), count(pair[1], "probes")};
    check_place(probe, tensors);
    if (!probes.empty() &&
        std::pair(probes.back().tensor, probes.back().element) >= std::pair(probe.tensor, probe.element)) {
      refuse("the probes are not in order");
    }
    probes.push_back(probe);
  }
  return probes;
}

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

// Whether brackets stand inside each other further than in any line that is written: a parser would need memory for
// each of a line that is nothing else.
bool is_deep(std::string_view line) {
  constexpr int kDeepest = 8;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (text && c == '\\') {
      ++i;
    } else if (c == '"') {
      text = !text;
    } else if (!text && (c == '[' || c == '{') && ++depth > kDeepest) {
      return true;
    } else if (!text && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return false;
}

}  // namespace

struct RunLogReader::Impl {
  explicit Impl(std::string path) : lines(std::move(path)) {
    std::string event;
    const std::optional<Json> json = next_line(event);
    if (!json) lines.refuse_line("has no complete line: not a run log, or one that has only begun");
    guarded([&] {
      if (event != "run") refuse("is not the first line of a run log");
      info = info_of(*json);
    });
    behind.resize(info.tensors.size());
  }

  // What is wrong with a line is told with its number.
  template <class Body>
  void guarded(Body&& body) {
    try {
      body();
    } catch (const Wrong& wrong) {
      lines.refuse_line(wrong.why);
    }
  }

  std::optional<Json> next_line(std::string& event) {
    const std::optional<std::string_view> line = lines.next();
    if (!line) return std::nullopt;
    Json json;
    guarded([&] {
      if (is_deep(*line)) refuse("is nested deeper than any line of a run log");
      json = Json::parse(*line, nullptr, false);
      if (json.is_discarded()) refuse("is not JSON");
      if (!json.is_object()) refuse("is not a JSON object");
      event = string_of(at(json, "event"), "event");
    });
    return json;
  }

  bool next(RunStep& step) {
    step.info.reset();
    std::string event;
    while (const std::optional<Json> json = next_line(event)) {
      bool done = false;
      guarded([&] {
        if (end) refuse("comes after the end of the run");
        if (event == "step") {
          read_step(*json, step);
          done = true;
        } else if (event == "scales") {
          read_scales(*json);
        } else if (event == "options") {
          std::vector<RunInfo::Group> groups = groups_of(*json);
          if (groups.size() < info.groups.size()) refuse("has fewer groups than before");
          for (std::size_t i = 0; i < info.groups.size(); ++i) {
            if (groups[i].rule != info.groups[i].rule) refuse("group " + std::to_string(i) + " changes its rule");
          }
          info.groups = std::move(groups);
          shared.reset();
        } else if (event == "tensors") {
          std::vector<RunInfo::Tensor> tensors = tensors_of(*json, info.groups.size());
          if (tensors.size() < info.tensors.size()) refuse("has fewer tensors than before");
          for (const RunInfo::Probe& probe : info.probes) check_place(probe, tensors);
          info.tensors = std::move(tensors);
          shared.reset();
          behind.resize(info.tensors.size());
        } else if (event == "end") {
          end = notes_of(*json);
        } else {
          refuse("has the event " + printable(event) + ", which is not known");
        }
      });
      if (done) return true;
    }
    if (!end) lines.check_place();
    return false;
  }

  void read_step(const Json& json, RunStep& step) {
    step.step = count(at(json, "step"), "step");
    if (step.step <= last_step)
      refuse("step " + std::to_string(step.step) + " follows step " + std::to_string(last_step));
    step.seconds = number(at(json, "seconds"), "seconds");
    step.loss = number(at(json, "loss"), "loss");
    read_lr(array_at(json, "lr"), step);
    step.grad_norm.reset();
    if (const auto norm = json.find("grad_norm"); norm != json.end()) step.grad_norm = number(*norm, "grad_norm");
    step.clip_coefficient = number(at(json, "clip"), "clip");
    step.applied = truth(at(json, "applied"), "applied");
    step.nonfinite.reset();
    if (const auto bad = json.find("nonfinite"); bad != json.end()) {
      if (!bad->is_object()) refuse("'nonfinite' is not an object");
      step.nonfinite = {string_of(at(*bad, "tensor"), "tensor"), count(at(*bad, "element"), "element"),
                        count(at(*bad, "count"), "count")};
    }
    read_behind(json, step.step);
    read_moments(json, step);
    read_probes(json, step);
    if (!shared) shared = std::make_shared<const RunInfo>(info);
    step.info = shared;
    last_step = step.step;
  }

  void read_lr(const Json& rates, RunStep& step) {
    if (rates.size() != info.groups.size()) {
      refuse("has " + std::to_string(rates.size()) + " learning rates for " + std::to_string(info.groups.size()) +
             " groups");
    }
    step.lr.clear();
    for (const Json& rate : rates) {
      const double lr = number(rate, "lr");
      if (!(lr >= 0.0 && lr <= static_cast<double>(std::numeric_limits<float>::max()))) {
        refuse("a learning rate is not a finite f32 number >= 0");
      }
      std::optional<double>& known = info.groups[step.lr.size()].options.lr;
      if (known != lr) shared.reset();
      known = lr;
      step.lr.push_back(lr);
    }
  }

  void read_behind(const Json& json, std::uint64_t step) {
    const auto found = json.find("behind");
    if (found == json.end()) return;
    if (!found->is_array() || found->size() != behind.size()) refuse("'behind' is not an array of one for each tensor");
    for (std::size_t i = 0; i < behind.size(); ++i) {
      const Json& late = (*found)[i];
      const bool huge = late.is_number_unsigned() && late.get<std::uint64_t>() > step;
      if (!late.is_number_integer() || huge || late.get<std::int64_t>() < -static_cast<std::int64_t>(kMost)) {
        refuse("'behind' holds what is not a number of steps");
      }
      behind[i] = late.get<std::int64_t>();
    }
  }

  void read_moments(const Json& json, RunStep& step) {
    const std::size_t tensors = info.tensors.size();
    step.tensors.resize(tensors);
    numbers.assign(tensors * run_format::kNumbers, std::numeric_limits<float>::quiet_NaN());
    if (const auto packed = json.find("moments"); packed != json.end()) {
      if (!packed->is_string() || !run_format::unpack(packed->get_ref<const std::string&>(), numbers)) {
        refuse("'moments' are not " + std::to_string(run_format::kNumbers) + " packed numbers for each of " +
               std::to_string(tensors) + " tensors");
      }
    }
    for (std::size_t i = 0; i < tensors; ++i) {
      run_format::Numbers of_tensor;
      for (std::size_t k = 0; k < of_tensor.size(); ++k) {
        of_tensor[k] = static_cast<double>(numbers[i * run_format::kNumbers + k]);
      }
      for (const double share : {of_tensor[kSums], of_tensor[kSums + 1]}) {
        if (share < 0.0 || share > 1.0) refuse("a share in 'moments' is not from 0 to 1");
      }
      TensorStatistics& tensor = step.tensors[i];
      run_format::set_numbers(tensor, of_tensor, info.tensors[i].size);
      const bool seen = tensor.elements > 0 || tensor.scales.elements > 0;
      tensor.tensor = i;
      tensor.step = seen ? static_cast<std::uint64_t>(static_cast<std::int64_t>(step.step) - behind[i]) : 0;
      tensor.probes.clear();
    }
  }

  void read_probes(const Json& json, RunStep& step) {
    const auto packed = json.find("probes");
    if (packed == json.end()) return;
    numbers.resize(info.probes.size() * run_format::kProbeNumbers);
    if (!packed->is_string() || !run_format::unpack(packed->get_ref<const std::string&>(), numbers)) {
      refuse("'probes' are not " + std::to_string(run_format::kProbeNumbers) + " packed numbers for each of " +
             std::to_string(info.probes.size()) + " probes");
    }
    const float* number = numbers.data();
    for (const RunInfo::Probe& probe : info.probes) {
      step.tensors[probe.tensor].probes.push_back(
          {probe.element, number[0], number[1], number[2], number[3], number[4]});
      number += run_format::kProbeNumbers;
    }
  }

  void read_scales(const Json& json) {
    RunScales read;
    read.first_step = count(at(json, "first"), "first");
    read.last_step = count(at(json, "last"), "last");
    for (const Json& tensor : array_at(json, "bins")) read.bins.push_back(bins_of(tensor));
    if (read.bins.size() != info.tensors.size()) refuse("'bins' are not one for each tensor");
    scales = std::move(read);
  }

  Lines lines;
  RunInfo info;
  std::shared_ptr<const RunInfo> shared;  // a copy for steps; none where something has changed since
  std::optional<RunScales> scales;
  std::optional<Notes> end;
  std::uint64_t last_step = 0;
  std::vector<std::int64_t> behind;  // of each tensor: steps it has taken fewer than the run
  std::vector<float> numbers;
};

RunLogReader::RunLogReader(std::string path) {
  const FloatEnvironment environment;
  impl_ = std::make_unique<Impl>(std::move(path));
}
RunLogReader::~RunLogReader() = default;
RunLogReader::RunLogReader(RunLogReader&&) noexcept = default;
RunLogReader& RunLogReader::operator=(RunLogReader&&) noexcept = default;

const RunInfo& RunLogReader::info() const { return held(impl_, "run log reader").info; }
bool RunLogReader::next(RunStep& step) {
  const FloatEnvironment environment;
  return held(impl_, "run log reader").next(step);
}
const std::optional<RunScales>& RunLogReader::scales() const { return held(impl_, "run log reader").scales; }
const std::optional<Notes>& RunLogReader::end() const { return held(impl_, "run log reader").end; }

}  // namespace adamant
