// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The optimizer: parameter groups, states, and the step.
#pragma once

#include <adamant/export.h>

#include <adamant/error.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <adamant/tensor.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// Parameters that share an update rule and its options. Without a rule of its own, a group has the optimizer's rule,
/// and options that it leaves empty are the optimizer's; with another rule, they are that rule's defaults.
struct ParamGroup {
  std::vector<Param> params;
  Options options{};
  std::optional<Rule> rule{};
};

/// What one step did.
struct StepReport {
  /// False when a non-finite gradient made the step change nothing (NonFinite::skip).
  bool applied = true;
  /// Global 2-norm of the unscaled gradients before clipping, if it was computed (max_norm or report_norm set). It is
  /// bit-identical on every instruction set and thread count.
  std::optional<double> grad_norm;
  /// The factor that every gradient was multiplied by to clip the norm: 1 if nothing was clipped.
  double clip_coefficient = 1.0;
  /// The first gradient element that is not finite, in the order of the tensors, and the number of such elements.
  struct NonFiniteAt {
    std::string tensor;
    std::size_t index = 0;  ///< element; for a sparse gradient, the element of its values
    std::uint64_t count = 0;
    std::size_t tensor_index = 0;  ///< at the time of the step
  };
  std::optional<NonFiniteAt> nonfinite;
};

/// A parameter group of a state dict.
struct StateDictGroup {
  std::string rule;                 ///< "adamw"
  std::string formula;              ///< id of the exact operation tree: "adamw-1"
  Options options;                  ///< every option of the rule
  std::vector<std::string> params;  ///< names
};

/// Everything that an optimizer knows, except the parameters. Tensors are matched by name.
template <class Bytes>
struct StateDictOf {
  struct State {
    StateFormat format = StateFormat::f32;
    Bytes bytes{};      ///< the elements as they are in memory
    Bytes exponents{};  ///< one for each group of elements, if the format has them
  };
  struct Entry {
    std::vector<std::size_t> shape;
    std::uint64_t step = 0;  ///< steps this tensor has taken
    WeightFormat weight_format = WeightFormat::plain;
    Bytes weight_bits{};                  ///< low-order weight bits of a bf16 parameter, if they are kept
    std::map<std::string, State> states;  ///< by PyTorch's names: "exp_avg", "exp_avg_sq", "momentum_buffer", ...
  };
  using Group = StateDictGroup;
  std::uint64_t seed = 0;           ///< seed of the dither
  std::optional<double> grad_norm;  ///< the last finite norm: a tensor-by-tensor step clips by it
  std::uint64_t steps = 0;          ///< Optimizer::steps
  std::vector<Group> groups;
  std::map<std::string, Entry> tensors;
};

/// A copy, to be kept in memory or written to a file of yours.
using StateDict = StateDictOf<std::vector<std::byte>>;

/// The same with the states and weight bits in memory of yours: of a StateDict, or of a file.
struct ADAMANT_EXPORT StateDictView : StateDictOf<std::span<const std::byte>> {
  StateDictView() = default;
  StateDictView(const StateDict& dict);
};

/// The same without the states and weight bits: of each only how many bytes it has.
using StateDescription = StateDictOf<std::size_t>;

/// What a plane holds: the values of a state, the exponents that groups of its values share, or the low-order weight
/// bits of a bf16 parameter.
enum class PlaneKind : std::uint8_t { values, exponents, low_bits };

/// Contiguous memory that the optimizer keeps for a tensor. The planes, the parameter, the step count and the options
/// together are the whole state.
struct Plane {
  std::string_view state;  ///< "exp_avg"; empty for low_bits
  PlaneKind kind = PlaneKind::values;
  std::span<const std::byte> bytes;  ///< valid until formats, memory or tensors of the optimizer change
};

/// Fills `to` with the bytes of a plane from byte `first` on. `state` is empty for low_bits.
using ReadPlane = std::function<void(std::string_view tensor, std::string_view state, PlaneKind kind, std::size_t first,
                                     std::span<std::byte> to)>;

/// A tensor of an optimizer, by index or by name.
class TensorRef {
 public:
  template <std::integral I>
  TensorRef(I index) : index_(static_cast<std::size_t>(index)) {}
  TensorRef(std::string_view name) : name_(name), by_name_(true) {}
  TensorRef(const char* name) : TensorRef(std::string_view(name)) {}
  TensorRef(const std::string& name) : TensorRef(std::string_view(name)) {}

 private:
  friend class Optimizer;
  std::size_t index_ = 0;
  std::string_view name_;
  bool by_name_ = false;
};

/// Information about one tensor.
struct TensorInfo {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t size = 0;   ///< elements
  std::size_t group = 0;  ///< index of its parameter group
  std::uint64_t step = 0;
  Format param_format = Format::f32;
  StateFormat state_format = StateFormat::f32;
  WeightFormat weight_format = WeightFormat::plain;
};

/// Updates a set of tensors, with one rule for each group. A step covers all groups: one norm for clipping, one
/// decision about gradients that are not finite, one pass over memory. Movable, not copyable. One call at a time: a
/// call that changes or copies the optimizer while another such call runs is refused with ErrorCode::busy; read-only
/// calls (options, settings, tensor, state, bytes_per_parameter, ...) are not guarded. Different optimizers may run at
/// the same time.
///
/// The result of every call is bit-identical on every instruction set and thread count. In a child process made by
/// fork() it continues to work, on the calling thread alone, unless another thread was in a call of it at the fork:
/// then it stays busy in the child. A moved-from optimizer refuses every call (invalid_argument).
class ADAMANT_EXPORT Optimizer {
 public:
  /// Takes the parameters as one group. Refuses an empty list, options outside their ranges or not of this rule,
  /// tensors that are null, not writable, misaligned or not contiguous (invalid_argument), names or memory that are
  /// given twice (duplicate), and sizes that differ from the gradient's or the shape's, or f64 mixed with other formats
  /// (mismatch).
  Optimizer(Rule rule, std::vector<Param> params, const Options& options = {}, const Settings& settings = {});
  /// Takes several groups, of which some may be empty; `rule` and `options` are the defaults of all of them, and of
  /// groups added later.
  Optimizer(Rule rule, std::vector<ParamGroup> groups, const Options& options = {}, const Settings& settings = {});
  ~Optimizer();
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;

  /// One step on every tensor that has a gradient: a gradient pass, if the non-finite policy, clipping or the norm need
  /// it, and the update, each one pass over memory. A tensor without a gradient is left alone and its step is not
  /// counted. Throws only Error (non_finite under NonFinite::error, busy, and invalid_argument for a grad_scale or a
  /// row index outside its range, and, for gradients in `options`, what set_grads refuses) and std::bad_alloc; then
  /// nothing has changed, neither the gradients nor the statistics.
  StepReport step(const StepOptions& options = {});

  /// Gradient release: a step tensor by tensor, in any order, so that the memory of a gradient can be freed as soon as
  /// its tensor is updated:
  ///
  ///     begin_step(); for each tensor whose gradient is final { step_tensor(name, grad); } end_step();
  ///
  /// The results are bit-identical to those of step(), but there is no gradient pass over all tensors:
  /// - NonFinite::skip leaves that tensor alone and NonFinite::error throws; the other tensors are not affected. Both
  ///   count in the report of end_step(), unless the tensor is tried again with a finite gradient.
  /// - max_norm clips by the last finite norm that step() or end_step() computed, which the state dict keeps; without
  /// one,
  ///   nothing is clipped.
  /// Until end_step(), every call that would change or copy the whole optimizer (step, state_dict, set_options, ...) is
  /// refused with ErrorCode::busy.
  void begin_step(const StepOptions& options = {});
  /// Updates a tensor with its gradient (set_grad, set_lazy_row_grad), or with a gradient for this call only, which is
  /// not read after the call returns. Returns whether the tensor was updated: false if its gradient is not finite or
  /// missing. Refuses a tensor that this step has already updated (duplicate), and calls outside begin_step and
  /// end_step (invalid_argument).
  bool step_tensor(TensorRef tensor);
  bool step_tensor(TensorRef tensor, Tensor grad);
  /// The same for a gradient of that format, with as many elements as the parameter.
  bool step_tensor(TensorRef tensor, const void* grad, Format format);
  /// `applied` is false if any tensor was left alone because its gradient was not finite; `nonfinite` covers all of
  /// them. The norm is the root of the sum of the tensors' squared norms; it may differ from that of step() in its last
  /// bits.
  StepReport end_step();

  /// Fills every gradient with zeros, the values of a sparse one too. Throws Error naming a gradient that is read-only
  /// and not empty.
  void zero_grad();

  /// Points a tensor at another gradient of the same size; an empty Tensor removes the gradient. May be called before
  /// every step; the memory must stay valid until the step is done. Refuses what the constructor refuses.
  void set_grad(TensorRef tensor, Tensor grad);
  /// The same for many tensors, by the addresses of their gradients, which have the sizes of the parameters; null means
  /// none. `tensors` are their indices; empty: all tensors, in order. `formats` are those of the gradients; empty:
  /// those of the parameters. `read_only` says which of them zero_grad must refuse to write; empty: none. Sets all or,
  /// if one is refused, none. Refuses lists of different lengths (mismatch) and a tensor that is listed twice
  /// (duplicate).
  void set_grads(std::span<void* const> data, std::span<const std::size_t> tensors = {},
                 std::span<const Format> formats = {}, std::span<const bool> read_only = {});
  /// Points a tensor at the memory to which its parameter has moved; it has the same size and format, and contains the
  /// same values. Refuses what the constructor refuses.
  void set_param(TensorRef tensor, Tensor param);
  /// The same for many tensors, by the addresses of their parameters: all are moved or, if one is refused, none.
  void set_params(std::span<void* const> data, std::span<const std::size_t> tensors = {});

  /// Gives a tensor of shape [rows, width...] a sparse gradient, which is zero outside the listed rows. The next steps
  /// are lazy, as with torch's SparseAdam: only the listed rows move and only their states change, while the step count
  /// of the tensor advances. (SparseAdam adds eps before the bias correction; here it is added as in every other step.)
  /// Rows may repeat: their values are summed in order, in f32 (f64 for f64). `values` holds rows.size() rows of width
  /// elements. Both are read during step(), not now. Replaces the tensor's gradient. Refuses (mismatch) a tensor of one
  /// dimension, values of another size, and, with q8 states, rows whose length is not a multiple of 128 elements.
  void set_lazy_row_grad(TensorRef tensor, std::span<const std::int64_t> rows, Tensor values);

  /// Adds a group and returns its index. Its rule and options default as for the groups of the constructor.
  std::size_t add_param_group(ParamGroup group);
  /// Forgets a tensor and its states. Later tensors move up by one index; groups stay, even empty ones. States below
  /// 1 MiB share memory with those of the same group, which is given back with the last of them.
  void remove_tensor(TensorRef tensor);
  [[nodiscard]] std::size_t group_count() const;
  /// Every option of the rule, as the group uses it. Throws Error (not_found).
  [[nodiscard]] const Options& options(std::size_t group = 0) const;
  /// Changes the options that are set in `changes`. Refuses options outside their ranges or not of this rule
  /// (invalid_argument), and changes that would add or remove states: of amsgrad, of centered, and of momentum between
  /// zero and non-zero (mismatch).
  void set_options(std::size_t group, const Options& changes);
  /// Sets the learning rate of every group, whatever its rule.
  void set_lr(double lr);

  [[nodiscard]] const Settings& settings() const;
  /// Replaces the settings. Formats, seed and threads must stay the same (mismatch); set_formats changes formats.
  void set_settings(const Settings& settings);
  /// The same for what `change` makes of the present settings, in one call: no change of another thread comes between.
  void change_settings(const std::function<void(Settings&)>& change);

  /// Everything that the optimizer knows, except the parameters themselves.
  [[nodiscard]] StateDict state_dict() const;
  /// Takes over options, step counts and states. Refuses, with nothing changed, another rule or formula, options that
  /// are missing, tensors that are missing, unknown or of another shape, another grouping, states of another format,
  /// states that no run can reach (infinite moments, second moments below zero), and states in memory that the
  /// optimizer writes, but for the very plane that they are loaded into (duplicate). NaN is taken back: weights that
  /// are NaN lead to it.
  void load_state_dict(const StateDictView& state);
  /// The same from where the states lie, a file for instance, without a second copy of them in memory: `read` is called
  /// for every plane from its first byte to its last, once to check all of them and once to take them over. It must not
  /// call the optimizer. What it throws is thrown on. The first time nothing has changed then; the second time states
  /// are mixed, and until a load succeeds all other calls that step, change or copy are refused (io). `last`, if there
  /// is one, is called once all planes have been taken over, to read parameters for instance: what it throws counts as
  /// thrown by `read`.
  void load_state_dict(const StateDescription& state, const ReadPlane& read, const std::function<void()>& last = {});
  /// Calls `use` with everything that the optimizer knows, in its own memory, not copied. Meanwhile the other calls
  /// that step, change or copy are refused (busy), so that a file can be written from it.
  void with_state(const std::function<void(const StateDictView&)>& use) const;
  /// Sets the number of steps that a tensor has taken: at most 2^62 (invalid_argument).
  void set_tensor_step(TensorRef tensor, std::uint64_t step);
  /// Sets what steps() and grad_norm() return, for a run whose states come from elsewhere: at most 2^62 steps, and a
  /// norm that is finite and >= 0, if there is one (invalid_argument).
  void set_progress(std::uint64_t steps, std::optional<double> grad_norm);

  /// The rule of that group. Throws Error (not_found).
  [[nodiscard]] Rule rule(std::size_t group = 0) const;
  /// Id of the exact operation tree of that group, as state dicts have it: "adamw-1". Throws Error (not_found).
  [[nodiscard]] std::string_view formula(std::size_t group = 0) const;
  /// Steps so far: calls of step() and end_step() that did not throw, whether the step was applied or not, and those
  /// before the state dict that was loaded.
  [[nodiscard]] std::uint64_t steps() const;
  /// The last finite norm that a step computed: a tensor-by-tensor step clips by it.
  [[nodiscard]] std::optional<double> grad_norm() const;
  [[nodiscard]] std::size_t tensor_count() const;
  /// Throws Error (not_found).
  [[nodiscard]] TensorInfo tensor(std::size_t index) const;
  /// Index of the tensor of that name. Throws Error (not_found).
  [[nodiscard]] std::size_t tensor_index(std::string_view name) const;
  /// View of the parameter.
  [[nodiscard]] Tensor param(TensorRef tensor) const;
  /// The weights with their low-order bits, which bf16 parameters lack. f64 is rounded.
  [[nodiscard]] std::vector<float> export_param(TensorRef tensor) const;
  /// Sets the weights, parameter and low-order bits, to these values, rounded to nearest. Refuses another number of
  /// values (mismatch).
  void import_param(TensorRef tensor, std::span<const float> values);
  /// A state as f32 numbers. f64 is rounded; every other format is exact.
  [[nodiscard]] std::vector<float> export_state(TensorRef tensor, std::string_view state_name) const;
  /// Converts states and weights to other formats. Narrower formats are rounded to nearest (a largest second moment is
  /// rounded up). Old and new memory exist together for a moment. Refuses, with nothing changed, f64 for parameters
  /// that are not f64, and q8 if a sparse gradient is set whose rows are not whole groups (mismatch).
  void set_formats(StateFormat state, WeightFormat weights);
  /// Read-only view of a state, by PyTorch's name ("exp_avg"); not for q8 states (mismatch). Valid until the formats
  /// change. Throws Error (not_found) naming the known states.
  [[nodiscard]] Tensor state(TensorRef tensor, std::string_view state_name) const;
  /// All memory that the optimizer keeps for a tensor, as it is, for checkpoints that stream states without a second
  /// copy.
  [[nodiscard]] std::vector<Plane> planes(TensorRef tensor) const;
  /// Moves a plane into your memory (pinned, mapped from a file, a tensor of another library), where it is used in
  /// place from now on; an empty span moves it back into the optimizer's own memory. Your memory must have the size of
  /// the plane, start at a multiple of 8 bytes, overlap nothing that the optimizer uses (its own memory included), and
  /// outlive its use. `state` is empty for low_bits. set_formats moves all planes back, but for f64. States that no
  /// step has touched take no physical memory, so a plane that is moved before the first step never exists twice.
  /// Throws Error (not_found) for a plane that the tensor does not have.
  void set_plane(TensorRef tensor, std::string_view state, PlaneKind kind, std::span<std::byte> memory);
  /// Bytes allocated for states and bookkeeping plus bytes of the parameters, divided by the number of parameters.
  [[nodiscard]] double bytes_per_parameter() const;

 private:
  struct Impl;
  [[nodiscard]] Impl& impl() const;
  [[nodiscard]] std::size_t index_of(TensorRef tensor) const;
  std::unique_ptr<Impl> impl_;
};

/// Optimizer with the rule in its type (rule.hpp has their names): AdamW adamw({{"w", w, g}}, {.lr = 1e-3});
template <Rule kRule>
class OptimizerOf : public Optimizer {
 public:
  OptimizerOf(std::vector<Param> params, const Options& options = {}, const Settings& settings = {})
      : Optimizer(kRule, std::move(params), options, settings) {}
  OptimizerOf(std::vector<ParamGroup> groups, const Options& options = {}, const Settings& settings = {})
      : Optimizer(kRule, std::move(groups), options, settings) {}
};

}  // namespace adamant
