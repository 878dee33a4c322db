// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The optimizers for programs that use libtorch: torch::optim::AdamW becomes adamant::libtorch::AdamW, and the rest of
// the program stays as it is. Headers only, and the only one that needs libtorch (1.13 or later): adamant.hpp does not
// include it. docs/libtorch.md says what differs from torch::optim.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <adamant/error.hpp>
#include <adamant/optimizer.hpp>
#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace adamant::libtorch {

namespace detail {

[[noreturn]] inline void refuse(ErrorCode code, const std::string& message) { throw Error(code, message); }

inline at::ScalarType dtype_of(Format format) {
  switch (format) {
    case Format::f32:
      return at::kFloat;
    case Format::f64:
      return at::kDouble;
    case Format::bf16:
      return at::kBFloat16;
    case Format::f16:
      return at::kHalf;
  }
  return at::ScalarType::Undefined;
}

inline std::optional<Format> format_of(at::ScalarType dtype) {
  for (const FormatInfo& format : formats()) {
    if (dtype_of(format.format) == dtype) return format.format;
  }
  return std::nullopt;
}

/// Refuses what is not plain memory of this machine.
inline void check_plain(const torch::Tensor& tensor, const std::string& what) {
  const auto invalid = [&what](const std::string& rule) { refuse(ErrorCode::invalid_argument, what + rule); };
  if (!tensor.defined()) invalid(" is undefined");
  if (tensor.layout() != at::kStrided) {
    std::ostringstream layout;
    layout << tensor.layout();
    invalid(" has the layout " + layout.str() + ": must be Strided (dense)");
  }
  if (!tensor.device().is_cpu()) invalid(" is on the device " + tensor.device().str() + ": must be in CPU memory");
  if (tensor.is_complex()) invalid(std::string(" is ") + c10::toString(tensor.scalar_type()) + ": must be real");
}

/// The memory of a parameter. Any order of its dimensions will do (channels_last), gaps and repetitions will not.
inline Tensor memory_of(const torch::Tensor& param, const std::string& name) {
  const auto what = [&name] { return "parameter \"" + name + "\""; };
  if (!param.defined() || !param.device().is_cpu() || param.layout() != at::kStrided) check_plain(param, what());
  const std::optional<Format> format = format_of(param.scalar_type());
  if (!format) {
    refuse(ErrorCode::invalid_argument,
           what() + " is " + c10::toString(param.scalar_type()) + ": must be Float, Double, BFloat16 or Half");
  }
  if (!param.is_non_overlapping_and_dense() || param.is_neg()) {
    std::ostringstream strides;
    strides << param.strides();
    refuse(ErrorCode::invalid_argument, what() + " has the strides " + strides.str() +
                                            ": its elements must fill its memory without gaps (call contiguous())");
  }
  return {param.data_ptr(), static_cast<std::size_t>(param.numel()), *format};
}

inline bool same_layout(const torch::Tensor& a, const torch::Tensor& b) {
  return a.strides() == b.strides() || (a.is_contiguous() && b.is_contiguous());
}

/// The gradient itself if the engine can read it as it is, else a copy with the parameter's layout and dtype.
inline torch::Tensor readable(const torch::Tensor& grad, const torch::Tensor& param, const std::string& name) {
  const auto what = [&name] { return "gradient of \"" + name + "\""; };
  if (!grad.device().is_cpu() || grad.layout() != at::kStrided || grad.is_complex()) check_plain(grad, what());
  if (grad.sizes() != param.sizes()) {
    std::ostringstream shapes;
    shapes << " has the shape " << grad.sizes() << " but the parameter has " << param.sizes();
    refuse(ErrorCode::mismatch, what() + shapes.str());
  }
  const bool widths_fit = (grad.scalar_type() == at::kDouble) == (param.scalar_type() == at::kDouble);
  if (widths_fit && format_of(grad.scalar_type()) && !grad.is_neg() && same_layout(grad, param)) return grad;
  return torch::empty_like(param).copy_(grad);
}

/// How libtorch names the state of a parameter: by the address of its tensor, which is text before version 2.1.
template <class Key>
Key key_of(const torch::Tensor& param) {
  if constexpr (std::is_pointer_v<Key>) {
    return param.unsafeGetTensorImpl();
  } else {
    std::ostringstream text;
    text << param.unsafeGetTensorImpl();
    return text.str();
  }
}

inline bool equal(const Options& a, const Options& b) {
  bool same = true;
  for_each_option([&](std::string_view, auto field) { same = same && a.*field == b.*field; });
  return same;
}

}  // namespace detail

/// Options of one rule, for a whole optimizer or for a parameter group. A group may have those of another rule than its
/// optimizer, which it then uses. They are read at each step, so that schedulers work.
class RuleOptions : public torch::optim::OptimizerOptions {
 public:
  [[nodiscard]] Rule rule() const { return rule_; }
  /// Every option of the rule, and no other.
  [[nodiscard]] const Options& values() const { return values_; }

  double get_lr() const override { return values_.lr.value(); }
  void set_lr(const double lr) override { values_.lr = lr; }

  /// Sets one by its name.
  void set(std::string_view name, const OptionValue& value) { set_option(values_, name, value); }

  /// Under torch's keys, which are the names of the options.
  void serialize(torch::serialize::OutputArchive& archive) const override {
    for (const OptionInfo& option : info(rule_).options) {
      std::visit(
          [&](const auto& value) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::array<double, 2>>) {
              archive.write(std::string(option.name), torch::IValue(std::make_tuple(value[0], value[1])));
            } else {
              archive.write(std::string(option.name), torch::IValue(value));
            }
          },
          get_option(values_, option.name).value());
    }
  }
  /// Options that the archive lacks stay as they are.
  void serialize(torch::serialize::InputArchive& archive) override {
    for (const OptionInfo& option : info(rule_).options) {
      torch::IValue value;
      if (!archive.try_read(std::string(option.name), value)) continue;
      if (value.isTuple()) {
        const auto [first, second] = value.to<std::tuple<double, double>>();
        set_option(values_, option.name, OptionValue(std::array<double, 2>{first, second}));
      } else {
        set_option(values_, option.name, value.isBool() ? OptionValue(value.toBool()) : OptionValue(value.toDouble()));
      }
    }
  }

 protected:
  explicit RuleOptions(Rule rule) : rule_(rule), values_(defaults(rule)) {}

  /// Throws Error (invalid_argument) for an option that the rule does not have.
  template <class Field>
  auto& value_of(std::string_view name, Field Options::* field) {
    if (!(values_.*field).has_value()) {
      detail::refuse(ErrorCode::invalid_argument,
                     std::string(info(rule_).title) + " has no option \"" + std::string(name) + "\"");
    }
    return *(values_.*field);
  }

 private:
  Rule rule_;
  Options values_;
};

/// Options with the rule in their type and libtorch's setters: AdamWOptions(1e-3).weight_decay(0.1).betas({0.9, 0.95}).
/// Without an argument a call returns the value, which can be assigned to. Defaults are the rule's, which are those of
/// PyTorch. Values are checked when an optimizer uses them.
template <Rule kRule>
class OptionsOf : public RuleOptions {
 public:
  OptionsOf() : RuleOptions(kRule) {}
  OptionsOf(double lr) : OptionsOf() { set_lr(lr); }

#define ADAMANT_LIBTORCH_OPTION(type, name)                \
  OptionsOf& name(const type& new_value) {                 \
    value_of(#name, &Options::name) = new_value;           \
    return *this;                                          \
  }                                                        \
  type& name() { return value_of(#name, &Options::name); } \
  const type& name() const { return const_cast<OptionsOf&>(*this).name(); }

  using TwoNumbers = std::array<double, 2>;
  ADAMANT_LIBTORCH_OPTION(double, lr)
  ADAMANT_LIBTORCH_OPTION(TwoNumbers, betas)
  ADAMANT_LIBTORCH_OPTION(double, alpha)
  ADAMANT_LIBTORCH_OPTION(double, momentum)
  ADAMANT_LIBTORCH_OPTION(double, dampening)
  ADAMANT_LIBTORCH_OPTION(double, eps)
  ADAMANT_LIBTORCH_OPTION(double, weight_decay)
  ADAMANT_LIBTORCH_OPTION(double, lr_decay)
  ADAMANT_LIBTORCH_OPTION(double, initial_accumulator_value)
  ADAMANT_LIBTORCH_OPTION(bool, nesterov)
  ADAMANT_LIBTORCH_OPTION(bool, amsgrad)
  ADAMANT_LIBTORCH_OPTION(bool, centered)
  ADAMANT_LIBTORCH_OPTION(bool, maximize)
#undef ADAMANT_LIBTORCH_OPTION

  /// As libtorch has them: std::make_tuple(0.9, 0.95).
  template <class Pair>
    requires std::is_same_v<Pair, std::tuple<double, double>>
  OptionsOf& betas(const Pair& pair) {
    return betas(TwoNumbers{std::get<0>(pair), std::get<1>(pair)});
  }

  std::unique_ptr<torch::optim::OptimizerOptions> clone() const override { return std::make_unique<OptionsOf>(*this); }
};

/// What an optimizer keeps for one parameter, as tensors on the memory that the engine steps in: by torch's names
/// ("exp_avg") and of the parameter's shape, if each element of the state is a number; else as bytes ("exp_avg_q8",
/// "exp_avg_sq_exponents", "low_bits"). They stay valid, but are no longer stepped in, after a load and a change of
/// groups.
class ParamState : public torch::optim::OptimizerCloneableParamState<ParamState> {
 public:
  ParamState() = default;
  ParamState(const ParamState& other) : step_(other.step_), tensors_(other.tensors_) {}
  ParamState& operator=(const ParamState&) = delete;

  /// Steps that the parameter has taken.
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] const std::map<std::string, torch::Tensor>& tensors() const { return tensors_; }

  void serialize(torch::serialize::OutputArchive& archive) const override {
    archive.write("step", torch::IValue(step_));
    for (const auto& [name, tensor] : tensors_) archive.write(name, torch::IValue(tensor));
  }
  void serialize(torch::serialize::InputArchive& archive) override {
    // torch's SGD counts no steps: that it has a state says that there was one.
    step_ = 1;
    for (const std::string& name : archive.keys()) {
      torch::IValue value;
      archive.read(name, value);
      if (name == "step") {
        step_ = value.toInt();
      } else if (value.isTensor() && value.toTensor().defined()) {
        tensors_[name] = value.toTensor();
      }
    }
  }

 private:
  friend class RuleOptimizer;
  std::int64_t step_ = 0;
  std::map<std::string, torch::Tensor> tensors_;
  const adamant::Optimizer* stepped_by_ = nullptr;
};

/// Any rule; OptimizerOf has the rule in its type. Errors are adamant::Error, and name a tensor by its place:
/// "param_groups[0].params[3]". A refused step or load has changed nothing.
class RuleOptimizer : public torch::optim::Optimizer {
 public:
  /// One step on every parameter that has a gradient, after the closure if there is one, whose loss is returned.
  /// As torch's, which it hides: newer versions lose the options of a group that are not of their own classes.
  void add_param_group(const torch::optim::OptimizerParamGroup& group) {
    torch::optim::Optimizer::add_param_group(group);
    keep_options(param_groups_.size() - 1, group);
  }

  torch::Tensor step(LossClosure closure = nullptr) override { return step(std::move(closure), StepOptions{}); }
  torch::Tensor step(LossClosure closure, const StepOptions& options) {
    torch::Tensor loss;
    if (closure) {
      const at::AutoGradMode enabled(true);
      loss = closure();
    }
    const torch::NoGradGuard disabled;
    follow_groups();
    follow_params();
    const std::vector<torch::Tensor> copies = follow_grads();
    report_ = engine_->step(options);
    if (report_.applied) count_step();
    return loss;
  }

  /// What the last step did: whether it was applied, the norm of the gradients, where they were not finite.
  [[nodiscard]] const StepReport& last_report() const { return report_; }
  /// The optimizer that does the work, to be asked; not valid after a load or a change of groups.
  [[nodiscard]] const adamant::Optimizer& engine() const { return *engine_; }

  /// In the format of torch::optim: torch::save(optimizer, file). The archive has the states and the options.
  void save(torch::serialize::OutputArchive& archive) const override {
    archive.write("pytorch_version", torch::IValue("1.5.0"));  // of the format
    const auto count = [](std::size_t n) { return torch::tensor(static_cast<std::int64_t>(n)); };
    torch::serialize::OutputArchive states(archive.compilation_unit());
    torch::serialize::OutputArchive groups(archive.compilation_unit());
    groups.write("param_groups/size", count(param_groups_.size()));
    std::size_t number = 0;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      torch::serialize::OutputArchive group(archive.compilation_unit());
      const std::vector<torch::Tensor>& params = param_groups_[g].params();
      group.write("params/size", count(params.size()));
      for (std::size_t p = 0; p < params.size(); ++p) {
        const std::string key = std::to_string(++number);
        group.write("params/" + std::to_string(p), torch::IValue(key));
        if (const auto found = state_.find(key_of(params[p])); found != state_.end()) {
          torch::serialize::OutputArchive state(archive.compilation_unit());
          found->second->serialize(state);
          states.write(key, state);
        }
      }
      torch::serialize::OutputArchive options(archive.compilation_unit());
      param_groups_[g].options().serialize(options);
      group.write("options", options);
      groups.write("param_groups/" + std::to_string(g), group);
    }
    archive.write("state", states);
    archive.write("param_groups", groups);
  }

  /// torch::load(optimizer, file), of an archive of this class or of the same rule of torch::optim. Parameters are
  /// matched by their places; as in torch::optim, states and step counts are taken over, options are not.
  void load(torch::serialize::InputArchive& archive) override {
    torch::serialize::InputArchive states;
    torch::serialize::InputArchive groups;
    archive.read("state", states);
    archive.read("param_groups", groups);
    const auto check_count = [](torch::serialize::InputArchive& from, const std::string& key, std::size_t own,
                                const std::string& what) {
      torch::Tensor count;
      from.read(key, count);
      if (count.item<std::int64_t>() == static_cast<std::int64_t>(own)) return;
      detail::refuse(ErrorCode::mismatch, what + " has " + std::to_string(own) + " but the archive has " +
                                              std::to_string(count.item<std::int64_t>()));
    };
    check_count(groups, "param_groups/size", param_groups_.size(), "number of param_groups: the optimizer");
    States loaded;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      torch::serialize::InputArchive group;
      groups.read("param_groups/" + std::to_string(g), group);
      const std::vector<torch::Tensor>& params = param_groups_[g].params();
      check_count(group, "params/size", params.size(),
                  "number of params of param_groups[" + std::to_string(g) + "]: the optimizer");
      for (std::size_t p = 0; p < params.size(); ++p) {
        torch::IValue key;
        group.read("params/" + std::to_string(p), key);
        torch::serialize::InputArchive archived;
        if (!states.try_read(key.toStringRef(), archived)) continue;
        auto state = std::make_unique<ParamState>();
        state->serialize(archived);
        loaded[key_of(params[p])] = std::move(state);
      }
    }
    std::swap(state_, loaded);
    try {
      build();
    } catch (...) {
      std::swap(state_, loaded);
      throw;
    }
  }

 protected:
  RuleOptimizer(std::vector<torch::optim::OptimizerParamGroup> groups, std::unique_ptr<RuleOptions> options,
                const Settings& settings)
      : torch::optim::Optimizer(groups, std::move(options)), settings_(settings) {
    for (std::size_t g = 0; g < groups.size(); ++g) keep_options(g, groups[g]);
    build();
  }

 private:
  using States = std::decay_t<decltype(std::declval<torch::optim::Optimizer&>().state())>;

  // A parameter as the engine knows it; the engine's tensors have the same order.
  struct Entry {
    torch::Tensor param;
    std::size_t group;
    std::string name;
    Tensor memory;
    std::vector<std::int64_t> strides;
    Tensor grad;
    ParamState* state = nullptr;  // in state_, from its first step on
  };

  static States::key_type key_of(const torch::Tensor& param) { return detail::key_of<States::key_type>(param); }

  // Newer versions of libtorch give a group the options of the optimizer, but for those fields in which its own are not
  // the rule's defaults; and they do so for their own classes only. Of others a group's own options are lost.
  void keep_options(std::size_t group, const torch::optim::OptimizerParamGroup& given) {
    if (!given.has_options()) return;
    const RuleOptions& own = options_of(given.options(), group);
    const RuleOptions& kept = options_of(group);
    if (kept.rule() == own.rule() && detail::equal(kept.values(), own.values())) return;
    std::unique_ptr<torch::optim::OptimizerOptions> merged = own.clone();
    if (kept.rule() == own.rule()) {
      const Options defaults = adamant::defaults(own.rule());
      for_each_option([&](std::string_view name, auto field) {
        if (own.values().*field == defaults.*field && kept.values().*field) {
          static_cast<RuleOptions&>(*merged).set(name, get_option(kept.values(), name).value());
        }
      });
    }
    param_groups_[group].set_options(std::move(merged));
  }

  [[nodiscard]] const RuleOptions& options_of(std::size_t group) const {
    return options_of(param_groups_[group].options(), group);
  }
  [[nodiscard]] static const RuleOptions& options_of(const torch::optim::OptimizerOptions& of_group,
                                                     std::size_t group) {
    const auto* options = dynamic_cast<const RuleOptions*>(&of_group);
    if (options == nullptr) {
      detail::refuse(ErrorCode::invalid_argument, "options of param_groups[" + std::to_string(group) +
                                                      "] are not those of adamant::libtorch: must be OptionsOf a rule");
    }
    return *options;
  }

  // Whether the engine's groups, tensors and states are those of torch's lists, which anyone may change.
  [[nodiscard]] bool is_current() const {
    if (param_groups_.size() != engine_->group_count()) return false;
    auto entry = entries_.begin();
    std::size_t states = 0;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      if (options_of(g).rule() != engine_->rule(g)) return false;
      for (const torch::Tensor& param : param_groups_[g].params()) {
        if (entry == entries_.end() || entry->group != g || !entry->param.is_same(param)) return false;
        states += entry->state != nullptr ? 1 : 0;
        ++entry;
      }
    }
    return entry == entries_.end() && state_.size() == states &&
           std::all_of(state_.begin(), state_.end(), [this](const auto& item) {
             const auto* state = dynamic_cast<const ParamState*>(item.second.get());
             return state != nullptr && state->stepped_by_ == engine_.get();
           });
  }

  // A new engine for torch's groups, which continues from torch's states. States of parameters that are in no group are
  // dropped.
  void build() {
    std::vector<ParamGroup> groups;
    std::vector<Entry> entries;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      const RuleOptions& options = options_of(g);
      ParamGroup& group =
          groups.emplace_back(ParamGroup{.params = {}, .options = options.values(), .rule = options.rule()});
      const std::vector<torch::Tensor>& params = param_groups_[g].params();
      for (std::size_t p = 0; p < params.size(); ++p) {
        const std::string name = "param_groups[" + std::to_string(g) + "].params[" + std::to_string(p) + "]";
        const Tensor memory = detail::memory_of(params[p], name);
        std::vector<std::size_t> shape;
        if (params[p].is_contiguous()) shape.assign(params[p].sizes().begin(), params[p].sizes().end());
        group.params.emplace_back(name, memory, Tensor{}, std::move(shape));
        entries.push_back({params[p], g, name, memory, params[p].strides().vec(), {}});
      }
    }
    const Rule rule = static_cast<const RuleOptions&>(*defaults_).rule();
    auto engine = std::make_shared<adamant::Optimizer>(rule, std::move(groups), Options{}, settings_);

    if (!state_.empty()) {
      StateDict dict = engine->state_dict();
      if (engine_) dict.steps = engine_->steps();
      for (std::size_t i = 0; i < entries.size(); ++i) {
        if (const auto found = state_.find(key_of(entries[i].param)); found != state_.end()) {
          take_over(*engine, i, entries[i], *found->second, dict.tensors.at(entries[i].name));
        }
      }
      engine->load_state_dict(dict);
    }

    States states;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const States::key_type key = key_of(entries[i].param);
      if (state_.find(key) == state_.end()) continue;
      auto state = state_of(engine, i, entries[i]);
      entries[i].state = state.get();
      states[key] = std::move(state);
    }
    engine_ = std::move(engine);
    entries_ = std::move(entries);
    std::swap(state_, states);
  }

  // How a plane of the engine is a tensor: of numbers, one for each element of the parameter, or of bytes.
  struct PlaneForm {
    std::string key;
    std::optional<at::ScalarType> number;
  };
  static PlaneForm form_of(const Plane& plane, StateFormat format) {
    const std::string state(plane.state);
    if (plane.kind == PlaneKind::low_bits) return {"low_bits", {}};
    if (plane.kind == PlaneKind::exponents) return {state + "_exponents", {}};
    if (const std::optional<Format> element = info(format).element) return {state, detail::dtype_of(*element)};
    return {state + "_" + std::string(info(format).name), {}};
  }

  // The tensors share the engine, whose memory they are.
  static std::unique_ptr<ParamState> state_of(const std::shared_ptr<adamant::Optimizer>& engine, std::size_t index,
                                              const Entry& entry) {
    auto state = std::make_unique<ParamState>();
    state->stepped_by_ = engine.get();
    const TensorInfo tensor = engine->tensor(index);
    state->step_ = static_cast<std::int64_t>(tensor.step);
    for (const Plane& plane : engine->planes(index)) {
      const PlaneForm form = form_of(plane, tensor.state_format);
      void* const data = const_cast<std::byte*>(plane.bytes.data());
      const auto keep = [engine](void*) {};
      const auto bytes = static_cast<std::int64_t>(plane.bytes.size());
      state->tensors_[form.key] =
          form.number ? torch::from_blob(data, entry.param.sizes(), entry.strides, keep, torch::dtype(*form.number))
                      : torch::from_blob(data, {bytes}, keep, torch::dtype(torch::kByte));
    }
    return state;
  }

  // Copies a state of torch's list, which may come from an archive, into what the engine loads.
  static void take_over(const adamant::Optimizer& engine, std::size_t index, const Entry& entry,
                        const torch::optim::OptimizerParamState& from, StateDict::Entry& to) {
    const auto* state = dynamic_cast<const ParamState*>(&from);
    if (state == nullptr || state->step_ < 0) {
      detail::refuse(ErrorCode::invalid_argument,
                     "state of \"" + entry.name + "\" " +
                         (state == nullptr ? "is of another class: must be an adamant::libtorch::ParamState"
                                           : "has the step " + std::to_string(state->step_) + ": must be >= 0"));
    }
    to.step = static_cast<std::uint64_t>(state->step_);
    for (const Plane& plane : engine.planes(index)) {
      const PlaneForm form = form_of(plane, engine.tensor(index).state_format);
      const std::string what = "state \"" + form.key + "\" of \"" + entry.name + "\"";
      const auto found = state->tensors_.find(form.key);
      if (found == state->tensors_.end()) {
        if (plane.kind == PlaneKind::low_bits) continue;  // the weights are what the parameter says
        std::string known;
        for (const auto& [name, tensor] : state->tensors_) known += (known.empty() ? "" : ", ") + name;
        detail::refuse(ErrorCode::not_found, what + " is missing: there is " + (known.empty() ? "none" : known) +
                                                 " (another rule, other options or another format of states)");
      }
      torch::Tensor values = found->second;
      detail::check_plain(values, what);
      const auto has = [&values] {
        std::ostringstream text;
        text << " is " << c10::toString(values.scalar_type()) << " of shape " << values.sizes() << ": must be ";
        return text.str();
      };
      if (form.number) {
        // Wider numbers hold the same values.
        if (values.sizes() != entry.param.sizes() ||
            c10::promoteTypes(values.scalar_type(), *form.number) != *form.number) {
          std::ostringstream rule;
          rule << c10::toString(*form.number) << " of shape " << entry.param.sizes();
          detail::refuse(ErrorCode::mismatch, what + has() + rule.str());
        }
        values = torch::empty_strided(entry.param.sizes(), entry.strides, torch::dtype(*form.number)).copy_(values);
      } else {
        if (values.scalar_type() != torch::kByte || values.nbytes() != plane.bytes.size()) {
          detail::refuse(ErrorCode::mismatch, what + has() + std::to_string(plane.bytes.size()) + " bytes");
        }
        values = values.contiguous();
      }
      std::vector<std::byte>& bytes = plane.kind == PlaneKind::low_bits ? to.weight_bits
                                      : plane.kind == PlaneKind::values
                                          ? to.states.at(std::string(plane.state)).bytes
                                          : to.states.at(std::string(plane.state)).exponents;
      bytes.resize(plane.bytes.size());
      if (!bytes.empty()) std::memcpy(bytes.data(), values.data_ptr(), bytes.size());
    }
  }

  // Groups, options and states as torch's lists have them now.
  void follow_groups() {
    if (!is_current()) build();
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      const Options& options = options_of(g).values();
      if (!detail::equal(options, engine_->options(g))) engine_->set_options(g, options);
    }
  }

  // The memory of the parameters as it is now: Module::to and set_data move it.
  void follow_params() {
    bool moved = false;
    for (Entry& entry : entries_) {
      const Tensor now = detail::memory_of(entry.param, entry.name);
      if (now.format != entry.memory.format || now.size != entry.memory.size ||
          entry.param.strides() != entry.strides) {
        return build();
      }
      moved = moved || now.data != entry.memory.data;
    }
    if (!moved) return;
    try {
      for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Tensor now = detail::memory_of(entries_[i].param, entries_[i].name);
        if (now.data == entries_[i].memory.data) continue;
        engine_->set_param(i, now);
        entries_[i].memory = now;
      }
    } catch (const Error&) {
      // The engine still knows where other parameters and gradients lay. A new one does not, and refuses only
      // parameters that share memory.
      build();
    }
  }

  // Gradients that the engine cannot read as they are become copies, which must last for the step.
  [[nodiscard]] std::vector<torch::Tensor> follow_grads() {
    std::vector<torch::Tensor> copies;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      Tensor now;
      if (const torch::Tensor& grad = entry.param.grad(); grad.defined()) {
        torch::Tensor readable = detail::readable(grad, entry.param, entry.name);
        now = Tensor(readable.data_ptr(), entry.memory.size, *detail::format_of(readable.scalar_type()));
        if (!readable.is_same(grad)) copies.push_back(std::move(readable));
      }
      if (now.data == entry.grad.data && now.format == entry.grad.format) continue;
      engine_->set_grad(i, now);
      entry.grad = now;
    }
    return copies;
  }

  void count_step() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      if (entry.grad.data == nullptr) continue;
      entry.param.unsafeGetTensorImpl()->bump_version();  // autograd refuses to go back through a changed parameter
      if (entry.state == nullptr) {
        auto state = state_of(engine_, i, entry);
        entry.state = state.get();
        state_[key_of(entry.param)] = std::move(state);
      } else {
        ++entry.state->step_;
      }
    }
  }

  Settings settings_;
  std::shared_ptr<adamant::Optimizer> engine_;
  std::vector<Entry> entries_;
  StepReport report_;
};

/// An optimizer with the rule in its type: AdamW optimizer(model->parameters(), AdamWOptions(1e-3)). `settings` are
/// those of the engine: formats of states and weights, clipping, gradients that are not finite, threads.
template <Rule kRule>
class OptimizerOf : public RuleOptimizer {
 public:
  explicit OptimizerOf(std::vector<torch::optim::OptimizerParamGroup> groups, const OptionsOf<kRule>& options = {},
                       const Settings& settings = {})
      : RuleOptimizer(std::move(groups), std::make_unique<OptionsOf<kRule>>(options), settings) {}
  explicit OptimizerOf(std::vector<torch::Tensor> params, const OptionsOf<kRule>& options = {},
                       const Settings& settings = {})
      : OptimizerOf({torch::optim::OptimizerParamGroup(std::move(params))}, options, settings) {}
};

// A line for each rule.
#define ADAMANT_LIBTORCH_RULE(title, rule)      \
  using title##Options = OptionsOf<Rule::rule>; \
  using title = OptimizerOf<Rule::rule>;
ADAMANT_LIBTORCH_RULE(AdamW, adamw)
ADAMANT_LIBTORCH_RULE(Adam, adam)
ADAMANT_LIBTORCH_RULE(SGD, sgd)
ADAMANT_LIBTORCH_RULE(RMSprop, rmsprop)
ADAMANT_LIBTORCH_RULE(Adagrad, adagrad)
#undef ADAMANT_LIBTORCH_RULE

}  // namespace adamant::libtorch
