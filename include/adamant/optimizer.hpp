// The optimizer: parameter groups, states, and the step.
#pragma once

#include <adamant/error.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <adamant/tensor.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// Parameters that share an update rule and its options. Without a rule of its own a group follows the optimizer's, and
/// what its options leave empty comes from the optimizer's options; with another rule, from that rule's defaults.
struct ParamGroup {
  std::vector<Param> params;
  Options options{};
  std::optional<Rule> rule{};
};

/// What one step did.
struct StepReport {
  /// False when a non-finite gradient made the step change nothing (NonFinite::skip).
  bool applied = true;
  /// Global 2-norm of the unscaled gradients before clipping, where it was computed (max_norm or report_norm set).
  /// The same bits on every instruction set and thread count.
  std::optional<double> grad_norm;
  /// What every gradient was multiplied by to clip the norm: 1 where nothing was clipped.
  double clip_coefficient = 1.0;
  /// Where the first non-finite gradient is (in the order of the tensors), and how many elements are not finite.
  struct NonFiniteAt {
    std::string tensor;
    std::size_t index = 0;  ///< element; for a row gradient, the element of its values
    std::uint64_t count = 0;
  };
  std::optional<NonFiniteAt> nonfinite;
};

/// A copy of everything an optimizer knows, to be kept in memory or written by the user. Tensors are matched by name.
struct StateDict {
  struct State {
    StateFormat format = StateFormat::f32;
    std::vector<std::byte> bytes;      ///< the elements as they are in memory
    std::vector<std::byte> exponents;  ///< of the groups, where the format has them
  };
  struct Entry {
    std::vector<std::size_t> shape;
    std::uint64_t step = 0;  ///< steps this tensor has taken
    WeightFormat weight_format = WeightFormat::plain;
    std::vector<std::byte> weight_bits;   ///< the bits below a bf16 parameter, where they are kept
    std::map<std::string, State> states;  ///< by PyTorch's names: "exp_avg", "exp_avg_sq", "momentum_buffer", ...
  };
  struct Group {
    std::string rule;                 ///< "adamw"
    std::string formula;              ///< id of the exact operation tree: "adamw-1"
    Options options;                  ///< every option of the rule
    std::vector<std::string> params;  ///< names
  };
  std::uint64_t seed = 0;           ///< of the dither
  std::optional<double> grad_norm;  ///< the last one computed that was finite: what a step by tensors clips by
  std::uint64_t steps = 0;          ///< Optimizer::steps
  std::vector<Group> groups;
  std::map<std::string, Entry> tensors;
};

/// What a plane holds: the values of a state, the exponents that groups of its values share, or the low-order bits of a
/// bf16 parameter's weights.
enum class PlaneKind : std::uint8_t { values, exponents, low_bits };

/// A run of memory that the optimizer keeps for a tensor. All planes together with the parameter, the step count and
/// the options are the whole state.
struct Plane {
  std::string_view state;  ///< "exp_avg"; empty for low_bits
  PlaneKind kind = PlaneKind::values;
  std::span<const std::byte> bytes;  ///< valid until formats, memory or tensors of the optimizer change
};

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

/// What is known about one tensor.
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

/// Update rules at work on a set of tensors: one rule a group. A step is one over all groups: one norm that clips, one
/// decision about gradients that are not finite, one pass over memory. Not copyable; movable. One call at a time: one
/// that changes or copies the optimizer while another such call runs is refused with ErrorCode::busy; calls that only
/// look (options, settings, tensor, state, bytes_per_parameter, ...) are not guarded. Different optimizers may run at
/// the same time.
///
/// The result of every call is the same bits on every instruction set and thread count. In a child process made by
/// fork() it works on, on the calling thread alone. A moved-from optimizer refuses every call (invalid_argument).
class Optimizer {
 public:
  /// Takes the parameters as one group. Refuses an empty list, options outside their ranges or not of this rule, and
  /// tensors that are null, not writable, misaligned or with gaps (invalid_argument), whose names or memory are given
  /// twice (duplicate), or that are not of their gradient's size or their shape's, or beside f64 not f64 (mismatch).
  Optimizer(Rule rule, std::vector<Param> params, const Options& options = {}, const Settings& settings = {});
  /// Takes several groups; `rule` and `options` are the defaults of all of them, and of groups added later.
  Optimizer(Rule rule, std::vector<ParamGroup> groups, const Options& options = {}, const Settings& settings = {});
  ~Optimizer();
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;

  /// One step on every tensor that has a gradient: look (where the non-finite policy, clipping or the norm need it) and
  /// update, each one pass over memory. A tensor without a gradient is left alone and its step is not counted.
  /// Throws only Error: non_finite under NonFinite::error, busy, and invalid_argument for a grad_scale or a row index
  /// outside its range; and std::bad_alloc. Nothing was changed then.
  StepReport step(const StepOptions& options = {});

  /// Gradient release: a step tensor by tensor, in any order, so that the memory of a gradient can be freed as soon as
  /// its tensor is updated:
  ///
  ///     begin_step(); for each tensor whose gradient is final { step_tensor(name, grad); } end_step();
  ///
  /// The bits are those of step(), but what takes a look at all gradients takes it at one tensor's:
  /// - NonFinite::skip leaves that tensor alone and NonFinite::error throws; the other tensors are not affected.
  /// - max_norm clips by the norm of the step before (of which the state dict knows): that of the last step() or
  ///   end_step() that computed one and was finite; nothing is clipped where there was none.
  /// Until end_step() every call that would change or copy the whole (step, state_dict, set_options, ...) is refused
  /// with ErrorCode::busy.
  void begin_step(const StepOptions& options = {});
  /// Updates a tensor with its gradient (set_grad, set_lazy_row_grad), or with one for this call only, which is read
  /// until the call returns. Returns whether it was applied: not if a gradient was not finite, or there is none.
  /// Refuses a tensor that this step has updated (duplicate), and calls outside begin_step and end_step
  /// (invalid_argument).
  bool step_tensor(TensorRef tensor);
  bool step_tensor(TensorRef tensor, Tensor grad);
  /// `applied` is false where any tensor was left alone for a gradient that was not finite; `nonfinite` is about all of
  /// them. The norm is the root of the sum of the tensors' squared norms; its bits need not be those of step().
  StepReport end_step();

  /// Fills every gradient with zeros. Throws Error naming a gradient that is read-only.
  void zero_grad();

  /// Points a tensor at another gradient of the same size; an empty Tensor takes the gradient away. May be called
  /// before every step; the memory must stay valid until the step is done. Refuses what the constructor does.
  void set_grad(TensorRef tensor, Tensor grad);
  /// Points a tensor at the memory that its parameter has moved to: of the same size and format, holding what the old
  /// one held. Refuses what the constructor does.
  void set_param(TensorRef tensor, Tensor param);

  /// Gives a tensor of shape [rows, width...] a gradient that is zero outside the listed rows, and makes the next steps
  /// lazy in it, as torch's SparseAdam: only the listed rows move and only their states change, while the step count
  /// of the tensor advances. (SparseAdam adds eps before the bias correction; here it is added as in every other step.)
  /// Rows may repeat: their values are summed in order, in f32 (f64 for f64). `values` holds rows.size() rows of width
  /// elements. Both are read during step(), not now. Replaces the tensor's gradient. Refuses (mismatch) a tensor of one
  /// dimension, values of another size, and, with q8 states, rows that are not a multiple of 128 elements.
  void set_lazy_row_grad(TensorRef tensor, std::span<const std::int64_t> rows, Tensor values);

  /// Adds a group; what its options leave empty comes from the optimizer's. Returns its index.
  std::size_t add_param_group(ParamGroup group);
  /// Forgets a tensor and its states. The tensors behind it move up by one index; groups stay, also empty ones.
  void remove_tensor(TensorRef tensor);
  [[nodiscard]] std::size_t group_count() const;
  /// Every option of the rule, as the group uses it. Throws Error (not_found).
  [[nodiscard]] const Options& options(std::size_t group = 0) const;
  /// Changes the options that are set in `changes`. Refuses those that are outside their ranges or not of this rule
  /// (invalid_argument), and those that would change which states there are: amsgrad, centered, momentum between zero
  /// and non-zero (mismatch).
  void set_options(std::size_t group, const Options& changes);
  /// Sets the learning rate of every group, whatever its rule.
  void set_lr(double lr);

  [[nodiscard]] const Settings& settings() const;
  /// Replaces the settings. Formats, seed and threads must stay what they are (mismatch); set_formats changes formats.
  void set_settings(const Settings& settings);

  /// Everything the optimizer knows but the parameters themselves.
  [[nodiscard]] StateDict state_dict() const;
  /// Takes over options, step counts and states. Refuses, with nothing changed, another rule or formula, tensors that
  /// are missing, unknown or of another shape, another grouping, states of another format, and states that no run can
  /// reach (infinite moments, second moments below zero). NaN is taken back: weights that are NaN lead to it.
  void load_state_dict(const StateDict& state);

  /// The rule of that group. Throws Error (not_found).
  [[nodiscard]] Rule rule(std::size_t group = 0) const;
  /// Steps so far: calls of step() and end_step() that did not throw, whether the step was applied or not, and those
  /// before the state dict that was loaded.
  [[nodiscard]] std::uint64_t steps() const;
  [[nodiscard]] std::size_t tensor_count() const;
  /// Throws Error (not_found).
  [[nodiscard]] TensorInfo tensor(std::size_t index) const;
  /// Index of the tensor of that name. Throws Error (not_found).
  [[nodiscard]] std::size_t tensor_index(std::string_view name) const;
  /// The weight as it is kept, which a bf16 parameter shows only the upper half of. f64 is rounded.
  [[nodiscard]] std::vector<float> export_param(TensorRef tensor) const;
  /// Sets weight and parameter to these values, to nearest. Refuses another number of them (mismatch).
  void import_param(TensorRef tensor, std::span<const float> values);
  /// A state as numbers. f64 is rounded; every other format is exact.
  [[nodiscard]] std::vector<float> export_state(TensorRef tensor, std::string_view state_name) const;
  /// Keeps states and weights in other formats from now on, rounded to nearest where they are narrower (a largest
  /// second moment is rounded up). Old and new memory are there together for a moment. Refuses, with nothing changed,
  /// f64 for parameters that are not f64, and q8 where a row gradient is set whose rows are not whole groups
  /// (mismatch).
  void set_formats(StateFormat state, WeightFormat weights);
  /// Read-only view of a state, by PyTorch's name ("exp_avg"), where its format is that of numbers: not q8 (mismatch).
  /// Valid until the formats change. Throws Error (not_found) naming the states there are.
  [[nodiscard]] Tensor state(TensorRef tensor, std::string_view state_name) const;
  /// All memory that is kept for a tensor, as it is: for checkpoints that stream states without a second copy.
  [[nodiscard]] std::vector<Plane> planes(TensorRef tensor) const;
  /// Moves a plane into memory of the caller's (pinned, mapped from a file, a tensor of another library), to be used in
  /// place from now on; an empty span moves it back into the optimizer's own. The memory must have the size of the
  /// plane, start at a multiple of 8 bytes, overlap nothing that the optimizer knows, and outlive its use. `state` is
  /// empty for low_bits. set_formats moves all planes back. States that nobody has stepped yet take no physical memory,
  /// so that a plane moved before the first step is never there twice. Throws Error (not_found) for a plane that the
  /// tensor does not have.
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
