// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What an optimizer keeps, as memory and as numbers.
#include <algorithm>

#include "base/text.h"
#include "optim/impl.h"
#include "optim/storage.h"

namespace adamant {
namespace {

std::vector<float> rounded(const void* values, std::size_t n) {
  const auto* from = static_cast<const double*>(values);
  return {from, from + n};
}

}  // namespace

Tensor Optimizer::state(TensorRef which, std::string_view state_name) const {
  const TensorState& tensor = impl().tensors[index_of(which)];
  const std::size_t s = state_index(tensor, impl().variant(tensor), state_name);
  const StateFormatInfo& format = info(tensor.state_format);
  if (!format.element) {
    refuse(ErrorCode::mismatch, state_text(tensor, state_name) + " is " + std::string(format.name) +
                                    ", which has no view as numbers: use export_state");
  }
  const void* data = tensor.planes[plane_index(s, PlaneKind::values)].data;
  return {data, tensor.param.size, *format.element};
}

Tensor Optimizer::param(TensorRef which) const { return impl().tensors[index_of(which)].param; }

std::vector<float> Optimizer::export_state(TensorRef which, std::string_view state_name) const {
  const Call call = impl().call_during_step("export_state");
  const TensorState& tensor = impl().tensors[index_of(which)];
  const Variant variant = impl().variant(tensor);
  const std::size_t s = state_index(tensor, variant, state_name);
  const Streams streams = streams_of(tensor, variant);
  if (is_wide(tensor)) return rounded(streams.states[s].values, tensor.param.size);
  std::vector<float> values(tensor.param.size);
  for_each_block(tensor, [&](std::size_t first, std::size_t n) {
    StateBlocks blocks;
    decode_states(streams, first, n, blocks);
    std::copy_n(blocks[s], n, values.data() + first);
  });
  return values;
}

std::vector<float> Optimizer::export_param(TensorRef which) const {
  const Call call = impl().call_during_step("export_param");
  const TensorState& tensor = impl().tensors[index_of(which)];
  if (is_wide(tensor)) return rounded(tensor.param.data, tensor.param.size);
  const Streams streams = streams_of(tensor, impl().variant(tensor));
  std::vector<float> values(tensor.param.size);
  for_each_block(tensor,
                 [&](std::size_t first, std::size_t n) { decode_param(streams, first, n, values.data() + first); });
  return values;
}

void Optimizer::import_param(TensorRef which, std::span<const float> values) {
  const Call call = impl().call("import_param");
  const TensorState& tensor = impl().tensors[index_of(which)];
  if (values.size() != tensor.param.size) {
    refuse(ErrorCode::mismatch, "values for " + in_quotes(tensor.name) + " have " + counted(values.size(), "element") +
                                    " but the parameter has " + std::to_string(tensor.param.size));
  }
  if (is_wide(tensor)) {
    std::copy(values.begin(), values.end(), static_cast<double*>(tensor.param.data));
    return;
  }
  const Streams streams = streams_of(tensor, impl().variant(tensor));
  for_each_block(tensor,
                 [&](std::size_t first, std::size_t n) { encode_param(streams, first, n, {}, values.data() + first); });
}

std::vector<Plane> Optimizer::planes(TensorRef which) const {
  const TensorState& tensor = impl().tensors[index_of(which)];
  const Variant variant = impl().variant(tensor);
  std::vector<Plane> planes;
  for_each_plane(tensor, info(variant), [&](const PlaneInfo& plane) {
    const bool of_state = plane.kind != PlaneKind::low_bits;
    planes.push_back({of_state ? info(variant).state_names[plane.state] : std::string_view(),
                      plane.kind,
                      {tensor.planes[plane.index()].data, plane.bytes}});
  });
  return planes;
}

double Optimizer::bytes_per_parameter() const {
  std::size_t bytes = sizeof(Impl);
  std::size_t parameters = 0;
  for (const TensorState& tensor : impl().tensors) {
    parameters += tensor.param.size;
    bytes += tensor.param.size * info(tensor.param.format).bytes + plane_bytes(tensor, impl().variant(tensor));
    bytes += sizeof(TensorState) + tensor.name.size() + tensor.shape.size() * sizeof(std::size_t);
  }
  return parameters == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(parameters);
}

}  // namespace adamant
