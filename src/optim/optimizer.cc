// Parameter groups, tensors and their refusals.
#include <adamant/optimizer.hpp>
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/held.h"
#include "base/text.h"
#include "optim/impl.h"
#include "rule/options.h"

namespace adamant {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr int kMaxThreads = 1024;

[[noreturn]] void refuse(ErrorCode code, const std::string& message) { throw Error(code, message); }

bool is_utf8(std::string_view bytes) {
  // Lead byte → number of continuation bytes, and the least code point that needs them (no overlong forms).
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i++]);
    const int more = lead < 0x80 ? 0 : lead >> 5 == 0x6 ? 1 : lead >> 4 == 0xE ? 2 : lead >> 3 == 0x1E ? 3 : -1;
    if (more < 0) return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= bytes.size() || (static_cast<unsigned char>(bytes[i]) & 0xC0) != 0x80) return false;
      point = point << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3Fu);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (point < kLeast[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
  }
  return true;
}

void check_name(std::string_view name) {
  const auto invalid = [&](const std::string& rule) {
    refuse(ErrorCode::invalid_argument, "Invalid tensor name: " + printable(name) + " (" + rule + ")");
  };
  if (name.empty()) invalid("must not be empty");
  if (name.size() > kMaxNameBytes) {
    invalid("must have at most " + std::to_string(kMaxNameBytes) + " bytes, has " + std::to_string(name.size()));
  }
  if (!is_utf8(name)) invalid("must be UTF-8");
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    invalid("must not contain control characters");
  }
  if (name == "__metadata__") invalid("is reserved by the safetensors format");
  if (name.find('/') != std::string_view::npos) invalid("must not contain '/'");
  if (name.find("..") != std::string_view::npos) invalid("must not contain '..'");
}

// An enumerator from outside may hold any number.
void check_enumerator(const std::string& what, std::size_t value, std::size_t count) {
  if (value < count) return;
  refuse(ErrorCode::invalid_argument,
         what + " is number " + std::to_string(value) + " of its enumeration, which has " + std::to_string(count));
}

void check_format(const std::string& what, Format format) {
  check_enumerator("format of " + what, static_cast<std::size_t>(format), formats().size());
}

void check_memory(const std::string& what, const Tensor& tensor) {
  check_format(what, tensor.format);
  const std::size_t bytes = info(tensor.format).bytes;
  if (tensor.data == nullptr && tensor.size > 0) {
    refuse(ErrorCode::invalid_argument, what + " is null but has " + std::to_string(tensor.size) + " elements");
  }
  if (tensor.size > std::numeric_limits<std::size_t>::max() / 2 / bytes) {
    refuse(ErrorCode::invalid_argument, what + " has " + std::to_string(tensor.size) + " elements of " +
                                            std::to_string(bytes) + " bytes: more than can be addressed");
  }
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % bytes != 0) {
    refuse(ErrorCode::invalid_argument, what + " is misaligned: its address must be a multiple of " +
                                            std::to_string(bytes) + " bytes (" + std::string(info(tensor.format).name) +
                                            ")");
  }
  if (!tensor.contiguous) {
    refuse(ErrorCode::invalid_argument, what + " has gaps between its elements: must be contiguous");
  }
}

// f64 is computed in f64, everything else in f32.
void check_formats(const std::string& name, Format param, Format grad) {
  if ((param == Format::f64) == (grad == Format::f64)) return;
  refuse(ErrorCode::mismatch, "gradient of " + in_quotes(name) + " is " + std::string(info(grad).name) +
                                  " but its parameter is " + std::string(info(param).name) +
                                  ": f64 goes with f64 only");
}

void check_shape(const Param& param) {
  if (param.shape.empty()) return;
  std::size_t product = 1;
  bool overflow = false;
  for (const std::size_t extent : param.shape) {
    overflow = overflow || (extent != 0 && product > std::numeric_limits<std::size_t>::max() / extent);
    product *= extent;
  }
  if (overflow || product != param.param.size) {
    refuse(ErrorCode::mismatch, "shape of " + in_quotes(param.name) + " is [" +
                                    listed(param.shape, [](std::size_t n) { return std::to_string(n); }) +
                                    "] but it has " + std::to_string(param.param.size) + " elements");
  }
}

void check_positive(const char* name, const std::optional<double>& value) {
  if (!value || (*value > 0.0 && *value <= static_cast<double>(std::numeric_limits<float>::max()))) return;
  refuse(ErrorCode::invalid_argument,
         std::string("Invalid ") + name + ": " + text(*value) + " (must be a finite f32 number > 0)");
}

std::string gradient_of(const TensorState& tensor) { return "gradient of " + in_quotes(tensor.name); }

Rule checked(Rule rule) {
  check_enumerator("rule", static_cast<std::size_t>(rule), rules().size());
  return rule;
}

}  // namespace

void check_settings(const Settings& settings) {
  check_enumerator("state format", static_cast<std::size_t>(settings.state), state_formats().size());
  check_enumerator("weight format", static_cast<std::size_t>(settings.weights), weight_formats().size());
  check_enumerator("nonfinite policy", static_cast<std::size_t>(settings.nonfinite), 3);
  check_positive("max_norm", settings.max_norm);
  check_positive("clip_value", settings.clip_value);
  // As f32 a smaller limit would be zero.
  if (settings.clip_value && static_cast<float>(*settings.clip_value) == 0.0f) {
    refuse(ErrorCode::invalid_argument, "Invalid clip_value: " + text(*settings.clip_value) + " (is 0 as f32)");
  }
  if (settings.threads < 0 || settings.threads > kMaxThreads) {
    refuse(ErrorCode::invalid_argument, "Invalid threads: " + std::to_string(settings.threads) +
                                            " (must be 0, for all processors, to " + std::to_string(kMaxThreads) + ")");
  }
}

void check_rows_of_groups(const TensorState& tensor) {
  const std::size_t width = tensor.row_width();
  if (tensor.state_format != StateFormat::q8 || width % kGroup == 0) return;
  refuse(ErrorCode::mismatch, "row gradient of " + in_quotes(tensor.name) + ": its rows have " + std::to_string(width) +
                                  " elements; q8 states need a multiple of " + std::to_string(kGroup) +
                                  ", so that no group is shared between rows");
}

Exclusive::Exclusive(std::atomic_flag& running, const char* call, const bool* closed) : running_(running) {
  if (running.test_and_set(std::memory_order_acquire)) {
    refuse(ErrorCode::busy, std::string(call) + "() called while another call on the same optimizer is running");
  }
  if (closed != nullptr && *closed) {
    running.clear(std::memory_order_release);
    refuse(ErrorCode::busy, std::string(call) + "() called between begin_step() and end_step()");
  }
}

Optimizer::Impl::Impl(Rule rule_, const Options& options, const Settings& settings_)
    : base_rule(checked(rule_)),
      base_options(resolve(rule_, defaults(rule_), options)),
      settings((check_settings(settings_), settings_)),
      workers(settings_.threads) {}

std::size_t Optimizer::Impl::add_group(ParamGroup group) {
  if (group.params.empty()) refuse(ErrorCode::invalid_argument, "optimizer got an empty parameter list");
  GroupState state;
  const Rule rule = checked(group.rule.value_or(base_rule));
  state.options = resolve(rule, rule == base_rule ? base_options : defaults(rule), group.options);
  state.variant = variant_of(rule, state.options);
  const std::size_t group_index = groups.size();

  // Everything is checked and allocated on the side, so that a refusal changes nothing.
  std::vector<TensorState> added;
  auto names = tensor_by_name;
  auto addresses = params_by_address;
  for (Param& param : group.params) {
    check_name(param.name);
    if (!names.emplace(param.name, tensors.size() + added.size()).second) {
      refuse(ErrorCode::duplicate, "tensor name " + in_quotes(param.name) + " is given twice");
    }
    const std::string what = "parameter " + in_quotes(param.name);
    check_memory(what, param.param);
    if (!param.param.writable) refuse(ErrorCode::invalid_argument, what + " is read-only");
    check_shape(param);

    TensorState& tensor = added.emplace_back();
    tensor.name = param.name;
    tensor.shape = param.shape.empty() ? std::vector<std::size_t>{param.param.size} : std::move(param.shape);
    tensor.param = param.param;
    tensor.group = group_index;
    choose_formats(tensor, settings.state, settings.weights);
    tensor.seed = dither_seed(settings.seed, tensor.name);
    if (param.param.size > 0) {
      const auto* begin = static_cast<const std::byte*>(param.param.data);
      addresses.emplace_back(begin + param.param.size * info(param.param.format).bytes,
                             tensors.size() + added.size() - 1);
    }
  }
  std::sort(addresses.begin(), addresses.end());
  const auto tensor_at = [&](std::size_t i) -> const TensorState& {
    return i < tensors.size() ? tensors[i] : added[i - tensors.size()];
  };
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    const TensorState& tensor = tensor_at(addresses[i].second);
    if (static_cast<const std::byte*>(tensor.param.data) < addresses[i - 1].first) {
      refuse(ErrorCode::duplicate, "parameters " + in_quotes(tensor_at(addresses[i - 1].second).name) + " and " +
                                       in_quotes(tensor.name) + " share memory");
    }
  }
  for (TensorState& tensor : added) {
    tensor.own = allocate(tensor, state.variant);
    fill_initial(tensor, state);
  }
  const std::size_t old_count = tensors.size();
  auto old_names = std::exchange(tensor_by_name, std::move(names));
  auto old_addresses = std::exchange(params_by_address, std::move(addresses));
  try {
    groups.push_back(state);
    tensors.reserve(old_count + added.size());
    for (TensorState& tensor : added) tensors.push_back(std::move(tensor));
    for (std::size_t i = 0; i < group.params.size(); ++i) set_grad(old_count + i, group.params[i].grad);
    for (std::size_t i = 0; i < old_count; ++i) check_no_overlap(gradient_of(tensors[i]), tensors[i].grad.values);
  } catch (...) {
    groups.resize(group_index);
    tensors.resize(old_count);
    tensor_by_name = std::move(old_names);
    params_by_address = std::move(old_addresses);
    throw;
  }
  return group_index;
}

void Optimizer::Impl::check_no_overlap(const std::string& what, const Tensor& grad) const {
  if (grad.size == 0) return;
  const auto* from = static_cast<const std::byte*>(grad.data);
  const std::size_t bytes = grad.size * info(grad.format).bytes;
  // The first parameter that ends behind `from` is the only one that can contain it or be the first to follow.
  const auto next = std::upper_bound(params_by_address.begin(), params_by_address.end(), from,
                                     [](const std::byte* at, const auto& entry) { return at < entry.first; });
  if (next == params_by_address.end()) return;
  const TensorState& tensor = tensors[next->second];
  if (static_cast<const std::byte*>(tensor.param.data) < from + bytes) {
    refuse(ErrorCode::duplicate, what + " shares memory with parameter " + in_quotes(tensor.name));
  }
}

void Optimizer::Impl::set_grad(std::size_t index, Tensor grad) {
  TensorState& tensor = tensors[index];
  if (grad.data == nullptr && grad.size == 0) {
    tensor.grad = {};
    return;
  }
  const std::string what = gradient_of(tensor);
  check_memory(what, grad);
  if (grad.size != tensor.param.size) {
    refuse(ErrorCode::mismatch, what + " has " + std::to_string(grad.size) + " elements but the parameter has " +
                                    std::to_string(tensor.param.size));
  }
  check_formats(tensor.name, tensor.param.format, grad.format);
  check_no_overlap(what, grad);
  tensor.grad = {grad, false, {}};
}

void Optimizer::Impl::set_lazy_rows(std::size_t index, std::span<const std::int64_t> rows, Tensor values) {
  TensorState& tensor = tensors[index];
  const std::string what = "row gradient of " + in_quotes(tensor.name);
  const std::size_t width = tensor.row_width();
  if (width == 0) {
    refuse(ErrorCode::mismatch, what + ": the tensor must have a shape [rows, width...], has [" +
                                    listed(tensor.shape, [](std::size_t n) { return std::to_string(n); }) + "]");
  }
  check_rows_of_groups(tensor);
  check_memory(what, values);
  if (rows.size() > std::numeric_limits<std::size_t>::max() / width || values.size != rows.size() * width) {
    refuse(ErrorCode::mismatch, what + " has " + std::to_string(values.size) + " values but " +
                                    std::to_string(rows.size()) + " rows of " + std::to_string(width) + " elements");
  }
  check_formats(tensor.name, tensor.param.format, values.format);
  check_no_overlap(what, values);
  tensor.grad = {values, true, rows};
}

std::size_t Optimizer::Impl::index_of_name(std::string_view name) const {
  const auto found = tensor_by_name.find(std::string(name));
  if (found == tensor_by_name.end()) {
    refuse(ErrorCode::not_found, "no tensor " + printable(name) + " in this optimizer");
  }
  return found->second;
}

void Optimizer::Impl::check_tensor(std::size_t tensor) const {
  if (tensor < tensors.size()) return;
  refuse(ErrorCode::not_found,
         "no tensor " + std::to_string(tensor) + ": the optimizer has " + std::to_string(tensors.size()) + " tensors");
}

void Optimizer::Impl::check_group(std::size_t group) const {
  if (group < groups.size()) return;
  refuse(ErrorCode::not_found, "no parameter group " + std::to_string(group) + ": the optimizer has " +
                                   std::to_string(groups.size()) + " groups");
}

Optimizer::Optimizer(Rule rule, std::vector<Param> params, const Options& options, const Settings& settings)
    : impl_(std::make_unique<Impl>(rule, options, settings)) {
  impl().add_group({std::move(params)});
}

Optimizer::Optimizer(Rule rule, std::vector<ParamGroup> groups, const Options& options, const Settings& settings)
    : impl_(std::make_unique<Impl>(rule, options, settings)) {
  if (groups.empty()) refuse(ErrorCode::invalid_argument, "optimizer got an empty parameter list");
  for (ParamGroup& group : groups) impl().add_group(std::move(group));
}

Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;

Optimizer::Impl& Optimizer::impl() const { return held(impl_, "optimizer"); }

StepReport Optimizer::step(const StepOptions& options) { return impl().step(options); }
void Optimizer::begin_step(const StepOptions& options) { impl().begin_step(options); }
bool Optimizer::step_tensor(std::string_view name) {
  const Exclusive exclusive = impl().enter_during_step("step_tensor");
  return impl().step_tensor(impl().index_of_name(name));
}
bool Optimizer::step_tensor(std::size_t tensor) {
  const Exclusive exclusive = impl().enter_during_step("step_tensor");
  return impl().step_tensor(tensor);
}
bool Optimizer::step_tensor(std::string_view name, Tensor grad) {
  const Exclusive exclusive = impl().enter_during_step("step_tensor");
  return impl().step_tensor(impl().index_of_name(name), grad);
}
bool Optimizer::step_tensor(std::size_t tensor, Tensor grad) {
  const Exclusive exclusive = impl().enter_during_step("step_tensor");
  return impl().step_tensor(tensor, grad);
}
StepReport Optimizer::end_step() { return impl().end_step(); }

void Optimizer::zero_grad() {
  const Exclusive exclusive = impl().enter_during_step("zero_grad");
  for (const TensorState& tensor : impl().tensors) {
    if (tensor.grad.present() && !tensor.grad.values.writable) {
      refuse(ErrorCode::invalid_argument,
             "gradient of " + in_quotes(tensor.name) + " is read-only: zero_grad cannot clear it");
    }
  }
  for (const TensorState& tensor : impl().tensors) {
    const Tensor& values = tensor.grad.values;
    if (values.size > 0) std::memset(values.data, 0, values.size * info(values.format).bytes);
  }
}

void Optimizer::set_grad(std::string_view name, Tensor grad) {
  const Exclusive exclusive = impl().enter_during_step("set_grad");
  impl().set_grad(impl().index_of_name(name), grad);
}

void Optimizer::set_grad(std::size_t tensor, Tensor grad) {
  const Exclusive exclusive = impl().enter_during_step("set_grad");
  impl().check_tensor(tensor);
  impl().set_grad(tensor, grad);
}

void Optimizer::set_lazy_row_grad(std::string_view name, std::span<const std::int64_t> rows, Tensor values) {
  const Exclusive exclusive = impl().enter_during_step("set_lazy_row_grad");
  impl().set_lazy_rows(impl().index_of_name(name), rows, values);
}

void Optimizer::set_lazy_row_grad(std::size_t tensor, std::span<const std::int64_t> rows, Tensor values) {
  const Exclusive exclusive = impl().enter_during_step("set_lazy_row_grad");
  impl().check_tensor(tensor);
  impl().set_lazy_rows(tensor, rows, values);
}

std::size_t Optimizer::add_param_group(ParamGroup group) {
  const Exclusive exclusive = impl().enter("add_param_group");
  return impl().add_group(std::move(group));
}

std::size_t Optimizer::group_count() const { return impl().groups.size(); }

const Options& Optimizer::options(std::size_t group) const {
  impl().check_group(group);
  return impl().groups[group].options;
}

void Optimizer::set_options(std::size_t group, const Options& changes) {
  const Exclusive exclusive = impl().enter("set_options");
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
  const Exclusive exclusive = impl().enter("set_lr");
  // All are checked before one is changed.
  std::vector<Options> resolved;
  for (const GroupState& group : impl().groups) resolved.push_back(resolve(group.rule(), group.options, {.lr = lr}));
  for (std::size_t i = 0; i < resolved.size(); ++i) impl().groups[i].options = resolved[i];
}

const Settings& Optimizer::settings() const { return impl().settings; }

void Optimizer::set_settings(const Settings& settings) {
  const Exclusive exclusive = impl().enter("set_settings");
  check_settings(settings);
  const Settings& own = impl().settings;
  if (settings.state != own.state || settings.weights != own.weights || settings.seed != own.seed ||
      settings.threads != own.threads) {
    refuse(ErrorCode::mismatch, "formats, seed and threads of an optimizer are not changed by set_settings");
  }
  impl().settings = settings;
}

Rule Optimizer::rule(std::size_t group) const {
  impl().check_group(group);
  return impl().groups[group].rule();
}
std::uint64_t Optimizer::steps() const { return impl().steps; }
std::size_t Optimizer::tensor_count() const { return impl().tensors.size(); }

TensorInfo Optimizer::tensor(std::size_t index) const {
  impl().check_tensor(index);
  const TensorState& tensor = impl().tensors[index];
  return {tensor.name, tensor.shape,        tensor.param.size,   tensor.group,
          tensor.step, tensor.param.format, tensor.state_format, tensor.weight_format};
}

std::size_t Optimizer::tensor_index(std::string_view name) const { return impl().index_of_name(name); }

}  // namespace adamant
