// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Reading run logs. Nothing in the file is trusted.
#include <adamant/error.hpp>
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
#include "insight/run_json.h"
#include "insight/run_step.h"

namespace adamant {
namespace {

using run_format::Json;
using namespace run_json;

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

template <class List>
void refuse_another_run(const List& before, const List& now) {
  if (std::string why = why_another_run(before, now); !why.empty()) refuse(std::move(why));
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
          refuse_another_run(info.groups, groups);
          info.groups = std::move(groups);
          shared.reset();
        } else if (event == "tensors") {
          std::vector<RunInfo::Tensor> tensors = tensors_of(*json, info.groups.size());
          refuse_another_run(info.tensors, tensors);
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
      refuse("has " + counted(rates.size(), "learning rate") + " for " + counted(info.groups.size(), "group"));
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
      behind[i] = behind_of((*found)[i], step);
    }
  }

  void read_moments(const Json& json, RunStep& step) {
    const std::size_t tensors = info.tensors.size();
    step.tensors.resize(tensors);
    numbers.assign(tensors * run_format::kNumbers, std::numeric_limits<float>::quiet_NaN());
    if (const auto packed = json.find("moments"); packed != json.end()) {
      if (!packed->is_string() || !run_format::unpack(packed->get_ref<const std::string&>(), numbers)) {
        refuse("'moments' are not " + std::to_string(run_format::kNumbers) + " packed numbers for each of " +
               counted(tensors, "tensor"));
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
             counted(info.probes.size(), "probe"));
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
