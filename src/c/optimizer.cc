// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers: what they are made of, gradients and the step.
#include <algorithm>
#include <memory>
#include <span>

#include "c/calls.h"

namespace adamant::c {
namespace {

Tensor view(void* data, std::size_t size, std::int32_t format, const char* what, bool read_only) {
  Tensor tensor(data, size, format_of(format, what));
  tensor.writable = !read_only;
  return tensor;
}

Param param_of(const adamant_tensor& tensor) {
  constexpr std::uint32_t kFlags = ADAMANT_READ_ONLY | ADAMANT_GRAD_READ_ONLY;
  std::string name(given_text(tensor.name, "name of a tensor"));
  if ((tensor.flags & ~kFlags) != 0) {
    refuse(ErrorCode::invalid_argument,
           "flags of tensor '" + name + "' are " + std::to_string(tensor.flags) + ", of which some are unknown");
  }
  const auto shape = given(tensor.shape, tensor.ndim, "shape of a tensor");
  Param param(
      std::move(name),
      view(tensor.data, tensor.size, tensor.format, "format of a parameter", (tensor.flags & ADAMANT_READ_ONLY) != 0),
      {}, {shape.begin(), shape.end()});
  if (tensor.grad != nullptr) {
    param.grad = view(tensor.grad, tensor.size, tensor.grad_format, "format of a gradient",
                      (tensor.flags & ADAMANT_GRAD_READ_ONLY) != 0);
  }
  return param;
}

ParamGroup group_of(const adamant_group& group) {
  ParamGroup made;
  for (const adamant_tensor& tensor : read_all(group.tensors, group.tensor_count, "tensor (adamant_tensor)")) {
    made.params.push_back(param_of(tensor));
  }
  made.options = read_options(group.options, group.option_count);
  if (group.rule != nullptr) made.rule = rule_from_name(group.rule);
  return made;
}

/// Lists of gradients as the engine takes them, whose formats are checked.
class Grads {
 public:
  Grads(const std::size_t* tensors, void* const* data, const std::int32_t* formats, std::size_t count)
      : data_(given(data, count, "data")), tensors_(tensors, tensors == nullptr ? 0 : count) {
    if (formats == nullptr) return;
    formats_.reserve(count);
    read_only_ = std::make_unique<bool[]>(count);
    for (std::size_t i = 0; i < count; ++i) {
      read_only_[i] = formats[i] >= ADAMANT_FORMAT_READ_ONLY;
      formats_.push_back(
          format_of(formats[i] - (read_only_[i] ? ADAMANT_FORMAT_READ_ONLY : 0), "format of a gradient"));
    }
  }
  [[nodiscard]] GradList list() const { return {data_, tensors_, formats_, {read_only_.get(), formats_.size()}}; }

 private:
  std::span<void* const> data_;
  std::span<const std::size_t> tensors_;
  std::vector<Format> formats_;
  std::unique_ptr<bool[]> read_only_;
};

/// Calls step(StepOptions) with what the options of the caller's say.
template <class Step>
void with_options(const adamant_step_options* given_options, const Step& step) {
  const auto options = read_or_default(given_options, "options (adamant_step_options)");
  StepOptions made;
  if (options.grad_scale != 0.0) made.grad_scale = options.grad_scale;
  if (options.statistics != nullptr) made.statistics = options.statistics->filled;
  // An empty list of tensors means none here, and all of them in C++.
  const bool none = options.grads == nullptr || (options.grad_tensors != nullptr && options.grad_count == 0);
  if (none) return step(made);
  const Grads grads(options.grad_tensors, options.grads, options.grad_formats, options.grad_count);
  made.grads = grads.list();
  step(made);
}

void check_report(const adamant_step_report* report) {
  if (report != nullptr) check_struct(report, "report (adamant_step_report)");
}

void write_report(adamant_step_report* to, const StepReport& report) {
  if (to == nullptr) return;
  adamant_step_report filled{};
  filled.applied = report.applied ? 1 : 0;
  filled.has_grad_norm = report.grad_norm ? 1 : 0;
  filled.grad_norm = report.grad_norm.value_or(0.0);
  filled.clip_coefficient = report.clip_coefficient;
  if (report.nonfinite) {
    filled.has_nonfinite = 1;
    filled.nonfinite_tensor = report.nonfinite->tensor_index;
    filled.nonfinite_element = report.nonfinite->index;
    filled.nonfinite_count = report.nonfinite->count;
  }
  write(to, filled, "report (adamant_step_report)");
}

}  // namespace

StepReport read_report(const adamant_step_report* from, const Optimizer& optimizer) {
  const auto report = read(from, "report (adamant_step_report)");
  StepReport made;
  made.applied = report.applied != 0;
  if (report.has_grad_norm != 0) made.grad_norm = report.grad_norm;
  made.clip_coefficient = report.clip_coefficient;
  if (report.has_nonfinite != 0) {
    made.nonfinite = {optimizer.tensor(report.nonfinite_tensor).name, report.nonfinite_element, report.nonfinite_count,
                      report.nonfinite_tensor};
  }
  return made;
}

}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

adamant_status adamant_create(const adamant_config* given_config, adamant_optimizer** optimizer) {
  return guarded([&] {
    given(optimizer, "optimizer") = nullptr;
    const auto config = read(given_config, "config (adamant_config)");
    const Rule rule = rule_from_name(given_text(config.rule, "rule"));
    std::vector<ParamGroup> groups;
    for (const adamant_group& group : read_all(config.groups, config.group_count, "group (adamant_group)")) {
      groups.push_back(group_of(group));
    }
    Settings settings = config.preset == nullptr ? Settings{} : preset(config.preset);
    read_settings(settings, config.settings, config.setting_count);
    const Options options = read_options(config.options, config.option_count);
    *optimizer = new adamant_optimizer{Optimizer(rule, std::move(groups), options, settings)};
  });
}

void adamant_free(adamant_optimizer* optimizer) { delete optimizer; }

adamant_status adamant_add_group(adamant_optimizer* optimizer, const adamant_group* group, size_t* index) {
  return guarded([&] {
    const std::size_t added = of(optimizer).add_param_group(group_of(read(group, "group (adamant_group)")));
    if (index != nullptr) *index = added;
  });
}

adamant_status adamant_remove_tensor(adamant_optimizer* optimizer, size_t tensor) {
  return guarded([&] { of(optimizer).remove_tensor(tensor); });
}

adamant_status adamant_find_tensor(const adamant_optimizer* optimizer, const char* name, size_t* tensor) {
  return guarded([&] { given(tensor, "tensor") = of(optimizer).tensor_index(given_text(name, "name")); });
}

adamant_status adamant_get_option(const adamant_optimizer* optimizer, size_t group, const char* name,
                                  adamant_value* value) {
  return guarded([&] {
    // Whatever its rule has, a group has set.
    const auto set = get_option(of(optimizer).options(group), given_text(name, "name"));
    const RuleInfo& rule = info(of(optimizer).rule(group));
    if (!set) refuse(ErrorCode::not_found, "rule '" + std::string(rule.name) + "' has no option '" + name + "'");
    const auto option = std::ranges::find(rule.options, std::string_view(name), &OptionInfo::name);
    thread_local std::string kept;
    std::string text = to_text(*set);
    check_struct(value, "value (adamant_value)");
    kept = std::move(text);
    write(value, value_of(option->name, *set, kept), "value (adamant_value)");
  });
}

adamant_status adamant_set_options(adamant_optimizer* optimizer, size_t group, const adamant_value* options,
                                   size_t count) {
  return guarded([&] { of(optimizer).set_options(group, read_options(options, count)); });
}

adamant_status adamant_set_lr(adamant_optimizer* optimizer, double lr) {
  return guarded([&] { of(optimizer).set_lr(lr); });
}

adamant_status adamant_get_setting(const adamant_optimizer* optimizer, const char* name, const char** text) {
  return guarded([&] {
    given(text, "text");
    thread_local std::string kept;
    kept = get_setting(of(optimizer).settings(), given_text(name, "name"));
    *text = kept.c_str();
  });
}

adamant_status adamant_set_settings(adamant_optimizer* optimizer, const adamant_value* settings, size_t count) {
  return guarded(
      [&] { of(optimizer).change_settings([&](Settings& changed) { read_settings(changed, settings, count); }); });
}

adamant_status adamant_set_formats(adamant_optimizer* optimizer, const char* state, const char* weights) {
  return guarded([&] {
    of(optimizer).set_formats(state_format_from_name(given_text(state, "state")),
                              weight_format_from_name(given_text(weights, "weights")));
  });
}

adamant_status adamant_set_grads(adamant_optimizer* optimizer, const size_t* tensors, void* const* data,
                                 const int32_t* formats, size_t count) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    const Grads grads(tensors, data, formats, count);
    if (tensors != nullptr && count == 0) return;
    const GradList list = grads.list();
    own.set_grads(list.data, list.tensors, list.formats, list.read_only);
  });
}

adamant_status adamant_set_params(adamant_optimizer* optimizer, const size_t* tensors, void* const* data,
                                  size_t count) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    const auto params = given(data, count, "data");
    if (tensors != nullptr && count == 0) return;
    own.set_params(params, {tensors, tensors == nullptr ? 0 : count});
  });
}

adamant_status adamant_set_lazy_row_grad(adamant_optimizer* optimizer, size_t tensor, const int64_t* rows,
                                         size_t row_count, const void* values, size_t size, int32_t format) {
  return guarded([&] {
    of(optimizer).set_lazy_row_grad(tensor, given(rows, row_count, "rows"),
                                    {values, size, format_of(format, "format of a row gradient")});
  });
}

adamant_status adamant_zero_grad(adamant_optimizer* optimizer) {
  return guarded([&] { of(optimizer).zero_grad(); });
}

adamant_status adamant_step(adamant_optimizer* optimizer, const adamant_step_options* options,
                            adamant_step_report* report) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    check_report(report);
    with_options(options, [&](const StepOptions& step) { write_report(report, own.step(step)); });
  });
}

adamant_status adamant_begin_step(adamant_optimizer* optimizer, const adamant_step_options* options) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    with_options(options, [&](const StepOptions& step) { own.begin_step(step); });
  });
}

adamant_status adamant_step_tensor(adamant_optimizer* optimizer, size_t tensor, const void* grad, int32_t format,
                                   int32_t* updated) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    const bool done = grad == nullptr ? own.step_tensor(tensor)
                                      : own.step_tensor(tensor, grad, format_of(format, "format of a gradient"));
    if (updated != nullptr) *updated = done ? 1 : 0;
  });
}

adamant_status adamant_end_step(adamant_optimizer* optimizer, adamant_step_report* report) {
  return guarded([&] {
    Optimizer& own = of(optimizer);
    check_report(report);
    write_report(report, own.end_step());
  });
}
