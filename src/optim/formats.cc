// What an optimizer keeps of its tensors, in which formats, and as numbers.
#include <algorithm>
#include <cstring>

#include "base/float_environment.h"
#include "base/text.h"
#include "kernel/convert.h"
#include "optim/impl.h"

namespace adamant {
namespace {

// Fewer elements than this keep f32 states and exact weights under every compact format.
constexpr std::size_t kSmallTensor = 4096;

[[noreturn]] void refuse(ErrorCode code, const std::string& message) { throw Error(code, message); }

// Calls visit(first, n) for the blocks of a tensor.
template <class Visit>
void for_each_block(const TensorState& tensor, Visit&& visit) {
  for (std::size_t first = 0; first < tensor.param.size; first += kBlock) {
    visit(first, std::min(kBlock, tensor.param.size - first));
  }
}

bool is_wide(const TensorState& tensor) { return tensor.param.format == Format::f64; }

std::vector<float> rounded(const void* values, std::size_t n) {
  const auto* from = static_cast<const double*>(values);
  return {from, from + n};
}

struct Preset {
  std::string_view name;
  StateFormat state;
  WeightFormat weights;
};
constexpr Preset kPresets[] = {
    {"f32", StateFormat::f32, WeightFormat::split16},
    {"b16", StateFormat::b16, WeightFormat::split8},
    {"q8", StateFormat::q8, WeightFormat::split8},
    {"q8-lite", StateFormat::q8, WeightFormat::dithered},
};

constexpr auto kPresetNames = [] {
  std::array<std::string_view, std::size(kPresets)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kPresets[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> presets() noexcept { return kPresetNames; }

Settings preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name != name) continue;
    Settings settings;
    settings.state = preset.state;
    settings.weights = preset.weights;
    return settings;
  }
  refuse(ErrorCode::not_found, "unknown preset " + in_quotes(name) + ": must be one of " +
                                   listed(kPresets, [](const Preset& preset) { return std::string(preset.name); }));
}

std::size_t value_bytes(StateFormat format, std::size_t n) { return n * info(format).bytes; }

std::size_t exponent_bytes(StateFormat format, std::size_t n) {
  return format == StateFormat::q8 ? (n + kGroup - 1) / kGroup : 0;
}

void choose_formats(TensorState& tensor, StateFormat state, WeightFormat weights) {
  const bool small = tensor.param.size < kSmallTensor;
  const bool wide = is_wide(tensor);
  if (state == StateFormat::f64 && !wide) {
    refuse(ErrorCode::mismatch, "state format f64 of " + in_quotes(tensor.name) + " needs a f64 parameter, which is " +
                                    std::string(info(tensor.param.format).name));
  }
  if (small && (state == StateFormat::b16 || state == StateFormat::q8)) state = StateFormat::f32;
  if (small && weights != WeightFormat::plain) weights = WeightFormat::split16;
  tensor.state_format = wide ? StateFormat::f64 : state;
  tensor.weight_format = tensor.param.format == Format::bf16 ? weights : WeightFormat::plain;
}

std::uint32_t dither_seed(std::uint64_t seed, std::string_view name) {
  // FNV-1a over the seed and the name: a tensor's dither does not depend on the tensors beside it.
  std::uint64_t hash = 0xCBF29CE484222325u;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001B3u; };
  for (int shift = 0; shift < 64; shift += 8) add(static_cast<std::uint8_t>(seed >> shift));
  for (const char c : name) add(static_cast<std::uint8_t>(c));
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

OwnMemory allocate(const TensorState& tensor, Variant variant) {
  OwnMemory own;
  const std::size_t n = tensor.param.size;
  for (std::size_t s = 0; s < info(variant).state_count; ++s) {
    own.states[s].values = allocate_zeroed(value_bytes(tensor.state_format, n));
    // A first moment that is relative to a second one has no exponents of its own.
    if (info(variant).companions[s] < 0)
      own.states[s].exponents = allocate_zeroed(exponent_bytes(tensor.state_format, n));
  }
  own.param_low = allocate_zeroed(n * info(tensor.weight_format).bytes);
  return own;
}

Streams streams_of(const TensorState& tensor, Variant variant) {
  Streams streams = {variant,
                     tensor.param.format,
                     tensor.weight_format,
                     tensor.state_format,
                     tensor.param.data,
                     tensor.own.param_low.get(),
                     {},
                     tensor.seed};
  for (std::size_t s = 0; s < kMaxStates; ++s) {
    const OwnMemory::State& state = tensor.own.states[s];
    streams.states[s] = {state.values.get(), reinterpret_cast<std::uint8_t*>(state.exponents.get())};
  }
  return streams;
}

void fill_initial(TensorState& tensor, const GroupState& group) {
  const VariantInfo& variant = info(group.variant);
  const bool zero = std::ranges::all_of(
      variant.states(), [&](std::string_view name) { return initial_value(name, group.options) == 0.0; });
  if (zero) return;
  const FloatEnvironment environment;
  const Streams streams = streams_of(tensor, group.variant);
  for_each_block(tensor, [&](std::size_t first, std::size_t n) {
    StateBlocks blocks;
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      const double value = initial_value(variant.state_names[s], group.options);
      if (is_wide(tensor)) {
        std::fill_n(static_cast<double*>(state_at(streams, s, first)), n, value);
      } else {
        std::fill_n(states_in_place(streams) ? static_cast<float*>(state_at(streams, s, first)) : blocks[s], n,
                    static_cast<float>(value));
      }
    }
    if (!is_wide(tensor) && !states_in_place(streams)) encode_states(streams, first, n, 0, blocks);
  });
}

std::size_t state_index(const TensorState& tensor, Variant variant, std::string_view name) {
  const auto names = info(variant).states();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    refuse(ErrorCode::not_found, "tensor " + in_quotes(tensor.name) + " has no state " + in_quotes(name) +
                                     ": it has [" + listed(names, [](std::string_view n) { return std::string(n); }) +
                                     "]");
  }
  return static_cast<std::size_t>(found - names.begin());
}

Tensor Optimizer::state(std::string_view name, std::string_view state_name) const {
  const TensorState& tensor = impl().tensors[impl().index_of_name(name)];
  const std::size_t s = state_index(tensor, impl().groups[tensor.group].variant, state_name);
  const void* data = tensor.own.states[s].values.get();
  switch (tensor.state_format) {
    case StateFormat::f32:
      return {data, tensor.param.size, Format::f32};
    case StateFormat::f64:
      return {data, tensor.param.size, Format::f64};
    case StateFormat::bf16:
    case StateFormat::b16:
      return {data, tensor.param.size, Format::bf16};
    case StateFormat::f16:
      return {data, tensor.param.size, Format::f16};
    case StateFormat::q8:
      break;
  }
  refuse(ErrorCode::mismatch, "state " + in_quotes(state_name) + " of tensor " + in_quotes(name) +
                                  " is q8, which has no view as numbers: use export_state");
}

std::vector<float> Optimizer::export_state(std::string_view name, std::string_view state_name) const {
  const Exclusive exclusive = impl().enter_during_step("export_state");
  const TensorState& tensor = impl().tensors[impl().index_of_name(name)];
  const Variant variant = impl().groups[tensor.group].variant;
  const std::size_t s = state_index(tensor, variant, state_name);
  const Streams streams = streams_of(tensor, variant);
  if (is_wide(tensor)) return rounded(streams.states[s].values, tensor.param.size);
  const FloatEnvironment environment;
  std::vector<float> values(tensor.param.size);
  for_each_block(tensor, [&](std::size_t first, std::size_t n) {
    StateBlocks blocks;
    decode_states(streams, first, n, blocks);
    std::copy_n(blocks[s], n, values.data() + first);
  });
  return values;
}

std::vector<float> Optimizer::export_param(std::string_view name) const {
  const Exclusive exclusive = impl().enter_during_step("export_param");
  const TensorState& tensor = impl().tensors[impl().index_of_name(name)];
  if (is_wide(tensor)) return rounded(tensor.param.data, tensor.param.size);
  const FloatEnvironment environment;
  const Streams streams = streams_of(tensor, impl().groups[tensor.group].variant);
  std::vector<float> values(tensor.param.size);
  for_each_block(tensor,
                 [&](std::size_t first, std::size_t n) { decode_param(streams, first, n, values.data() + first); });
  return values;
}

void Optimizer::import_param(std::string_view name, std::span<const float> values) {
  const Exclusive exclusive = impl().enter("import_param");
  const TensorState& tensor = impl().tensors[impl().index_of_name(name)];
  if (values.size() != tensor.param.size) {
    refuse(ErrorCode::mismatch, "values for " + in_quotes(name) + " have " + std::to_string(values.size()) +
                                    " elements but the parameter has " + std::to_string(tensor.param.size));
  }
  if (is_wide(tensor)) {
    std::copy(values.begin(), values.end(), static_cast<double*>(tensor.param.data));
    return;
  }
  const FloatEnvironment environment;
  const Streams streams = streams_of(tensor, impl().groups[tensor.group].variant);
  for_each_block(tensor,
                 [&](std::size_t first, std::size_t n) { encode_param(streams, first, n, 0, values.data() + first); });
}

void Optimizer::set_formats(StateFormat state, WeightFormat weights) {
  const Exclusive exclusive = impl().enter("set_formats");
  Settings settings = impl().settings;
  settings.state = state;
  settings.weights = weights;
  check_settings(settings);
  const FloatEnvironment environment;

  // All new memory is there before any old one goes.
  struct Change {
    StateFormat state;
    WeightFormat weights;
    OwnMemory own;
  };
  std::vector<Change> changes;
  for (TensorState& tensor : impl().tensors) {
    const std::pair old(tensor.state_format, tensor.weight_format);
    const auto restore = [&] { std::tie(tensor.state_format, tensor.weight_format) = old; };
    try {
      choose_formats(tensor, state, weights);
      if (tensor.grad.lazy_rows) check_rows_of_groups(tensor);
      changes.push_back(
          {tensor.state_format, tensor.weight_format, allocate(tensor, impl().groups[tensor.group].variant)});
    } catch (...) {
      restore();
      throw;
    }
    restore();
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    TensorState& tensor = impl().tensors[i];
    Change& change = changes[i];
    if (is_wide(tensor)) continue;
    const Variant variant = impl().groups[tensor.group].variant;
    const Streams from = streams_of(tensor, variant);
    std::swap(tensor.own, change.own);
    std::swap(tensor.state_format, change.state);
    std::swap(tensor.weight_format, change.weights);
    const Streams to = streams_of(tensor, variant);
    for_each_block(tensor, [&](std::size_t first, std::size_t n) {
      StateBlocks blocks;
      float param[kBlock];
      decode_param(from, first, n, param);
      decode_states(from, first, n, blocks);
      encode_param(to, first, n, 0, param);
      encode_states(to, first, n, 0, blocks);
    });
  }
  impl().settings = settings;
}

double Optimizer::bytes_per_parameter() const {
  std::size_t bytes = sizeof(Impl);
  std::size_t parameters = 0;
  for (const TensorState& tensor : impl().tensors) {
    const std::size_t n = tensor.param.size;
    parameters += n;
    bytes += n * info(tensor.param.format).bytes + allocated_bytes(n * info(tensor.weight_format).bytes);
    bytes += sizeof(TensorState) + tensor.name.size() + tensor.shape.size() * sizeof(std::size_t);
    const VariantInfo& variant = info(impl().groups[tensor.group].variant);
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      bytes += allocated_bytes(value_bytes(tensor.state_format, n));
      if (variant.companions[s] < 0) bytes += allocated_bytes(exponent_bytes(tensor.state_format, n));
    }
  }
  return parameters == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(parameters);
}

}  // namespace adamant
