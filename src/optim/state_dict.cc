// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// state_dict and load_state_dict: by name, complete or not at all.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "optim/formats.h"
#include "optim/impl.h"
#include "optim/storage.h"
#include "rule/options.h"

namespace adamant {
namespace {

constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 62;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::mismatch, "state_dict: " + message); }

// Where a state dict has a plane of a tensor. The entry has all states of the variant.
auto& plane_of(auto& entry, const VariantInfo& variant, const PlaneInfo& plane) {
  if (plane.kind == PlaneKind::low_bits) return entry.weight_bits;
  auto& state = entry.states.at(std::string(variant.state_names[plane.state]));
  return plane.kind == PlaneKind::exponents ? state.exponents : state.bytes;
}

bool is_norm(std::optional<double> norm) { return !norm || (*norm >= 0.0 && std::isfinite(*norm)); }

std::string norm_text(std::optional<double> norm) {
  return "grad_norm is " + text(*norm) + ": must be finite and >= 0";
}
std::string steps_text(std::uint64_t steps) { return std::to_string(steps) + " steps, must be at most 2^62"; }

void check_bytes(const std::string& what, std::size_t bytes, std::size_t expected) {
  if (bytes == expected) return;
  refuse(what + " has " + std::to_string(bytes) + " bytes, must have " + std::to_string(expected));
}

// A format that came from outside may hold any number.
template <class F>
void check_format(const std::string& what, F format, F expected, std::size_t count) {
  if (format == expected) return;
  const auto number = static_cast<std::size_t>(format);
  refuse(what + " is " +
         (number < count ? std::string(info(format).name) : "of format number " + std::to_string(number)) +
         ", must be " + std::string(info(expected).name));
}

// The same tensor with the memory of a state dict in place of its own; only to be read.
Streams streams_of(const TensorState& tensor, const VariantInfo& variant, const StateDictView::Entry& entry) {
  Streams streams = adamant::streams_of(tensor, variant.variant);
  for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
    auto* data = const_cast<std::byte*>(plane_of(entry, variant, plane).data());
    if (plane.kind == PlaneKind::values) streams.states[plane.state].values = data;
    if (plane.kind == PlaneKind::exponents) {
      streams.states[plane.state].exponents = reinterpret_cast<std::uint8_t*>(data);
    }
  });
  return streams;
}

// No run reaches an infinite moment, or a second moment below zero. A NaN it does reach: from a weight that is NaN, and
// from gradients under NonFinite::propagate.
void check_values(const TensorState& tensor, const VariantInfo& variant, const StateDictView::Entry& entry) {
  const Streams streams = streams_of(tensor, variant, entry);
  const auto check = [&](std::size_t s, std::size_t element, double value) {
    const StateInfo& state = variant.state_infos[s];
    if (std::isnan(value) || (std::isfinite(value) && (state.negative || value >= 0.0))) return;
    refuse("state " + in_quotes(state.name) + " of tensor " + in_quotes(tensor.name) + " is " + text(value) +
           " at element " + std::to_string(element) + ": must be " +
           (state.negative ? "finite or NaN" : "finite and >= 0, or NaN"));
  };
  for (std::size_t first = 0; first < tensor.param.size; first += kBlock) {
    const std::size_t count = std::min(kBlock, tensor.param.size - first);
    StateBlocks blocks;
    if (tensor.state_format != StateFormat::f64) decode_states(streams, first, count, blocks);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      const auto* wide = static_cast<const double*>(state_at(streams, s, first));
      for (std::size_t i = 0; i < count; ++i) {
        check(s, first + i, tensor.state_format == StateFormat::f64 ? wide[i] : static_cast<double>(blocks[s][i]));
      }
    }
  }
}

void check_entry(const TensorState& tensor, const VariantInfo& variant, const StateDictView::Entry& entry) {
  if (entry.shape != tensor.shape) {
    refuse("tensor " + in_quotes(tensor.name) + " has shape " + shape_text(entry.shape) + ", must be " +
           shape_text(tensor.shape));
  }
  if (entry.step > kMostSteps) {
    refuse("tensor " + in_quotes(tensor.name) + " has taken " + steps_text(entry.step));
  }
  for (const auto& [name, state] : entry.states) {
    if (std::find(variant.states().begin(), variant.states().end(), name) == variant.states().end()) {
      refuse("tensor " + in_quotes(tensor.name) + " has a state " + in_quotes(name) + ", which " +
             std::string(variant.formula) + " has not");
    }
  }
  for (const std::string_view name : variant.states()) {
    const auto found = entry.states.find(std::string(name));
    if (found == entry.states.end()) refuse(state_text(tensor, name) + " is missing");
    check_format(state_text(tensor, name), found->second.format, tensor.state_format, state_formats().size());
  }
  check_format("weight of tensor " + in_quotes(tensor.name), entry.weight_format, tensor.weight_format,
               weight_formats().size());
  // Every plane has its size, and what is no plane has none.
  std::array<std::size_t, kMaxPlanes> bytes{};
  for_each_plane(tensor, variant, [&](const PlaneInfo& plane) { bytes[plane.index()] = plane.bytes; });
  for (std::size_t s = 0; s < variant.state_count; ++s) {
    const std::string what = state_text(tensor, variant.state_names[s]);
    const StateDictView::State& state = entry.states.at(std::string(variant.state_names[s]));
    check_bytes(what, state.bytes.size(), bytes[plane_index(s, PlaneKind::values)]);
    check_bytes("exponents of " + what, state.exponents.size(), bytes[plane_index(s, PlaneKind::exponents)]);
  }
  check_bytes("weight_bits of tensor " + in_quotes(tensor.name), entry.weight_bits.size(),
              bytes[plane_index(0, PlaneKind::low_bits)]);
  check_values(tensor, variant, entry);
}

}  // namespace

StateDictView::StateDictView(const StateDict& dict) {
  seed = dict.seed;
  grad_norm = dict.grad_norm;
  steps = dict.steps;
  groups = dict.groups;
  for (const auto& [name, entry] : dict.tensors) {
    Entry& view = tensors[name];
    view = {entry.shape, entry.step, entry.weight_format, entry.weight_bits, {}};
    for (const auto& [state_name, state] : entry.states) {
      view.states[state_name] = {state.format, state.bytes, state.exponents};
    }
  }
}

StateDict Optimizer::state_dict() const {
  const Call call = impl().call("state_dict");
  StateDict dict;
  dict.seed = impl().settings.seed;
  dict.grad_norm = impl().grad_norm;
  dict.steps = impl().steps;
  for (const GroupState& group : impl().groups) {
    dict.groups.push_back(
        {std::string(info(group.rule()).name), std::string(info(group.variant).formula), group.options, {}});
  }
  for (const TensorState& tensor : impl().tensors) {
    dict.groups[tensor.group].params.push_back(tensor.name);
    StateDict::Entry& entry = dict.tensors[tensor.name];
    entry.shape = tensor.shape;
    entry.step = tensor.step;
    entry.weight_format = tensor.weight_format;
    const VariantInfo& variant = info(impl().variant(tensor));
    for (const std::string_view name : variant.states()) entry.states[std::string(name)].format = tensor.state_format;
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      const std::byte* data = tensor.planes[plane.index()].data;
      plane_of(entry, variant, plane).assign(data, data + plane.bytes);
    });
  }
  return dict;
}

void Optimizer::load_state_dict(const StateDictView& dict) {
  const Call call = impl().call("load_state_dict");
  Impl& self = impl();
  if (dict.groups.size() != self.groups.size()) {
    refuse("has " + std::to_string(dict.groups.size()) + " parameter groups, must have " +
           std::to_string(self.groups.size()));
  }
  if (!is_norm(dict.grad_norm)) refuse(norm_text(dict.grad_norm));
  if (dict.steps > kMostSteps) refuse("has taken " + steps_text(dict.steps));
  std::vector<Options> options;
  std::vector<bool> grouped(self.tensors.size());
  for (std::size_t g = 0; g < self.groups.size(); ++g) {
    const StateDictGroup& group = dict.groups[g];
    const std::string what = " of group " + std::to_string(g);
    const Rule rule = self.groups[g].rule();
    if (group.rule != info(rule).name) {
      refuse("rule" + what + " is " + in_quotes(group.rule) + ", must be " + in_quotes(info(rule).name));
    }
    for (const OptionInfo& option : info(rule).options) {
      if (!get_option(group.options, option.name)) refuse("option " + in_quotes(option.name) + what + " is missing");
    }
    options.push_back(resolve(rule, self.groups[g].options, group.options));
    const std::string_view own = info(self.groups[g].variant).formula;
    if (group.formula != own)
      refuse("formula" + what + " is " + in_quotes(group.formula) + ", must be " + in_quotes(own));
    const std::string_view formula = info(variant_of(rule, options.back())).formula;
    if (formula != own)
      refuse("options" + what + " are those of " + in_quotes(formula) + ", must be of " + in_quotes(own));
    for (const std::string& name : group.params) {
      const auto found = self.tensor_by_name.find(name);
      if (found == self.tensor_by_name.end()) refuse("tensor " + in_quotes(name) + " is not one of this optimizer's");
      if (self.tensors[found->second].group != g) {
        refuse("tensor " + in_quotes(name) + " is in group " + std::to_string(g) + ", must be in group " +
               std::to_string(self.tensors[found->second].group));
      }
      grouped[found->second] = true;
    }
  }
  for (const auto& [name, entry] : dict.tensors) {
    if (!self.tensor_by_name.contains(name)) refuse("tensor " + in_quotes(name) + " is not one of this optimizer's");
  }
  for (const TensorState& tensor : self.tensors) {
    const auto found = dict.tensors.find(tensor.name);
    if (found == dict.tensors.end()) refuse("tensor " + in_quotes(tensor.name) + " is missing");
    const VariantInfo& variant = info(self.variant(tensor));
    check_entry(tensor, variant, found->second);
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      const std::span<const std::byte> bytes = plane_of(found->second, variant, plane);
      if (bytes.data() == tensor.planes[plane.index()].data) return;
      const Region* region = self.regions.overlapping(bytes.data(), bytes.data() + bytes.size());
      if (region == nullptr) return;
      adamant::refuse(ErrorCode::duplicate,
                      "state_dict: memory for " +
                          self.region_text({nullptr, nullptr, self.tensor_by_name.at(tensor.name), plane.index()}) +
                          " is that of " + self.region_text(*region));
    });
  }
  for (std::size_t t = 0; t < self.tensors.size(); ++t) {
    if (!grouped[t]) refuse("tensor " + in_quotes(self.tensors[t].name) + " is in no group");
  }

  for (std::size_t g = 0; g < self.groups.size(); ++g) self.groups[g].options = options[g];
  for (TensorState& tensor : self.tensors) {
    const StateDictView::Entry& entry = dict.tensors.at(tensor.name);
    tensor.step = entry.step;
    const VariantInfo& variant = info(self.variant(tensor));
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      const std::span<const std::byte> bytes = plane_of(entry, variant, plane);
      // They may be the plane itself.
      if (!bytes.empty()) std::memmove(tensor.planes[plane.index()].data, bytes.data(), bytes.size());
    });
    tensor.seed = dither_seed(dict.seed, tensor.name);
  }
  self.settings.seed = dict.seed;
  self.grad_norm = dict.grad_norm;
  self.steps = dict.steps;
}

void Optimizer::set_tensor_step(TensorRef tensor, std::uint64_t step) {
  const Call call = impl().call("set_tensor_step");
  TensorState& state = impl().tensors[index_of(tensor)];
  if (step > kMostSteps) {
    adamant::refuse(ErrorCode::invalid_argument, "step of tensor " + in_quotes(state.name) + " is " +
                                                     std::to_string(step) + ", must be at most 2^62");
  }
  state.step = step;
}

void Optimizer::set_progress(std::uint64_t steps, std::optional<double> grad_norm) {
  const Call call = impl().call("set_progress");
  if (steps > kMostSteps) {
    adamant::refuse(ErrorCode::invalid_argument, "set_progress: the run has taken " + steps_text(steps));
  }
  if (!is_norm(grad_norm)) adamant::refuse(ErrorCode::invalid_argument, "set_progress: " + norm_text(grad_norm));
  impl().steps = steps;
  impl().grad_norm = grad_norm;
}

}  // namespace adamant
