// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What an optimizer holds: described without a copy, and taken back.
#include <algorithm>
#include <span>

#include "base/text.h"
#include "c/calls.h"

namespace adamant::c {
namespace {

constexpr const char* kGroup = "group (adamant_group_info)";
constexpr const char* kTensor = "tensor (adamant_tensor_info)";
constexpr const char* kPlane = "plane (adamant_plane)";
constexpr const char* kState = "state (adamant_state)";
constexpr std::size_t kPlaneKinds = 3;

adamant_plane described(const Plane& plane, std::optional<Format> element) {
  adamant_plane filled{};
  filled.struct_size = sizeof(filled);
  filled.state = plane.kind == PlaneKind::low_bits ? nullptr : plane.state.data();
  filled.data = plane.bytes.data();
  filled.bytes = plane.bytes.size();
  filled.kind = static_cast<std::int32_t>(plane.kind);
  filled.element = plane.kind == PlaneKind::values && element ? static_cast<std::int32_t>(*element) : -1;
  return filled;
}

StateDictView::Entry entry_of(const std::string& name, const adamant_tensor_info& tensor) {
  StateDictView::Entry entry;
  const auto shape = given(tensor.shape, tensor.ndim, "shape of a tensor");
  entry.shape.assign(shape.begin(), shape.end());
  entry.step = tensor.step;
  entry.weight_format = enumerator<WeightFormat>(tensor.weight_format, weight_formats().size(), "weight_format");
  const auto format = enumerator<StateFormat>(tensor.state_format, state_formats().size(), "state_format");
  for (const adamant_plane& plane : read_all(tensor.planes, tensor.plane_count, kPlane)) {
    const auto kind = enumerator<PlaneKind>(plane.kind, kPlaneKinds, "kind of a plane");
    const std::span bytes(static_cast<const std::byte*>(plane.data), plane.bytes);
    static_cast<void>(given(bytes.data(), bytes.size(), "data of a plane"));
    const auto set = [&](std::span<const std::byte>& to) {
      if (to.data() != nullptr) {
        refuse(ErrorCode::duplicate, "a plane of tensor " + in_quotes(name) + " is given twice: kind " +
                                         std::to_string(plane.kind) + " of state " +
                                         printable(plane.state == nullptr ? "" : plane.state));
      }
      to = bytes;
    };
    if (kind == PlaneKind::low_bits) {
      set(entry.weight_bits);
      continue;
    }
    StateDictView::State& state = entry.states[std::string(given_text(plane.state, "state of a plane"))];
    state.format = format;
    set(kind == PlaneKind::values ? state.bytes : state.exponents);
  }
  return entry;
}

template <class T>
void copy_out(const std::vector<T>& values, float* to, std::size_t size) {
  const auto space = given(to, size, "values");
  if (values.size() != size) {
    refuse(ErrorCode::mismatch,
           "values have " + counted(size, "element") + " but the tensor has " + std::to_string(values.size()));
  }
  std::ranges::copy(values, space.begin());
}

}  // namespace
}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

adamant_status adamant_get_state(const adamant_optimizer* optimizer, adamant_state* state) {
  return guarded([&] {
    const Optimizer& own = of(optimizer);
    adamant_state filled{};
    filled.seed = own.settings().seed;
    filled.steps = own.steps();
    filled.has_grad_norm = own.grad_norm() ? 1 : 0;
    filled.grad_norm = own.grad_norm().value_or(0.0);
    filled.group_count = own.group_count();
    filled.tensor_count = own.tensor_count();
    write(state, filled, kState);
  });
}

adamant_status adamant_get_group(const adamant_optimizer* optimizer, size_t group, adamant_group_info* info) {
  return guarded([&] {
    const Optimizer& own = of(optimizer);
    const Options& options = own.options(group);
    check_struct(info, kGroup);
    thread_local OptionList kept;
    kept = OptionList(options);
    adamant_group_info filled{};
    filled.rule = adamant::info(own.rule(group)).name.data();
    filled.formula = own.formula(group).data();
    filled.options = kept.data();
    filled.option_count = kept.size();
    write(info, filled, kGroup);
  });
}

adamant_status adamant_get_tensor(const adamant_optimizer* optimizer, size_t tensor, adamant_tensor_info* info) {
  return guarded([&] {
    const Optimizer& own = of(optimizer);
    struct Kept {
      TensorInfo tensor;
      std::vector<adamant_plane> planes;
    };
    thread_local Kept kept;
    Kept next{own.tensor(tensor), {}};
    const auto element = adamant::info(next.tensor.state_format).element;
    for (const Plane& plane : own.planes(tensor)) next.planes.push_back(described(plane, element));
    check_struct(info, kTensor);
    kept = std::move(next);
    adamant_tensor_info filled{};
    filled.name = kept.tensor.name.c_str();
    filled.shape = kept.tensor.shape.data();
    filled.ndim = kept.tensor.shape.size();
    filled.size = kept.tensor.size;
    filled.group = kept.tensor.group;
    filled.step = kept.tensor.step;
    filled.planes = kept.planes.data();
    filled.plane_count = kept.planes.size();
    filled.format = static_cast<std::int32_t>(kept.tensor.param_format);
    filled.state_format = static_cast<std::int32_t>(kept.tensor.state_format);
    filled.weight_format = static_cast<std::int32_t>(kept.tensor.weight_format);
    write(info, filled, kTensor);
  });
}

adamant_status adamant_load(adamant_optimizer* optimizer, const adamant_state* given_state) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    const auto state = read(given_state, kState);
    StateDictView view;
    view.seed = state.seed;
    view.steps = state.steps;
    if (state.has_grad_norm != 0) view.grad_norm = state.grad_norm;
    for (const adamant_group_info& group : read_all(state.groups, state.group_count, kGroup)) {
      view.groups.push_back({std::string(given_text(group.rule, "rule of a group")),
                             std::string(given_text(group.formula, "formula of a group")),
                             read_options(group.options, group.option_count),
                             {}});
    }
    for (const adamant_tensor_info& tensor : read_all(state.tensors, state.tensor_count, kTensor)) {
      std::string name(given_text(tensor.name, "name of a tensor"));
      check_index("group", tensor.group, view.groups.size());
      if (!view.tensors.emplace(name, entry_of(name, tensor)).second) {
        refuse(ErrorCode::duplicate, "tensor name '" + name + "' is given twice");
      }
      view.groups[tensor.group].params.push_back(std::move(name));
    }
    own.load_state_dict(view);
  });
}

adamant_status adamant_set_tensor_step(adamant_optimizer* optimizer, size_t tensor, uint64_t step) {
  return guarded([&] { of(optimizer).set_tensor_step(tensor, step); });
}

adamant_status adamant_set_progress(adamant_optimizer* optimizer, uint64_t steps, const double* grad_norm) {
  return guarded(
      [&] { of(optimizer).set_progress(steps, grad_norm == nullptr ? std::nullopt : std::optional(*grad_norm)); });
}

adamant_status adamant_set_plane(adamant_optimizer* optimizer, size_t tensor, const char* state, int32_t kind,
                                 void* memory, size_t bytes) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    const auto plane = enumerator<PlaneKind>(kind, kPlaneKinds, "kind of a plane");
    const auto name = plane == PlaneKind::low_bits ? std::string_view() : given_text(state, "state");
    if ((memory == nullptr) != (bytes == 0)) {
      refuse(ErrorCode::invalid_argument, std::string("memory is ") + (memory == nullptr ? "NULL" : "not NULL") +
                                              " but has " + counted(bytes, "byte"));
    }
    own.set_plane(tensor, name, plane, {static_cast<std::byte*>(memory), bytes});
  });
}

adamant_status adamant_export_param(const adamant_optimizer* optimizer, size_t tensor, float* values, size_t size) {
  return guarded([&] { copy_out(of(optimizer).export_param(tensor), values, size); });
}

adamant_status adamant_import_param(adamant_optimizer* optimizer, size_t tensor, const float* values, size_t size) {
  return guarded([&] { of(optimizer).import_param(tensor, given(values, size, "values")); });
}

adamant_status adamant_export_state(const adamant_optimizer* optimizer, size_t tensor, const char* state, float* values,
                                    size_t size) {
  return guarded([&] { copy_out(of(optimizer).export_state(tensor, given_text(state, "state")), values, size); });
}

adamant_status adamant_bytes_per_parameter(const adamant_optimizer* optimizer, double* bytes) {
  return guarded([&] { given(bytes, "bytes") = of(optimizer).bytes_per_parameter(); });
}
