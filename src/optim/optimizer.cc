// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The facade: each public call takes the lock and hands over.
#include <adamant/optimizer.hpp>
#include <algorithm>
#include <cstring>

#include "base/held.h"
#include "base/text.h"
#include "optim/impl.h"
#include "rule/options.h"

namespace adamant {
namespace {

std::vector<ParamGroup> one_group(std::vector<Param> params) {
  std::vector<ParamGroup> groups(1);
  groups.front().params = std::move(params);
  return groups;
}

}  // namespace

Call::Call(std::atomic_flag& running, const char* name, const bool* closed, const bool* torn) : running_(running) {
  if (running.test_and_set(std::memory_order_acquire)) {
    refuse(ErrorCode::busy, std::string(name) + "() called while another call on the same optimizer is running");
  }
  const auto close = [&](ErrorCode code, const char* why) {
    running.clear(std::memory_order_release);
    refuse(code, std::string(name) + why);
  };
  if (closed != nullptr && *closed) close(ErrorCode::busy, "() called between begin_step() and end_step()");
  if (torn != nullptr && *torn) {
    close(ErrorCode::io,
          "() called after a load that broke off: the states are partly those before it, until a load "
          "succeeds");
  }
}

Optimizer::Optimizer(Rule rule, std::vector<Param> params, const Options& options, const Settings& settings)
    : Optimizer(rule, one_group(std::move(params)), options, settings) {}

Optimizer::Optimizer(Rule rule, std::vector<ParamGroup> groups, const Options& options, const Settings& settings) {
  const FloatEnvironment environment;
  impl_ = std::make_unique<Impl>(rule, options, settings);
  if (std::ranges::all_of(groups, [](const ParamGroup& group) { return group.params.empty(); })) {
    refuse(ErrorCode::invalid_argument, "optimizer got an empty parameter list");
  }
  for (ParamGroup& group : groups) impl().add_group(std::move(group));
}

Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;

Optimizer::Impl& Optimizer::impl() const { return held(impl_, "optimizer"); }

std::size_t Optimizer::index_of(TensorRef tensor) const {
  if (tensor.by_name_) return impl().index_of_name(tensor.name_);
  impl().check_tensor(tensor.index_);
  return tensor.index_;
}

StepReport Optimizer::step(const StepOptions& options) {
  const Call call = impl().call("step");
  return impl().step(options);
}

void Optimizer::begin_step(const StepOptions& options) {
  const Call call = impl().call("begin_step");
  impl().begin_step(options);
}

bool Optimizer::step_tensor(TensorRef tensor) {
  const Call call = impl().call_during_step("step_tensor");
  return impl().step_tensor(index_of(tensor));
}

bool Optimizer::step_tensor(TensorRef tensor, Tensor grad) {
  const Call call = impl().call_during_step("step_tensor");
  return impl().step_tensor(index_of(tensor), grad);
}

bool Optimizer::step_tensor(TensorRef tensor, const void* grad, Format format) {
  const Call call = impl().call_during_step("step_tensor");
  const std::size_t index = index_of(tensor);
  return impl().step_tensor(index, {grad, impl().tensors[index].param.size, format});
}

StepReport Optimizer::end_step() {
  const Call call = impl().call_during_step("end_step");
  return impl().end_step();
}

void Optimizer::zero_grad() {
  const Call call = impl().call_during_step("zero_grad");
  for (const TensorState& tensor : impl().tensors) {
    if (tensor.grad.values.size > 0 && !tensor.grad.values.writable) {
      refuse(ErrorCode::invalid_argument, gradient_text(tensor) + " is read-only: zero_grad cannot clear it");
    }
  }
  for (const TensorState& tensor : impl().tensors) {
    const Tensor& values = tensor.grad.values;
    if (values.size > 0) std::memset(values.data, 0, values.size * info(values.format).bytes);
  }
}

void Optimizer::set_grad(TensorRef tensor, Tensor grad) {
  const Call call = impl().call_during_step("set_grad");
  impl().set_grad(index_of(tensor), grad);
}

void Optimizer::set_grads(std::span<void* const> data, std::span<const std::size_t> tensors,
                          std::span<const Format> formats, std::span<const bool> read_only) {
  const Call call = impl().call_during_step("set_grads");
  impl().set_grads({data, tensors, formats, read_only});
}

void Optimizer::set_param(TensorRef tensor, Tensor param) {
  const Call call = impl().call("set_param");
  impl().set_param(index_of(tensor), param);
}

void Optimizer::set_params(std::span<void* const> data, std::span<const std::size_t> tensors) {
  const Call call = impl().call("set_params");
  impl().set_params(data, tensors);
}

void Optimizer::set_lazy_row_grad(TensorRef tensor, std::span<const std::int64_t> rows, Tensor values) {
  const Call call = impl().call_during_step("set_lazy_row_grad");
  impl().set_lazy_rows(index_of(tensor), rows, values);
}

void Optimizer::set_plane(TensorRef tensor, std::string_view state, PlaneKind kind, std::span<std::byte> memory) {
  const Call call = impl().call("set_plane");
  impl().set_plane(index_of(tensor), state, kind, memory);
}

std::size_t Optimizer::add_param_group(ParamGroup group) {
  const Call call = impl().call("add_param_group");
  return impl().add_group(std::move(group));
}

void Optimizer::remove_tensor(TensorRef tensor) {
  const Call call = impl().call("remove_tensor");
  impl().remove_tensor(index_of(tensor));
}

std::size_t Optimizer::group_count() const { return impl().groups.size(); }

const Options& Optimizer::options(std::size_t group) const {
  impl().check_group(group);
  return impl().groups[group].options;
}

void Optimizer::set_options(std::size_t group, const Options& changes) {
  const Call call = impl().call("set_options");
  impl().check_group(group);
  GroupState& state = impl().groups[group];
  const Options resolved = resolve(state.rule(), state.options, changes);
  const Variant variant = variant_of(state.rule(), resolved);
  if (!std::ranges::equal(info(variant).states(), info(state.variant).states())) {
    const auto states = [](Variant v) {
      return "[" + listed(info(v).states(), [](std::string_view name) { return std::string(name); }) + "]";
    };
    refuse(ErrorCode::mismatch, "options of group " + std::to_string(group) + " would change its states from " +
                                    states(state.variant) + " to " + states(variant));
  }
  state.options = resolved;
  state.variant = variant;
}

void Optimizer::set_lr(double lr) {
  const Call call = impl().call("set_lr");
  // All are checked before one is changed.
  std::vector<Options> resolved;
  for (const GroupState& group : impl().groups) resolved.push_back(resolve(group.rule(), group.options, {.lr = lr}));
  for (std::size_t i = 0; i < resolved.size(); ++i) impl().groups[i].options = resolved[i];
}

const Settings& Optimizer::settings() const { return impl().settings; }

void Optimizer::Impl::set_settings(const Settings& changed) {
  check_settings(changed);
  if (changed.state != settings.state || changed.weights != settings.weights || changed.seed != settings.seed ||
      changed.threads != settings.threads) {
    refuse(ErrorCode::mismatch, "formats, seed and threads of an optimizer are not changed by set_settings");
  }
  settings = changed;
}

void Optimizer::set_settings(const Settings& settings) {
  const Call call = impl().call("set_settings");
  impl().set_settings(settings);
}

void Optimizer::change_settings(const std::function<void(Settings&)>& change) {
  const Call call = impl().call("change_settings");
  Settings changed = impl().settings;
  change(changed);
  impl().set_settings(changed);
}

Rule Optimizer::rule(std::size_t group) const {
  impl().check_group(group);
  return impl().groups[group].rule();
}

std::string_view Optimizer::formula(std::size_t group) const {
  impl().check_group(group);
  return info(impl().groups[group].variant).formula;
}

std::uint64_t Optimizer::steps() const { return impl().steps; }

std::optional<double> Optimizer::grad_norm() const { return impl().grad_norm; }

std::size_t Optimizer::tensor_count() const { return impl().tensors.size(); }

TensorInfo Optimizer::tensor(std::size_t index) const {
  impl().check_tensor(index);
  const TensorState& tensor = impl().tensors[index];
  return {tensor.name, tensor.shape,        tensor.param.size,   tensor.group,
          tensor.step, tensor.param.format, tensor.state_format, tensor.weight_format};
}

std::size_t Optimizer::tensor_index(std::string_view name) const { return impl().index_of_name(name); }

}  // namespace adamant
