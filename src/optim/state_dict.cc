// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// state_dict and load_state_dict: by name, complete or not at all.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

#include "base/text.h"
#include "optim/formats.h"
#include "optim/impl.h"
#include "optim/storage.h"
#include "rule/options.h"

namespace adamant {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::mismatch, "state_dict: " + message); }

// Where a state dict has a plane of a tensor. The entry has all states of the variant.
auto& plane_of(auto& entry, const VariantInfo& variant, const PlaneInfo& plane) {
  if (plane.kind == PlaneKind::low_bits) return entry.weight_bits;
  auto& state = entry.states.at(std::string(variant.state_names[plane.state]));
  return plane.kind == PlaneKind::exponents ? state.exponents : state.bytes;
}

// The same with its bytes as `convert` makes them.
template <class To, class From, class Convert>
To converted(const From& from, Convert&& convert) {
  To to;
  to.seed = from.seed;
  to.grad_norm = from.grad_norm;
  to.steps = from.steps;
  to.groups = from.groups;
  for (const auto& [name, entry] : from.tensors) {
    auto& own = to.tensors[name];
    own = {entry.shape, entry.step, entry.weight_format, convert(entry.weight_bits), {}};
    for (const auto& [state_name, state] : entry.states) {
      own.states[state_name] = {state.format, convert(state.bytes), convert(state.exponents)};
    }
  }
  return to;
}

// Its planes where they lie.
StateDictView view_of(const auto& self) {
  StateDictView dict;
  dict.seed = self.settings.seed;
  dict.grad_norm = self.grad_norm;
  dict.steps = self.steps;
  for (const GroupState& group : self.groups) {
    dict.groups.push_back(
        {std::string(info(group.rule()).name), std::string(info(group.variant).formula), group.options, {}});
  }
  for (const TensorState& tensor : self.tensors) {
    dict.groups[tensor.group].params.push_back(tensor.name);
    StateDictView::Entry& entry = dict.tensors[tensor.name];
    entry.shape = tensor.shape;
    entry.step = tensor.step;
    entry.weight_format = tensor.weight_format;
    const VariantInfo& variant = info(self.variant(tensor));
    for (const std::string_view name : variant.states()) entry.states[std::string(name)].format = tensor.state_format;
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      plane_of(entry, variant, plane) = {tensor.planes[plane.index()].data, plane.bytes};
    });
  }
  return dict;
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

// Bytes of a plane for so many elements of the tensor, which are whole groups or its last.
std::size_t bytes_of(const TensorState& tensor, PlaneKind kind, std::size_t elements) {
  const StateFormatInfo& format = info(tensor.state_format);
  switch (kind) {
    case PlaneKind::values:
      return elements * format.bytes;
    case PlaneKind::exponents:
      return (elements + format.group - 1) / format.group * format.group_bytes;
    case PlaneKind::low_bits:
      break;
  }
  return elements * info(tensor.weight_format).bytes;
}

// No run reaches an infinite moment, or a second moment below zero. A NaN it does reach: from a weight that is NaN, and
// from gradients under NonFinite::propagate.
template <class T>
bool is_reached(T value, bool negative) {
  const T least = negative ? std::numeric_limits<T>::lowest() : T(0);
  return std::isnan(value) || (value >= least && value <= std::numeric_limits<T>::max());
}

// Of one state, from element `first` on.
template <class T>
void check_run(const TensorState& tensor, const StateInfo& state, std::size_t first, std::span<const T> values) {
  bool all = true;
  for (const T value : values) all &= is_reached(value, state.negative);
  if (all) return;
  const auto bad = std::ranges::find_if(values, [&](T value) { return !is_reached(value, state.negative); });
  refuse("state " + in_quotes(state.name) + " of tensor " + in_quotes(tensor.name) + " is " +
         text(static_cast<double>(*bad)) + " at element " +
         std::to_string(first + static_cast<std::size_t>(bad - values.begin())) + ": must be " +
         (state.negative ? "finite or NaN" : "finite and >= 0, or NaN"));
}

// How planes that are to be loaded are read: read(index of the tensor, plane, first byte, where to).

// Reads every plane once, part by part.
template <class Read>
void check_values(const TensorState& tensor, std::size_t index, const VariantInfo& variant, const Read& read) {
  constexpr std::size_t kAtOnce = 1024 * kBlock;  // elements
  std::array<std::vector<std::byte>, kMaxPlanes> parts;
  for (std::size_t begin = 0; begin < tensor.param.size; begin += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, tensor.param.size - begin);
    Streams streams = streams_of(tensor, variant.variant);
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      std::vector<std::byte>& part = parts[plane.index()];
      part.resize(bytes_of(tensor, plane.kind, count));
      read(index, plane, bytes_of(tensor, plane.kind, begin), part);
      if (plane.kind == PlaneKind::values) streams.states[plane.state].values = part.data();
      if (plane.kind == PlaneKind::exponents) {
        streams.states[plane.state].exponents = reinterpret_cast<std::uint8_t*>(part.data());
      }
    });
    for (std::size_t first = 0; first < count; first += kBlock) {
      const std::size_t n = std::min(kBlock, count - first);
      StateBlocks blocks;
      const bool wide = tensor.state_format == StateFormat::f64;
      if (!wide) decode_states(streams, first, n, blocks);
      for (std::size_t s = 0; s < variant.state_count; ++s) {
        const StateInfo& state = variant.state_infos[s];
        if (wide) {
          check_run<double>(tensor, state, begin + first, {static_cast<double*>(state_at(streams, s, first)), n});
        } else {
          check_run<float>(tensor, state, begin + first, {blocks[s], n});
        }
      }
    }
  }
}

void check_entry(const TensorState& tensor, const VariantInfo& variant, const StateDescription::Entry& entry) {
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
    const StateDescription::State& state = entry.states.at(std::string(variant.state_names[s]));
    check_bytes(what, state.bytes, bytes[plane_index(s, PlaneKind::values)]);
    check_bytes("exponents of " + what, state.exponents, bytes[plane_index(s, PlaneKind::exponents)]);
  }
  check_bytes("weight_bits of tensor " + in_quotes(tensor.name), entry.weight_bits,
              bytes[plane_index(0, PlaneKind::low_bits)]);
}

// Throws Error unless it is a state of this optimizer, as far as can be told without the planes. Returns the options of
// its groups.
std::vector<Options> checked(const auto& self, const StateDescription& dict) {
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
    check_entry(tensor, info(self.variant(tensor)), found->second);
  }
  for (std::size_t t = 0; t < self.tensors.size(); ++t) {
    if (!grouped[t]) refuse("tensor " + in_quotes(self.tensors[t].name) + " is in no group");
  }
  return options;
}

// Memory that is copied into planes must not be that of others.
void check_memory(const auto& self, const StateDictView& dict) {
  for (const TensorState& tensor : self.tensors) {
    const StateDictView::Entry& entry = dict.tensors.at(tensor.name);
    const VariantInfo& variant = info(self.variant(tensor));
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      const std::span<const std::byte> bytes = plane_of(entry, variant, plane);
      if (bytes.data() == tensor.planes[plane.index()].data) return;
      const Region* region = self.regions.overlapping(bytes.data(), bytes.data() + bytes.size());
      if (region == nullptr) return;
      adamant::refuse(ErrorCode::duplicate,
                      "state_dict: memory for " +
                          self.region_text({nullptr, nullptr, self.tensor_by_name.at(tensor.name), plane.index()}) +
                          " is that of " + self.region_text(*region));
    });
  }
}

template <class Read>
void take_planes(TensorState& tensor, std::size_t index, const VariantInfo& variant, const Read& read) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 20;  // bytes
  for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
    std::byte* data = tensor.planes[plane.index()].data;
    for (std::size_t first = 0; first < plane.bytes; first += kAtOnce) {
      read(index, plane, first, std::span(data + first, std::min(kAtOnce, plane.bytes - first)));
    }
  });
}

// Takes over what was checked. Itself it allocates nothing in the second reading.
template <class Read>
void take(auto& self, const StateDescription& dict, const std::vector<Options>& options, const Read& read,
          const std::function<void()>& last = {}) {
  for (std::size_t t = 0; t < self.tensors.size(); ++t) {
    check_values(self.tensors[t], t, info(self.variant(self.tensors[t])), read);
  }

  self.torn = true;
  try {
    for (std::size_t t = 0; t < self.tensors.size(); ++t) {
      take_planes(self.tensors[t], t, info(self.variant(self.tensors[t])), read);
      self.tensors[t].step = dict.tensors.at(self.tensors[t].name).step;
      self.tensors[t].seed = dither_seed(dict.seed, self.tensors[t].name);
    }
    if (last) last();
  } catch (const Error& error) {
    throw Error(error.code(), std::string(error.what()) + "; states are mixed now, until a load succeeds");
  }
  for (std::size_t g = 0; g < self.groups.size(); ++g) self.groups[g].options = options[g];
  self.settings.seed = dict.seed;
  self.grad_norm = dict.grad_norm;
  self.steps = dict.steps;
  self.torn = false;
}

}  // namespace

StateDictView::StateDictView(const StateDict& dict)
    : StateDictView(
          converted<StateDictView>(dict, [](const std::vector<std::byte>& bytes) { return std::span(bytes); })) {}

StateDict Optimizer::state_dict() const {
  const Call call = impl().call("state_dict");
  return converted<StateDict>(view_of(impl()), [](std::span<const std::byte> bytes) {
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
}

void Optimizer::with_state(const std::function<void(const StateDictView&)>& use) const {
  const Call call = impl().call("with_state");
  use(view_of(impl()));
}

void Optimizer::load_state_dict(const StateDescription& dict, const ReadPlane& read,
                                const std::function<void()>& last) {
  const Call call = impl().call_to_load("load_state_dict");
  const auto by_name = [&](std::size_t tensor, const PlaneInfo& plane, std::size_t first, std::span<std::byte> to) {
    const TensorState& its = impl().tensors[tensor];
    const bool low_bits = plane.kind == PlaneKind::low_bits;
    read(its.name, low_bits ? std::string_view() : info(impl().variant(its)).state_names[plane.state], plane.kind,
         first, to);
  };
  take(impl(), dict, checked(impl(), dict), by_name, last);
}

void Optimizer::load_state_dict(const StateDictView& dict) {
  const Call call = impl().call_to_load("load_state_dict");
  const auto sizes = converted<StateDescription>(dict, [](std::span<const std::byte> bytes) { return bytes.size(); });
  const std::vector<Options> options = checked(impl(), sizes);
  check_memory(impl(), dict);
  // Found before anything changes, for that takes memory.
  std::vector<std::array<const std::byte*, kMaxPlanes>> planes(impl().tensors.size());
  for (std::size_t t = 0; t < planes.size(); ++t) {
    const TensorState& tensor = impl().tensors[t];
    const VariantInfo& variant = info(impl().variant(tensor));
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      planes[t][plane.index()] = plane_of(dict.tensors.at(tensor.name), variant, plane).data();
    });
  }
  take(impl(), sizes, options,
       [&](std::size_t tensor, const PlaneInfo& plane, std::size_t first, std::span<std::byte> to) {
         // It may be the plane itself. An empty one may be null.
         if (!to.empty()) std::memmove(to.data(), planes[tensor][plane.index()] + first, to.size());
       });
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
