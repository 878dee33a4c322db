// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/storage.h"

#include <adamant/error.hpp>

#include "base/text.h"
#include "rule/options.h"

namespace adamant {

std::size_t state_elements(const TensorState& tensor, Extent extent) {
  const std::size_t rows = tensor.shape.empty() ? tensor.param.size : tensor.shape.front();
  switch (extent) {
    case Extent::elements:
      break;
    case Extent::rows:
      return rows;
    case Extent::columns:
      return rows == 0 ? 0 : tensor.param.size / rows;
    case Extent::scalar:
      return 1;
  }
  return tensor.param.size;
}

void NewPlanes::add(std::size_t index, const TensorState& tensor, const VariantInfo& form) {
  for_each_plane(tensor, form,
                 [&](const PlaneInfo& plane) { wanted_.push_back({tensors_, index, plane.index(), plane.bytes}); });
  ++tensors_;
}

NewPlanes::Made NewPlanes::allocate() {
  Made made;
  made.planes.resize(tensors_);
  made.regions.reserve(wanted_.size());
  std::ranges::stable_sort(wanted_, {}, &Wanted::plane);
  std::vector<std::size_t> sizes(wanted_.size());
  std::ranges::transform(wanted_, sizes.begin(), &Wanted::bytes);
  std::vector<SharedMemory> memory = allocate_zeroed(sizes);
  for (std::size_t k = 0; k < wanted_.size(); ++k) {
    const auto& [place, index, plane, bytes] = wanted_[k];
    PlaneMemory& to = made.planes[place][plane];
    to.own = std::move(memory[k]);
    to.data = to.own.get();
    made.regions.push_back({to.data + bytes, to.data, index, plane});
  }
  return made;
}

std::size_t plane_bytes(const TensorState& tensor, Variant variant) {
  std::size_t bytes = 0;
  for_each_plane(tensor, info(variant), [&](const PlaneInfo& plane) {
    bytes += tensor.planes[plane.index()].is_callers() ? plane.bytes : allocated_bytes(plane.bytes);
  });
  return bytes;
}

Streams streams_of(const TensorState& tensor, Variant variant) {
  const auto at = [&](std::size_t state, PlaneKind kind) { return tensor.planes[plane_index(state, kind)].data; };
  Streams streams = {variant,
                     tensor.param.format,
                     tensor.weight_format,
                     tensor.state_format,
                     tensor.param.data,
                     at(0, PlaneKind::low_bits),
                     {},
                     tensor.seed};
  for (std::size_t s = 0; s < kMaxStates; ++s) {
    streams.states[s] = {at(s, PlaneKind::values), reinterpret_cast<std::uint8_t*>(at(s, PlaneKind::exponents))};
  }
  return streams;
}

void fill_initial(TensorState& tensor, const VariantInfo& form, const Options& options) {
  const auto value = [&](std::size_t s) {
    const StateInfo& state = form.state_infos[s];
    return state.start == Start::option ? given(options.*state.start_option) : 0.0;
  };
  const auto from_zero = [&](std::size_t s) {
    return form.state_infos[s].start != Start::parameter && value(s) == 0.0;
  };
  bool all_zero = true;
  for (std::size_t s = 0; s < form.state_count; ++s) all_zero = all_zero && from_zero(s);
  if (all_zero) return;  // as the memory is

  const Streams streams = streams_of(tensor, form.variant);
  for_each_block(tensor, [&](std::size_t first, std::size_t n) {
    StateBlocks blocks;
    for (std::size_t s = 0; s < form.state_count; ++s) {
      const bool copies = form.state_infos[s].start == Start::parameter;
      // A state may have fewer elements than the tensor.
      const std::size_t all = state_elements(tensor, form.state_infos[s].extent);
      const std::size_t count = all > first ? std::min(n, all - first) : 0;
      if (count == 0) continue;
      if (is_wide(tensor)) {
        auto* to = static_cast<double*>(state_at(streams, s, first));
        if (copies) {
          std::copy_n(static_cast<const double*>(param_at(streams, first)), count, to);
        } else {
          std::fill_n(to, count, value(s));
        }
      } else {
        float* to = states_in_place(streams) ? static_cast<float*>(state_at(streams, s, first)) : blocks[s];
        if (copies) {
          decode_param(streams, first, count, to);
        } else {
          std::fill_n(to, count, static_cast<float>(value(s)));
        }
      }
    }
    if (!is_wide(tensor) && !states_in_place(streams)) encode_states(streams, first, n, {}, blocks);
  });
}

std::size_t state_index(const TensorState& tensor, Variant variant, std::string_view name) {
  const auto names = info(variant).states();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    throw Error(ErrorCode::not_found, "tensor " + in_quotes(tensor.name) + " has no state " + printable(name) +
                                          ": it has [" +
                                          listed(names, [](std::string_view n) { return std::string(n); }) + "]");
  }
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace adamant
