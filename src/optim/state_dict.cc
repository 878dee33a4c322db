// state_dict and load_state_dict: by name, complete or not at all.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/float_environment.h"
#include "base/text.h"
#include "optim/impl.h"
#include "rule/options.h"

namespace adamant {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::mismatch, "state_dict: " + message); }

std::vector<std::byte> copy_of(const Memory& memory, std::size_t bytes) {
  return memory ? std::vector<std::byte>(memory.get(), memory.get() + bytes) : std::vector<std::byte>();
}

void restore(Memory& memory, const std::vector<std::byte>& bytes) {
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
}

std::size_t weight_bytes(const TensorState& tensor) { return tensor.param.size * info(tensor.weight_format).bytes; }

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

// The same tensor with the memory of a state dict in place of its own.
Streams streams_of(const TensorState& tensor, const VariantInfo& variant, const StateDict::Entry& entry) {
  Streams streams = adamant::streams_of(tensor, variant.variant);
  for (std::size_t s = 0; s < variant.state_count; ++s) {
    const StateDict::State& state = entry.states.at(std::string(variant.state_names[s]));
    // Only to be read.
    streams.states[s] = {const_cast<std::byte*>(state.bytes.data()),
                         const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(state.exponents.data()))};
  }
  return streams;
}

// No run reaches a moment that is not finite, or a second moment below zero.
void check_values(const TensorState& tensor, const VariantInfo& variant, const StateDict::Entry& entry) {
  const FloatEnvironment environment;
  const Streams streams = streams_of(tensor, variant, entry);
  const auto check = [&](std::size_t s, std::size_t element, double value) {
    const StateInfo& state = variant.state_infos[s];
    if (std::isfinite(value) && (state.negative || value >= 0.0)) return;
    refuse("state " + in_quotes(state.name) + " of tensor " + in_quotes(tensor.name) + " is " + text(value) +
           " at element " + std::to_string(element) + ": must be " + (state.negative ? "finite" : "finite and >= 0"));
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

constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 62;

void check_entry(const TensorState& tensor, const VariantInfo& variant, const StateDict::Entry& entry) {
  const auto extents = [](const std::vector<std::size_t>& shape) {
    return "[" + listed(shape, [](std::size_t n) { return std::to_string(n); }) + "]";
  };
  if (entry.shape != tensor.shape) {
    refuse("tensor " + in_quotes(tensor.name) + " has shape " + extents(entry.shape) + ", must be " +
           extents(tensor.shape));
  }
  if (entry.step > kMostSteps) {
    refuse("tensor " + in_quotes(tensor.name) + " has taken " + std::to_string(entry.step) +
           " steps, must be at most 2^62");
  }
  for (const auto& [name, state] : entry.states) {
    if (std::find(variant.states().begin(), variant.states().end(), name) == variant.states().end()) {
      refuse("tensor " + in_quotes(tensor.name) + " has a state " + in_quotes(name) + ", which " +
             std::string(variant.formula) + " has not");
    }
  }
  for (const std::string_view name : variant.states()) {
    const std::string what = "state " + in_quotes(name) + " of tensor " + in_quotes(tensor.name);
    const auto found = entry.states.find(std::string(name));
    if (found == entry.states.end()) refuse(what + " is missing");
    const StateDict::State& state = found->second;
    check_format(what, state.format, tensor.state_format, state_formats().size());
    check_bytes(what, state.bytes.size(), value_bytes(tensor.state_format, tensor.param.size));
    const std::size_t s = state_index(tensor, variant.variant, name);
    check_bytes("exponents of " + what, state.exponents.size(),
                variant.companions[s] < 0 ? exponent_bytes(tensor.state_format, tensor.param.size) : 0);
  }
  const std::string what = "weight of tensor " + in_quotes(tensor.name);
  check_format(what, entry.weight_format, tensor.weight_format, weight_formats().size());
  check_bytes("weight_bits of tensor " + in_quotes(tensor.name), entry.weight_bits.size(), weight_bytes(tensor));
  check_values(tensor, variant, entry);
}

}  // namespace

StateDict Optimizer::state_dict() const {
  const Exclusive exclusive = impl().enter("state_dict");
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
    const VariantInfo& variant = info(impl().groups[tensor.group].variant);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      const OwnMemory::State& own = tensor.own.states[s];
      entry.states[std::string(variant.state_names[s])] = {
          tensor.state_format, copy_of(own.values, value_bytes(tensor.state_format, tensor.param.size)),
          copy_of(own.exponents, exponent_bytes(tensor.state_format, tensor.param.size))};
    }
    entry.weight_format = tensor.weight_format;
    entry.weight_bits = copy_of(tensor.own.param_low, weight_bytes(tensor));
  }
  return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
  const Exclusive exclusive = impl().enter("load_state_dict");
  Impl& self = impl();
  if (dict.groups.size() != self.groups.size()) {
    refuse("has " + std::to_string(dict.groups.size()) + " parameter groups, must have " +
           std::to_string(self.groups.size()));
  }
  if (dict.grad_norm && !(*dict.grad_norm >= 0.0 && std::isfinite(*dict.grad_norm))) {
    refuse("grad_norm is " + text(*dict.grad_norm) + ": must be finite and >= 0");
  }
  if (dict.steps > kMostSteps) refuse("has taken " + std::to_string(dict.steps) + " steps, must be at most 2^62");
  std::vector<Options> options;
  std::vector<bool> grouped(self.tensors.size());
  for (std::size_t g = 0; g < self.groups.size(); ++g) {
    const StateDict::Group& group = dict.groups[g];
    const std::string what = " of group " + std::to_string(g);
    const Rule rule = self.groups[g].rule();
    if (group.rule != info(rule).name) {
      refuse("rule" + what + " is " + in_quotes(group.rule) + ", must be " + in_quotes(info(rule).name));
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
    check_entry(tensor, info(self.groups[tensor.group].variant), found->second);
  }
  for (std::size_t t = 0; t < self.tensors.size(); ++t) {
    if (!grouped[t]) refuse("tensor " + in_quotes(self.tensors[t].name) + " is in no group");
  }

  for (std::size_t g = 0; g < self.groups.size(); ++g) self.groups[g].options = options[g];
  for (TensorState& tensor : self.tensors) {
    const StateDict::Entry& entry = dict.tensors.at(tensor.name);
    tensor.step = entry.step;
    const VariantInfo& variant = info(self.groups[tensor.group].variant);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      const StateDict::State& state = entry.states.at(std::string(variant.state_names[s]));
      restore(tensor.own.states[s].values, state.bytes);
      restore(tensor.own.states[s].exponents, state.exponents);
    }
    restore(tensor.own.param_low, entry.weight_bits);
    tensor.seed = dither_seed(dict.seed, tensor.name);
  }
  self.settings.seed = dict.seed;
  self.grad_norm = dict.grad_norm;
  self.steps = dict.steps;
}

}  // namespace adamant
