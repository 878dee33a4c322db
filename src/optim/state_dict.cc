// state_dict and load_state_dict: by name, complete or not at all.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "kernel/convert.h"
#include "optim/impl.h"
#include "rule/options.h"

namespace adamant {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::mismatch, "state_dict: " + message); }

std::vector<std::byte> copy_of(const Memory& memory, std::size_t bytes) {
  return {memory.get(), memory.get() + (memory ? bytes : 0)};
}

std::size_t low_bytes(const TensorState& tensor) { return tensor.param.size * info(tensor.weight_format).bytes; }

void check_bytes(const std::string& what, std::size_t bytes, std::size_t expected) {
  if (bytes == expected) return;
  refuse(what + " has " + std::to_string(bytes) + " bytes, must have " + std::to_string(expected));
}

// No run reaches a moment that is not finite, or a second moment below zero.
void check_values(const std::string& what, const StateDict::State& state, std::size_t size, bool second_moment) {
  double values[kBlock];
  const std::size_t bytes = info(state.format).bytes;
  for (std::size_t first = 0; first < size; first += kBlock) {
    const std::size_t count = std::min(kBlock, size - first);
    to_f64(state.bytes.data() + first * bytes, state.format, count, values);
    for (std::size_t i = 0; i < count; ++i) {
      if (std::isfinite(values[i]) && !(second_moment && values[i] < 0.0)) continue;
      refuse(what + " is " + text(values[i]) + " at element " + std::to_string(first + i) + ": must be " +
             (second_moment ? "finite and >= 0" : "finite"));
    }
  }
}

void check_entry(const TensorState& tensor, const VariantInfo& variant, const StateDict::Entry& entry) {
  const auto extents = [](const std::vector<std::size_t>& shape) {
    return "[" + listed(shape, [](std::size_t n) { return std::to_string(n); }) + "]";
  };
  if (entry.shape != tensor.shape) {
    refuse("tensor " + quoted(tensor.name) + " has shape " + extents(entry.shape) + ", must be " +
           extents(tensor.shape));
  }
  constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 62;
  if (entry.step > kMostSteps) {
    refuse("tensor " + quoted(tensor.name) + " has taken " + std::to_string(entry.step) +
           " steps, must be at most 2^62");
  }
  for (const auto& [name, state] : entry.states) {
    if (std::find(variant.states().begin(), variant.states().end(), name) == variant.states().end()) {
      refuse("tensor " + quoted(tensor.name) + " has a state " + quoted(name) + ", which " +
             std::string(variant.formula) + " has not");
    }
  }
  for (const std::string_view name : variant.states()) {
    const std::string what = "state " + quoted(name) + " of tensor " + quoted(tensor.name);
    const auto found = entry.states.find(std::string(name));
    if (found == entry.states.end()) refuse(what + " is missing");
    const StateDict::State& state = found->second;
    if (state.format != tensor.state_format) {
      const auto number = static_cast<std::size_t>(state.format);
      refuse(what + " is " +
             (number < formats().size() ? std::string(info(state.format).name)
                                        : "of format number " + std::to_string(number)) +
             ", must be " + std::string(info(tensor.state_format).name));
    }
    if (state.bytes.size() != state_bytes(tensor)) {
      refuse(what + " has " + std::to_string(state.bytes.size()) + " bytes, must have " +
             std::to_string(state_bytes(tensor)));
    }
    check_values(what, state, tensor.param.size, is_second_moment(name));
  }
}

}  // namespace

StateDict Optimizer::state_dict() const {
  const Exclusive exclusive(impl().running, "state_dict");
  StateDict dict;
  dict.rule = info(impl().rule).name;
  for (const GroupState& group : impl().groups) {
    dict.groups.push_back({std::string(info(group.variant).formula), group.options, {}});
  }
  for (const TensorState& tensor : impl().tensors) {
    dict.groups[tensor.group].params.push_back(tensor.name);
    StateDict::Entry& entry = dict.tensors[tensor.name];
    entry.shape = tensor.shape;
    entry.step = tensor.step;
    const VariantInfo& variant = info(impl().groups[tensor.group].variant);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      StateDict::State& state = entry.states[std::string(variant.state_names[s])];
      state.format = tensor.state_format;
      const std::byte* memory = tensor.states[s].get();
      state.bytes.assign(memory, memory + state_bytes(tensor));
    }
  }
  return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
  const Exclusive exclusive(impl().running, "load_state_dict");
  Impl& self = impl();
  if (dict.rule != info(self.rule).name) {
    refuse("rule is " + quoted(dict.rule) + ", must be " + quoted(info(self.rule).name));
  }
  if (dict.groups.size() != self.groups.size()) {
    refuse("has " + std::to_string(dict.groups.size()) + " parameter groups, must have " +
           std::to_string(self.groups.size()));
  }
  std::vector<Options> options;
  std::vector<bool> grouped(self.tensors.size());
  for (std::size_t g = 0; g < self.groups.size(); ++g) {
    const StateDict::Group& group = dict.groups[g];
    options.push_back(resolve(self.rule, self.groups[g].options, group.options));
    const std::string_view formula = info(variant_of(self.rule, options.back())).formula;
    const std::string_view own = info(self.groups[g].variant).formula;
    if (group.formula != formula || formula != own) {
      refuse("formula of group " + std::to_string(g) + " is " + quoted(group.formula) + ", must be " + quoted(own));
    }
    for (const std::string& name : group.params) {
      const auto found = self.tensor_by_name.find(name);
      if (found == self.tensor_by_name.end()) refuse("tensor " + quoted(name) + " is not one of this optimizer's");
      if (self.tensors[found->second].group != g) {
        refuse("tensor " + quoted(name) + " is in group " + std::to_string(g) + ", must be in group " +
               std::to_string(self.tensors[found->second].group));
      }
      grouped[found->second] = true;
    }
  }
  for (const auto& [name, entry] : dict.tensors) {
    if (!self.tensor_by_name.contains(name)) refuse("tensor " + quoted(name) + " is not one of this optimizer's");
  }
  for (const TensorState& tensor : self.tensors) {
    const auto found = dict.tensors.find(tensor.name);
    if (found == dict.tensors.end()) refuse("tensor " + quoted(tensor.name) + " is missing");
    check_entry(tensor, info(self.groups[tensor.group].variant), found->second);
  }
  for (std::size_t t = 0; t < self.tensors.size(); ++t) {
    if (!grouped[t]) refuse("tensor " + quoted(self.tensors[t].name) + " is in no group");
  }

  for (std::size_t g = 0; g < self.groups.size(); ++g) self.groups[g].options = options[g];
  for (TensorState& tensor : self.tensors) {
    const StateDict::Entry& entry = dict.tensors.at(tensor.name);
    tensor.step = entry.step;
    const VariantInfo& variant = info(self.groups[tensor.group].variant);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      const StateDict::State& state = entry.states.at(std::string(variant.state_names[s]));
      if (!state.bytes.empty()) std::memcpy(tensor.states[s].get(), state.bytes.data(), state.bytes.size());
    }
  }
}

}  // namespace adamant
