// What an optimizer is made of.
#pragma once

#include <adamant/optimizer.hpp>
#include <array>
#include <atomic>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/workers.h"
#include "kernel/streams.h"
#include "rule/variants.h"

namespace adamant {

/// Blocks of a piece of work: 16Ki elements, about 5 µs of f32 in cache and long enough that handing it out costs
/// nothing. A power of two, so that a piece is a complete subtree of every sum.
inline constexpr std::size_t kPieceBlocks = 64;

/// A gradient: of the whole tensor, or of some of its rows.
struct Gradient {
  Tensor values;  // of the whole tensor, or rows.size() rows
  bool lazy_rows = false;
  std::span<const std::int64_t> rows;
  [[nodiscard]] bool present() const noexcept { return values.data != nullptr || lazy_rows; }
};

/// The optimizer's own memory of a tensor.
struct OwnMemory {
  struct State {
    Memory values;
    Memory exponents;
  };
  std::array<State, kMaxStates> states;
  Memory param_low;
};

/// One tensor with its states.
struct TensorState {
  std::string name;
  std::vector<std::size_t> shape;
  Tensor param;
  Gradient grad;
  std::size_t group = 0;
  std::uint64_t step = 0;
  StateFormat state_format = StateFormat::f32;
  WeightFormat weight_format = WeightFormat::plain;
  OwnMemory own;
  std::uint32_t seed = 0;  // of its dither

  /// Elements of one row, also where there are no rows.
  [[nodiscard]] std::size_t row_width() const {
    if (shape.size() < 2) return 0;
    return std::accumulate(shape.begin() + 1, shape.end(), std::size_t{1}, std::multiplies());
  }
};

struct GroupState {
  Options options;  // every option of the rule
  Variant variant = Variant::adamw;
  [[nodiscard]] Rule rule() const { return info(variant).rule; }
};

/// Marks an optimizer as in use for a scope; refuses a second user, and, where `closed` is not null, any while *closed.
class Exclusive {
 public:
  Exclusive(std::atomic_flag& running, const char* call, const bool* closed);
  ~Exclusive() { running_.clear(std::memory_order_release); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

 private:
  std::atomic_flag& running_;
};

/// A step by tensors between its begin and its end.
struct OpenStep {
  StepOptions options;
  double clip_coefficient = 1.0;
  std::vector<bool> done;     // of each tensor
  std::vector<double> norms;  // of the gradients as they are in memory
  std::vector<std::optional<StepReport::NonFiniteAt>> nonfinite;
};

struct Optimizer::Impl {
  Impl(Rule rule, const Options& options, const Settings& settings);

  std::size_t add_group(ParamGroup group);
  void set_grad(std::size_t tensor, Tensor grad);
  void set_lazy_rows(std::size_t tensor, std::span<const std::int64_t> rows, Tensor values);
  StepReport step(const StepOptions& options);
  void begin_step(const StepOptions& options);
  /// By those who have entered.
  bool step_tensor(std::size_t tensor);
  bool step_tensor(std::size_t tensor, Tensor grad);
  StepReport end_step();
  /// For the scope of a call that is refused between begin_step and end_step, and for one that is not.
  [[nodiscard]] Exclusive enter(const char* call) { return {running, call, &stepping}; }
  [[nodiscard]] Exclusive enter_during_step(const char* call) { return {running, call, nullptr}; }
  [[nodiscard]] std::size_t index_of_name(std::string_view name) const;
  void check_tensor(std::size_t tensor) const;
  void check_group(std::size_t group) const;
  /// Throws Error (duplicate) where a gradient has memory of a parameter.
  void check_no_overlap(const std::string& what, const Tensor& grad) const;

  Rule base_rule;        // of groups that name none
  Options base_options;  // the optimizer's own, which groups of that rule start from
  Settings settings;
  std::vector<GroupState> groups;
  std::vector<TensorState> tensors;
  std::unordered_map<std::string, std::size_t> tensor_by_name;
  std::vector<std::pair<const std::byte*, std::size_t>> params_by_address;  // end of memory, tensor; sorted
  Workers workers;
  std::optional<double> grad_norm;  // the last one computed that was finite
  std::uint64_t steps = 0;          // calls that did not throw
  OpenStep open;                    // while stepping
  bool stepping = false;
  std::atomic_flag running = ATOMIC_FLAG_INIT;
};

/// Bytes of the two memories of a state of n elements.
[[nodiscard]] std::size_t value_bytes(StateFormat format, std::size_t n);
[[nodiscard]] std::size_t exponent_bytes(StateFormat format, std::size_t n);

/// Sets the formats of a tensor that the settings ask for; refuses those that do not go with its parameter.
void choose_formats(TensorState& tensor, StateFormat state, WeightFormat weights);
/// Allocates what a tensor keeps in its formats, zeroed.
[[nodiscard]] OwnMemory allocate(const TensorState& tensor, Variant variant);
/// Gives new states the values they start from.
void fill_initial(TensorState& tensor, const GroupState& group);
[[nodiscard]] std::uint32_t dither_seed(std::uint64_t seed, std::string_view name);
[[nodiscard]] Streams streams_of(const TensorState& tensor, Variant variant);
/// Index of a state of that name. Throws Error (not_found).
[[nodiscard]] std::size_t state_index(const TensorState& tensor, Variant variant, std::string_view name);

/// Refuses row gradients where rows share groups of the states.
void check_rows_of_groups(const TensorState& tensor);
/// Refuses settings outside their ranges.
void check_settings(const Settings& settings);

}  // namespace adamant
