// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which formats an optimizer keeps its tensors in: presets, the choice for each tensor, and the change to others.
#include "optim/formats.h"

#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "optim/impl.h"
#include "optim/storage.h"

namespace adamant {
namespace {

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
  refuse(ErrorCode::not_found, "unknown preset " + printable(name) + ": must be one of " +
                                   listed(kPresets, [](const Preset& preset) { return std::string(preset.name); }));
}

void choose_formats(TensorState& tensor, StateFormat state, WeightFormat weights) {
  const bool small = tensor.param.size < kSmallTensor;
  const bool wide = is_wide(tensor);
  if (state == StateFormat::f64 && !wide) {
    refuse(ErrorCode::mismatch, "state format f64 of " + in_quotes(tensor.name) + " needs a f64 parameter, which is " +
                                    std::string(info(tensor.param.format).name));
  }
  if (small && info(state).compact) state = StateFormat::f32;
  if (small && info(weights).compact) weights = WeightFormat::split16;
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

void Optimizer::set_formats(StateFormat state, WeightFormat weights) {
  const Call call = impl().call("set_formats");
  Settings settings = impl().settings;
  settings.state = state;
  settings.weights = weights;
  check_settings(settings);

  // All new memory is there before any old one goes. A tensor that stays as it is, as f64 does, has no change.
  struct Change {
    std::size_t tensor;
    StateFormat state;
    WeightFormat weights;
  };
  std::vector<Change> changes;
  std::vector<bool> changed(impl().tensors.size());
  NewPlanes wanted;
  for (std::size_t i = 0; i < impl().tensors.size(); ++i) {
    TensorState& tensor = impl().tensors[i];
    const std::pair old(tensor.state_format, tensor.weight_format);
    const auto restore = [&] { std::tie(tensor.state_format, tensor.weight_format) = old; };
    try {
      choose_formats(tensor, state, weights);
      if (tensor.grad.lazy_rows) check_rows_of_groups(tensor);
      if (!is_wide(tensor)) {
        changes.push_back({i, tensor.state_format, tensor.weight_format});
        changed[i] = true;
        wanted.add(i, tensor, info(impl().variant(tensor)));
      }
    } catch (...) {
      restore();
      throw;
    }
    restore();
  }
  NewPlanes::Made made = wanted.allocate();
  Regions regions = impl().regions;
  regions.remove_planes(changed);
  regions.insert(made.regions);
  for (std::size_t k = 0; k < changes.size(); ++k) {
    TensorState& tensor = impl().tensors[changes[k].tensor];
    const Variant variant = impl().variant(tensor);
    const Streams from = streams_of(tensor, variant);
    std::swap(tensor.planes, made.planes[k]);
    tensor.state_format = changes[k].state;
    tensor.weight_format = changes[k].weights;
    const Streams to = streams_of(tensor, variant);
    for_each_block(tensor, [&](std::size_t first, std::size_t n) {
      StateBlocks blocks;
      float param[kBlock];
      decode_param(from, first, n, param);
      decode_states(from, first, n, blocks);
      encode_param(to, first, n, {}, param);
      encode_states(to, first, n, {}, blocks);
    });
  }
  impl().regions = std::move(regions);
  impl().settings = settings;
}

}  // namespace adamant
