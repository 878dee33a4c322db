// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options of the rules, which each group can set, settings of the optimizer, and arguments of one step.
#pragma once

#include <adamant/export.h>

#include <adamant/format.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace adamant {

/// The decay rates of the first and the second moment, each in [0, 1), also after rounding to f32.
struct Betas : std::optional<std::array<double, 2>> {
  using std::optional<std::array<double, 2>>::optional;
  constexpr Betas(double beta1, double beta2)
      : std::optional<std::array<double, 2>>(std::array<double, 2>{beta1, beta2}) {}
  /// Written out, for that of std::optional is ambiguous for a class derived from it.
  friend constexpr bool operator==(const Betas& a, const Betas& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || *a == *b);
  }
};

/// Options of an update rule, one set per parameter group. An option that is left empty takes the group's value, else
/// the optimizer's, else the rule's default. Names, meaning and defaults are those of torch.optim; an option that the
/// rule does not have is refused. Every number must be finite, also as f32. `adamant::rules()` lists which rule has
/// which, with its default and range; docs/rules.md says what each does.
struct Options {
  std::optional<double> lr{};         ///< learning rate η ≥ 0
  Betas betas{};                      ///< Adam, AdamW: β1, β2
  std::optional<double> alpha{};      ///< RMSprop: smoothing of the squared gradient, in [0, 1)
  std::optional<double> momentum{};   ///< SGD, RMSprop: ≥ 0
  std::optional<double> dampening{};  ///< SGD: share of the gradient kept out of the buffer; any number
  /// Added to the root in the denominator: 0 or at least 2^-126, the smallest normal f32. Counts as at least the
  /// smallest gradient whose square the second moment holds, 10^-21 in f32.
  std::optional<double> eps{};
  /// λ ≥ 0; decoupled for AdamW (then lr·λ < 1), added to the gradient for the others.
  std::optional<double> weight_decay{};
  std::optional<double> lr_decay{};                   ///< Adagrad: ≥ 0; the step t uses lr/(1+(t-1)·lr_decay)
  std::optional<double> initial_accumulator_value{};  ///< Adagrad: ≥ 0; takes effect when a tensor is added
  std::optional<bool> nesterov{};                     ///< SGD: needs momentum > 0 and dampening = 0
  std::optional<bool> amsgrad{};                      ///< Adam, AdamW: divide by the largest second moment seen so far
  std::optional<bool> centered{};                     ///< RMSprop: subtract the square of the averaged gradient
  std::optional<bool> maximize{};                     ///< ascend instead of descend
};

/// Calls visit(name, pointer to the field) for each field of Options, in order.
template <class Visit>
void for_each_option(Visit&& visit) {
  visit("lr", &Options::lr);
  visit("betas", &Options::betas);
  visit("alpha", &Options::alpha);
  visit("momentum", &Options::momentum);
  visit("dampening", &Options::dampening);
  visit("eps", &Options::eps);
  visit("weight_decay", &Options::weight_decay);
  visit("lr_decay", &Options::lr_decay);
  visit("initial_accumulator_value", &Options::initial_accumulator_value);
  visit("nesterov", &Options::nesterov);
  visit("amsgrad", &Options::amsgrad);
  visit("centered", &Options::centered);
  visit("maximize", &Options::maximize);
}

/// The value of an option: a number, a pair of numbers or a flag.
using OptionValue = std::variant<double, std::array<double, 2>, bool>;

/// "0.001", "(0.9, 0.999)", "true": the shortest text that reads back as the same value.
[[nodiscard]] ADAMANT_EXPORT std::string to_text(const OptionValue& value);
/// The value of the option of that name, if it is set. Throws Error (not_found) naming the known options.
[[nodiscard]] ADAMANT_EXPORT std::optional<OptionValue> get_option(const Options& options, std::string_view name);
/// Sets an option by name, to a value or to what a text says ("0.001", "0.9,0.999", "true"). Refuses unknown names
/// (not_found) and values of another kind (invalid_argument); ranges are checked when the options are used.
ADAMANT_EXPORT void set_option(Options& options, std::string_view name, const OptionValue& value);
ADAMANT_EXPORT void set_option(Options& options, std::string_view name, std::string_view text);

/// What happens when a gradient holds a NaN or an infinity.
enum class NonFinite : std::uint8_t {
  skip,       ///< the step changes nothing in any tensor, not even its step count, and reports it
  error,      ///< as skip, and step() throws Error (non_finite)
  propagate,  ///< no gradient pass for the check; NaN and infinity reach their own elements, as in PyTorch
};
[[nodiscard]] ADAMANT_EXPORT std::string_view name_of(NonFinite policy) noexcept;
/// Throws Error (not_found) naming the known policies.
[[nodiscard]] ADAMANT_EXPORT NonFinite nonfinite_from_name(std::string_view name);

/// Settings of a whole optimizer.
struct Settings {
  /// Format of the states (moments). f64 parameters always have f64 states. If this is b16 or q8, tensors of fewer than
  /// 4096 elements keep f32 states: there is little to save, and much to lose.
  StateFormat state = StateFormat::f32;
  /// Low-order weight bits that the optimizer keeps for bf16 parameters. Small tensors keep split16 unless this is
  /// plain.
  WeightFormat weights = WeightFormat::plain;
  /// Determines the dither of stochastic rounding, together with the tensor's name, the step and the element.
  std::uint64_t seed = 0;
  NonFinite nonfinite = NonFinite::skip;
  /// Clips the global norm of all gradients, after unscaling, to this value (> 0), as torch's clip_grad_norm_ does:
  /// every gradient is multiplied by min(1, max_norm / (norm + 1e-6)). A finite f32 number.
  std::optional<double> max_norm{};
  /// Then limits every gradient element to [-clip_value, clip_value] (> 0, also as f32). A finite f32 number.
  std::optional<double> clip_value{};
  /// Reports the global norm even if nothing else needs it, at the cost of a gradient pass.
  bool report_norm = false;
  /// Threads of a step: 0 means one for each processor that the process may use; at most 1024. The result never depends
  /// on it.
  int threads = 0;
};

/// Settings with the formats of states and weights filled in, for bf16 parameters: "f32" (f32 states, exact f32
/// weights: 12 bytes per parameter, including the parameter), "b16" (7), "q8" (5.01), "q8-lite" (4.01). Throws Error
/// (not_found).
[[nodiscard]] ADAMANT_EXPORT Settings preset(std::string_view name);
/// The names of the presets.
[[nodiscard]] ADAMANT_EXPORT std::span<const std::string_view> presets() noexcept;

/// What kind of value a setting takes.
enum class SettingKind : std::uint8_t {
  word,    ///< one of a list
  number,  ///< a number, or "none"
  count,   ///< a whole number that is not negative
  flag,    ///< "true" or "false"
};

/// A field of Settings.
struct SettingInfo {
  std::string_view name;
  SettingKind kind;
  std::string_view range;
};

/// All settings, in the order of struct Settings.
[[nodiscard]] ADAMANT_EXPORT std::span<const SettingInfo> setting_list() noexcept;
/// A setting by name, as text. Throws Error (not_found) naming the known settings.
[[nodiscard]] ADAMANT_EXPORT std::string get_setting(const Settings& settings, std::string_view name);
/// Sets a setting from text. Refuses unknown names and words (not_found) and text of another kind (invalid_argument);
/// ranges are checked when the settings are used.
ADAMANT_EXPORT void set_setting(Settings& settings, std::string_view name, std::string_view text);

struct Statistics;

/// Gradients of many tensors, by their addresses, as Optimizer::set_grads takes them.
struct GradList {
  std::span<void* const> data;
  std::span<const std::size_t> tensors{};
  std::span<const Format> formats{};
  std::span<const bool> read_only{};
};

/// Arguments of one step.
struct StepOptions {
  /// The factor by which the loss was multiplied (loss scaling): from 2^-126 to 2^126. The gradients are divided by it
  /// on the fly; their memory is not changed.
  double grad_scale = 1.0;
  /// Filled with statistics of the moments (statistics.hpp); must outlive the step, or end_step().
  Statistics* statistics = nullptr;
  /// Gradients that are set first, in the same call. They stay set; if the step is refused, those before it do.
  std::optional<GradList> grads{};
};

}  // namespace adamant
