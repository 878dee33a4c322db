// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What an optimizer holds. Only the facade (optimizer.cc, formats.cc, values.cc, state_dict.cc) makes a Call; what is
// here expects to be in one.
#pragma once

#include <adamant/optimizer.hpp>
#include <atomic>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/float_environment.h"
#include "base/workers.h"
#include "optim/checks.h"
#include "optim/regions.h"
#include "optim/tensor_state.h"

namespace adamant {

/// A public call while it runs: no other may, and arithmetic is in the environment of the bit contract.
class Call {
 public:
  /// Throws Error: busy where another call runs and, if `closed` is not null, while *closed; io while *torn, likewise.
  Call(std::atomic_flag& running, const char* name, const bool* closed, const bool* torn);
  ~Call() { running_.clear(std::memory_order_release); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  std::atomic_flag& running_;
  FloatEnvironment environment_;
};

/// A step by tensors between its begin and its end.
struct OpenStep {
  StepOptions options;
  double clip_coefficient = 1.0;
  std::vector<bool> done;     // of each tensor
  std::vector<double> norms;  // of the gradients as they are in memory
  std::vector<std::optional<StepReport::NonFiniteAt>> nonfinite;
};

/// Hashes names so that a string_view finds them.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
};
using TensorIndex = std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>>;

/// Hidden, or it would be shown with the class around it.
struct [[gnu::visibility("hidden")]] Optimizer::Impl {
  Impl(Rule rule, const Options& options, const Settings& settings);

  /// For the scope of a call that is refused between begin_step and end_step, of one that is not, and of one that makes
  /// torn states whole.
  [[nodiscard]] Call call(const char* name) { return {running, name, &stepping, &torn}; }
  [[nodiscard]] Call call_during_step(const char* name) { return {running, name, nullptr, &torn}; }
  [[nodiscard]] Call call_to_load(const char* name) { return {running, name, &stepping, nullptr}; }

  void set_settings(const Settings& changed);

  // registry.cc: groups, tensors and their memory
  std::size_t add_group(ParamGroup group);
  void set_grad(std::size_t tensor, const Tensor& grad);
  void set_grads(const GradList& list);
  /// What set_grads stores, in the order of the list; throws Error where it refuses.
  [[nodiscard]] std::vector<Gradient> checked_grads(const GradList& list) const;
  /// Exchanges the gradients of those tensors (empty: all) for these.
  void swap_grads(std::span<const std::size_t> tensors, std::vector<Gradient>& grads) noexcept;
  void set_param(std::size_t tensor, const Tensor& param);
  void set_params(std::span<void* const> data, std::span<const std::size_t> tensors);
  void set_lazy_rows(std::size_t tensor, std::span<const std::int64_t> rows, const Tensor& values);
  void set_plane(std::size_t tensor, std::string_view state, PlaneKind kind, std::span<std::byte> memory);
  void remove_tensor(std::size_t tensor);
  [[nodiscard]] std::size_t index_of_name(std::string_view name) const;
  /// What set_grad stores; throws Error where it refuses.
  [[nodiscard]] Gradient checked_grad(std::size_t tensor, const Tensor& grad) const;
  void check_tensor(std::size_t tensor) const;
  void check_group(std::size_t group) const;
  /// Throws Error (duplicate) where memory that the optimizer writes overlaps.
  void check_regions() const;
  /// Throws Error (duplicate) where a gradient has memory that the optimizer writes.
  void check_grad_memory(Naming naming, const TensorState& tensor, const Tensor& grad) const;
  [[nodiscard]] std::string region_text(const Region& region) const;

  // step.cc: the step and its parts
  StepReport step(const StepOptions& options);
  StepReport step_all(const StepOptions& options);  // with the gradients that are set
  void begin_step(const StepOptions& options);
  bool step_tensor(std::size_t tensor);
  bool step_tensor(std::size_t tensor, const Tensor& grad);
  StepReport end_step();

  [[nodiscard]] Variant variant(const TensorState& tensor) const { return groups[tensor.group].variant; }

  Rule base_rule;        // of groups that name none
  Options base_options;  // the optimizer's own, which groups of that rule start from
  Settings settings;
  std::vector<GroupState> groups;
  std::vector<TensorState> tensors;
  TensorIndex tensor_by_name;
  Regions regions;  // what the optimizer writes
  Workers workers;
  std::optional<double> grad_norm;  // the last one computed that was finite
  std::uint64_t steps = 0;          // calls that did not throw
  OpenStep open;                    // while stepping
  bool stepping = false;
  bool torn = false;  // a load broke off: states are partly those before it
  std::atomic_flag running = ATOMIC_FLAG_INIT;
};

}  // namespace adamant
