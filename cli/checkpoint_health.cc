// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/checkpoint_health.h"

#include <fmt/format.h>

#include <adamant/optimizer.hpp>
#include <adamant/rule.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <span>

#include "cli/checkpoint_planes.h"
#include "cli/json.h"

namespace adamant::cli {
namespace {

template <class Values>
StateHealth measured(const std::string& name, const Values& values) {
  StateHealth health{.name = name, .squares = holds_squares(name), .elements = values.size()};
  double squares = 0.0;
  std::uint64_t finite = 0;
  for (const auto element : values) {
    const auto value = static_cast<double>(element);
    health.zeros += value == 0.0;
    health.nans += std::isnan(value);
    health.infinities += std::isinf(value);
    health.negatives += health.squares && value < 0.0;
    if (!std::isfinite(value)) continue;
    ++finite;
    const double size = health.squares ? std::sqrt(std::max(0.0, value)) : std::abs(value);
    squares += size * size;
    health.max = std::max(health.max, size);
  }
  if (finite > 0) health.rms = std::sqrt(squares / static_cast<double>(finite));
  return health;
}

std::string share(std::uint64_t part, std::uint64_t all) {
  return fmt::format("{:.2g}%", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

// What someone who trains should know.
std::vector<std::string> findings_of(const TensorHealth& tensor, StateFormat format) {
  std::vector<std::string> findings;
  if (tensor.step == 0) {
    findings.emplace_back("has not taken a step");
    return findings;
  }
  for (const StateHealth& state : tensor.states) {
    if (state.nans + state.infinities > 0) {
      findings.push_back(
          fmt::format("{} of {}: {} NaN, {} infinite. The weights there are lost: go back to an earlier checkpoint",
                      state.name, state.elements, state.nans, state.infinities));
    }
    if (state.negatives > 0) {
      findings.push_back(fmt::format("{}: {} elements below zero, which no run reaches: the file is not one of a run",
                                     state.name, state.negatives));
    }
    if (state.squares && state.zeros == state.elements && state.elements > 0) {
      findings.push_back(fmt::format("{} is zero everywhere: this tensor never had a gradient", state.name));
    } else if (state.squares && state.zeros > 0) {
      findings.push_back(fmt::format("{} of {} is zero: these weights never had a gradient that {} can hold",
                                     share(state.zeros, state.elements), state.name, info(format).name));
    }
  }
  return findings;
}

// An optimizer of this tensor alone works in the memory into which its planes are read.
TensorHealth measured_tensor(const std::string& name, const StateDescription::Entry& entry, const StateDictGroup& group,
                             CheckpointPlanes& planes) {
  TensorHealth health{.name = name, .step = entry.step, .states = {}, .findings = {}};
  if (entry.states.empty()) return health;
  const StateFormat format = entry.states.begin()->second.format;
  const StateFormatInfo& stored = info(format);
  // As the planes are in the file, so is the memory that is taken no larger than that.
  const std::size_t elements = entry.states.begin()->second.bytes / stored.bytes;
  double of_shape = 1.0;
  for (const std::size_t extent : entry.shape) of_shape *= static_cast<double>(extent);
  if (of_shape != static_cast<double>(elements)) {
    throw Error(ErrorCode::io, fmt::format("its states have {} elements, its shape {}", elements, of_shape));
  }
  std::vector<double> wide(format == StateFormat::f64 ? elements : 0);
  std::vector<float> narrow(format == StateFormat::f64 ? 0 : elements);
  const Tensor param = format == StateFormat::f64 ? Tensor(wide) : Tensor(narrow);
  Optimizer one(rule_from_name(group.rule), {{"it", param}}, group.options, {.state = format, .threads = 1});

  std::deque<std::vector<std::byte>> memory;
  for (const auto& [state, its] : entry.states) {
    const auto place = [&](PlaneKind kind, std::size_t bytes, const std::string& plane) {
      std::vector<std::byte>& mine = memory.emplace_back(bytes);
      one.set_plane(0, state, kind, mine);
      planes.read(plane, mine);
    };
    place(PlaneKind::values, its.bytes, fmt::format("{}/{}", name, state));
    if (its.exponents > 0) place(PlaneKind::exponents, its.exponents, fmt::format("{}/{}/exponents", name, state));
  }
  for (const auto& [state, its] : entry.states) {
    if (format == StateFormat::f64) {
      health.states.push_back(
          measured(state, std::span(static_cast<const double*>(one.state(0, state).data), elements)));
    } else {
      health.states.push_back(measured(state, one.export_state(0, state)));
    }
  }
  health.findings = findings_of(health, format);
  return health;
}

}  // namespace

std::vector<TensorHealth> health_of(const CheckpointInfo& checkpoint) {
  std::map<std::string, const StateDictGroup*> groups;
  for (const StateDictGroup& group : checkpoint.state.groups) {
    for (const std::string& name : group.params) groups[name] = &group;
  }
  CheckpointPlanes planes(checkpoint);
  std::vector<TensorHealth> all;
  for (const auto& [name, entry] : checkpoint.state.tensors) {
    try {
      all.push_back(measured_tensor(name, entry, *groups.at(name), planes));
    } catch (const Error& error) {
      throw Error(ErrorCode::io, fmt::format("{}: tensor {} is damaged: {}", escaped(checkpoint.files.front().native()),
                                             escaped(name), error.what()));
    }
  }
  return all;
}

}  // namespace adamant::cli
