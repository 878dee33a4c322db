// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Groups, tensors and their memory: everything is checked and allocated on the side, so that a refusal changes nothing.
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/text.h"
#include "optim/formats.h"
#include "optim/impl.h"
#include "optim/storage.h"
#include "rule/options.h"

namespace adamant {
namespace {

const std::byte* begin_of(const Tensor& memory) { return static_cast<const std::byte*>(memory.data); }
const std::byte* end_of(const Tensor& memory) { return begin_of(memory) + memory.size * info(memory.format).bytes; }

void check_param(const TensorState& tensor, const Tensor& param) {
  check_memory(param_text, tensor, param);
  if (!param.writable) refuse(ErrorCode::invalid_argument, param_text(tensor) + " is read-only");
}

/// Refuses a list that does not belong to these tensors; without indices it is one of all tensors.
void check_list(const char* what, std::size_t given, std::span<const std::size_t> indices, std::size_t tensors) {
  const std::size_t expected = indices.empty() ? tensors : indices.size();
  if (given == expected) return;
  refuse(ErrorCode::mismatch,
         counted(given, what) + (given == 1 ? " is" : " are") + " given for " + counted(expected, "tensor"));
}

}  // namespace

Optimizer::Impl::Impl(Rule rule, const Options& options, const Settings& settings_)
    : base_rule(checked(rule)),
      base_options(resolve(rule, defaults(rule), options)),
      settings((check_settings(settings_), settings_)),
      workers(settings_.threads) {}

std::size_t Optimizer::Impl::add_group(ParamGroup group) {
  const Rule rule = checked(group.rule.value_or(base_rule));
  GroupState state;
  state.options = resolve(rule, rule == base_rule ? base_options : defaults(rule), group.options);
  state.variant = variant_of(rule, state.options);
  const std::size_t group_index = groups.size();
  const std::size_t old_count = tensors.size();

  std::vector<TensorState> added;
  std::vector<Region> added_regions;
  TensorIndex names = tensor_by_name;
  for (Param& param : group.params) {
    check_name(param.name);
    if (!names.emplace(param.name, old_count + added.size()).second) {
      refuse(ErrorCode::duplicate, "tensor name " + in_quotes(param.name) + " is given twice");
    }
    TensorState& tensor = added.emplace_back();
    tensor.name = param.name;
    check_param(tensor, param.param);
    tensor.param = param.param;
    check_shape(tensor, param.shape);
    tensor.shape = param.shape.empty() ? std::vector<std::size_t>{param.param.size} : std::move(param.shape);
    tensor.group = group_index;
    choose_formats(tensor, settings.state, settings.weights);
    tensor.seed = dither_seed(settings.seed, tensor.name);
    added_regions.push_back(param_region(tensor.param, old_count + added.size() - 1));
  }
  NewPlanes wanted;
  for (std::size_t i = 0; i < added.size(); ++i) wanted.add(old_count + i, added[i], info(state.variant));
  NewPlanes::Made made = wanted.allocate();
  for (std::size_t i = 0; i < added.size(); ++i) {
    added[i].planes = std::move(made.planes[i]);
    fill_initial(added[i], info(state.variant), state.options);
  }
  Regions all = regions;
  all.insert(added_regions);
  all.insert(made.regions);

  auto old_names = std::exchange(tensor_by_name, std::move(names));
  auto old_regions = std::exchange(regions, std::move(all));
  try {
    groups.push_back(state);
    tensors.reserve(old_count + added.size());
    for (TensorState& tensor : added) tensors.push_back(std::move(tensor));
    check_regions();
    for (std::size_t i = 0; i < group.params.size(); ++i) set_grad(old_count + i, group.params[i].grad);
    for (std::size_t i = 0; i < old_count; ++i) check_grad_memory(gradient_text, tensors[i], tensors[i].grad.values);
  } catch (...) {
    groups.resize(group_index);
    tensors.resize(old_count);
    tensor_by_name = std::move(old_names);
    regions = std::move(old_regions);
    throw;
  }
  return group_index;
}

Gradient Optimizer::Impl::checked_grad(std::size_t index, const Tensor& grad) const {
  const TensorState& tensor = tensors[index];
  if (grad.data == nullptr && grad.size == 0) return {};
  check_memory(gradient_text, tensor, grad);
  if (grad.size != tensor.param.size) {
    refuse(ErrorCode::mismatch, gradient_text(tensor) + " has " + counted(grad.size, "element") +
                                    " but the parameter has " + std::to_string(tensor.param.size));
  }
  check_formats(tensor, grad.format);
  check_layout(tensor, grad);
  check_grad_memory(gradient_text, tensor, grad);
  return {grad, false, {}};
}

void Optimizer::Impl::set_grad(std::size_t index, const Tensor& grad) {
  tensors[index].grad = checked_grad(index, grad);
}

std::vector<Gradient> Optimizer::Impl::checked_grads(const GradList& list) const {
  const auto& [data, indices, formats, read_only] = list;
  check_list("gradient", data.size(), indices, tensors.size());
  const auto check_size = [&](std::size_t size, const char* what) {
    if (size == 0 || size == data.size()) return;
    refuse(ErrorCode::mismatch,
           std::string(what) + " has " + counted(size, "value") + " for " + counted(data.size(), "gradient"));
  };
  check_size(formats.size(), "formats");
  check_size(read_only.size(), "read_only");
  std::vector<Gradient> checked(data.size());
  std::vector<bool> given(tensors.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t index = indices.empty() ? i : indices[i];
    check_tensor(index);
    if (given[index]) refuse(ErrorCode::duplicate, gradient_text(tensors[index]) + " is given twice");
    given[index] = true;
    const Tensor& param = tensors[index].param;
    if (data[i] == nullptr) continue;
    Tensor grad(data[i], param.size, formats.empty() ? param.format : formats[i]);
    grad.writable = read_only.empty() || !read_only[i];
    checked[i] = checked_grad(index, grad);
  }
  return checked;
}

void Optimizer::Impl::swap_grads(std::span<const std::size_t> indices, std::vector<Gradient>& grads) noexcept {
  for (std::size_t i = 0; i < grads.size(); ++i) std::swap(tensors[indices.empty() ? i : indices[i]].grad, grads[i]);
}

void Optimizer::Impl::set_grads(const GradList& list) {
  std::vector<Gradient> checked = checked_grads(list);
  swap_grads(list.tensors, checked);
}

void Optimizer::Impl::set_lazy_rows(std::size_t index, std::span<const std::int64_t> rows, const Tensor& values) {
  TensorState& tensor = tensors[index];
  const std::size_t width = tensor.row_width();
  if (width == 0) {
    refuse(ErrorCode::mismatch, row_gradient_text(tensor) + ": the tensor must have a shape [rows, width...], has " +
                                    shape_text(tensor.shape));
  }
  if (const Tensor::Matrix& matrix = tensor.param.matrix; !matrix.by_rows && tensor.shape.front() != matrix.columns) {
    refuse(ErrorCode::mismatch,
           row_gradient_text(tensor) + ": the elements of a row are not neighbours in a " + matrix_text(matrix));
  }
  check_rows_of_groups(tensor);
  check_memory(row_gradient_text, tensor, values);
  if (rows.size() > std::numeric_limits<std::size_t>::max() / width || values.size != rows.size() * width) {
    refuse(ErrorCode::mismatch, row_gradient_text(tensor) + " has " + counted(values.size, "value") + " but " +
                                    counted(rows.size(), "row") + " of " + counted(width, "element"));
  }
  check_formats(tensor, values.format);
  check_grad_memory(row_gradient_text, tensor, values);
  tensor.grad = {values, true, rows};
}

void Optimizer::Impl::set_param(std::size_t index, const Tensor& param) {
  TensorState& tensor = tensors[index];
  check_param(tensor, param);
  if (param.size != tensor.param.size || param.format != tensor.param.format) {
    const auto text = [](const Tensor& t) {
      return counted(t.size, "element") + " of " + std::string(info(t.format).name);
    };
    refuse(ErrorCode::mismatch,
           param_text(tensor) + " has " + text(tensor.param) + " and cannot move to memory of " + text(param));
  }
  Regions moved = regions;
  moved.remove(param_region(tensor.param, index));
  const Region region = param_region(param, index);
  if (const Region* other = moved.overlapping(region.begin, region.end)) {
    refuse(ErrorCode::duplicate, param_text(tensor) + " shares memory with " + region_text(*other));
  }
  moved.insert({&region, 1});
  std::swap(regions, moved);
  const Tensor old = std::exchange(tensor.param, param);
  try {
    for (const TensorState& other : tensors) check_grad_memory(gradient_text, other, other.grad.values);
  } catch (...) {
    std::swap(regions, moved);
    tensor.param = old;
    throw;
  }
}

void Optimizer::Impl::set_params(std::span<void* const> data, std::span<const std::size_t> indices) {
  check_list("parameter", data.size(), indices, tensors.size());
  std::vector<Tensor> params(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) params[i] = tensors[i].param;
  std::vector<bool> given(tensors.size());
  Regions moved = regions;
  std::vector<Region> added;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t index = indices.empty() ? i : indices[i];
    check_tensor(index);
    const TensorState& tensor = tensors[index];
    if (given[index]) refuse(ErrorCode::duplicate, param_text(tensor) + " is given twice");
    given[index] = true;
    params[index].data = data[i];
    check_param(tensor, params[index]);
    moved.remove(param_region(tensor.param, index));
    added.push_back(param_region(params[index], index));
  }
  moved.insert(added);
  const auto swap_all = [&]() noexcept {
    std::swap(regions, moved);
    for (std::size_t i = 0; i < tensors.size(); ++i) std::swap(tensors[i].param, params[i]);
  };
  swap_all();
  try {
    check_regions();
    for (const TensorState& tensor : tensors) check_grad_memory(gradient_text, tensor, tensor.grad.values);
  } catch (...) {
    swap_all();
    throw;
  }
}

void Optimizer::Impl::set_plane(std::size_t index, std::string_view state, PlaneKind kind,
                                std::span<std::byte> memory) {
  constexpr std::string_view kKindNames[] = {"values", "exponents", "low_bits"};
  TensorState& tensor = tensors[index];
  const Variant form = variant(tensor);
  const std::size_t s = kind == PlaneKind::low_bits ? 0 : state_index(tensor, form, state);
  std::optional<PlaneInfo> found;
  for_each_plane(tensor, info(form), [&](const PlaneInfo& plane) {
    if (plane.kind == kind && (kind == PlaneKind::low_bits || plane.state == s)) found = plane;
  });
  const auto what = [&] {
    return std::string(kKindNames[static_cast<std::size_t>(kind)]) + " of " +
           (kind == PlaneKind::low_bits ? "tensor " + in_quotes(tensor.name) : state_text(tensor, state));
  };
  if (!found) refuse(ErrorCode::not_found, what() + ": its formats keep none");
  PlaneMemory& plane = tensor.planes[found->index()];
  const auto region_at = [&](const std::byte* at) { return Region{at + found->bytes, at, index, found->index()}; };

  PlaneMemory next;
  Regions moved = regions;
  // The new memory may overlap the old, but not where it is freed.
  if (plane.is_callers()) moved.remove(region_at(plane.data));
  if (memory.empty()) {
    next.own = allocate_zeroed(found->bytes);
    next.data = next.own.get();
  } else {
    constexpr std::size_t kAlignment = alignof(double);
    if (memory.size() != found->bytes) {
      refuse(ErrorCode::mismatch, "memory for " + what() + " has " + std::to_string(memory.size()) +
                                      " bytes, must have " + std::to_string(found->bytes));
    }
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % kAlignment != 0) {
      refuse(ErrorCode::invalid_argument, "memory for " + what() +
                                              " is misaligned: its address must be a multiple of " +
                                              std::to_string(kAlignment) + " bytes");
    }
    if (!fits_address_space(memory.data(), memory.size())) {
      refuse(ErrorCode::invalid_argument, "memory for " + what() + " reaches beyond the address space");
    }
    next.data = memory.data();
    const Region region = region_at(next.data);
    if (const Region* other = moved.overlapping(region.begin, region.end)) {
      refuse(ErrorCode::duplicate, "memory for " + what() + " is that of " + region_text(*other));
    }
    for (const TensorState& other : tensors) {
      const Tensor& grad = other.grad.values;
      if (grad.size > 0 && begin_of(grad) < region.end && region.begin < end_of(grad)) {
        refuse(ErrorCode::duplicate, "memory for " + what() + " is that of the " + gradient_text(other));
      }
    }
  }
  moved.remove(region_at(plane.data));
  const Region region = region_at(next.data);
  moved.insert({&region, 1});
  if (found->bytes > 0) std::memmove(next.data, plane.data, found->bytes);
  regions = std::move(moved);
  plane = std::move(next);
}

void Optimizer::Impl::remove_tensor(std::size_t index) {
  tensor_by_name.erase(tensors[index].name);
  for (auto& [name, tensor] : tensor_by_name) tensor -= tensor > index ? 1 : 0;
  regions.remove_tensor(index);
  tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(index));
}

std::size_t Optimizer::Impl::index_of_name(std::string_view name) const {
  const auto found = tensor_by_name.find(name);
  if (found == tensor_by_name.end()) {
    refuse(ErrorCode::not_found, "no tensor " + printable(name) + " in this optimizer");
  }
  return found->second;
}

void Optimizer::Impl::check_tensor(std::size_t tensor) const {
  if (tensor < tensors.size()) return;
  refuse(ErrorCode::not_found,
         "no tensor " + std::to_string(tensor) + ": the optimizer has " + counted(tensors.size(), "tensor"));
}

void Optimizer::Impl::check_group(std::size_t group) const {
  if (group < groups.size()) return;
  refuse(ErrorCode::not_found,
         "no parameter group " + std::to_string(group) + ": the optimizer has " + counted(groups.size(), "group"));
}

void Optimizer::Impl::check_regions() const {
  const auto overlap = regions.first_overlap();
  if (!overlap) return;
  const auto& [first, second] = *overlap;
  refuse(ErrorCode::duplicate, first.plane || second.plane
                                   ? region_text(first) + " and " + region_text(second) + " share memory"
                                   : "parameters " + in_quotes(tensors[first.tensor].name) + " and " +
                                         in_quotes(tensors[second.tensor].name) + " share memory");
}

void Optimizer::Impl::check_grad_memory(Naming naming, const TensorState& tensor, const Tensor& grad) const {
  const Region* region = grad.size == 0 ? nullptr : regions.overlapping(begin_of(grad), end_of(grad));
  if (region != nullptr) refuse(ErrorCode::duplicate, naming(tensor) + " shares memory with " + region_text(*region));
}

std::string Optimizer::Impl::region_text(const Region& region) const {
  const TensorState& tensor = tensors[region.tensor];
  if (!region.plane) return param_text(tensor);
  if (*region.plane == plane_index(0, PlaneKind::low_bits)) return "low_bits of tensor " + in_quotes(tensor.name);
  return state_text(tensor, info(variant(tensor)).state_names[*region.plane / 2]);
}

}  // namespace adamant
