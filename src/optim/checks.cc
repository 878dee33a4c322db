// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/checks.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "kernel/kernels.h"

namespace adamant {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr int kMaxThreads = 1024;

// An enumerator from outside may hold any number.
template <class E>
bool known(E value, std::size_t count) {
  return static_cast<std::size_t>(value) < count;
}
template <class E>
[[noreturn]] void refuse_enumerator(const std::string& what, E value, std::size_t count) {
  refuse(ErrorCode::invalid_argument, what + " is number " + std::to_string(static_cast<std::size_t>(value)) +
                                          " of its enumeration, which has " + std::to_string(count));
}

void check_positive(const char* name, const std::optional<double>& value) {
  if (!value || (*value > 0.0 && *value <= static_cast<double>(std::numeric_limits<float>::max()))) return;
  refuse(ErrorCode::invalid_argument,
         std::string("Invalid ") + name + ": " + text(*value) + " (must be a finite f32 number > 0)");
}

}  // namespace

std::string param_text(const TensorState& tensor) { return "parameter " + in_quotes(tensor.name); }
std::string gradient_text(const TensorState& tensor) { return "gradient of " + in_quotes(tensor.name); }
std::string row_gradient_text(const TensorState& tensor) { return "row gradient of " + in_quotes(tensor.name); }
std::string state_text(const TensorState& tensor, std::string_view state) {
  return "state " + in_quotes(state) + " of tensor " + in_quotes(tensor.name);
}
std::string shape_text(const std::vector<std::size_t>& shape) {
  return "[" + listed(shape, [](std::size_t n) { return std::to_string(n); }) + "]";
}

std::string matrix_text(const Tensor::Matrix& matrix) {
  return std::to_string(matrix.rows) + " x " + std::to_string(matrix.columns) + " matrix stored by " +
         (matrix.by_rows ? "rows" : "columns");
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

Rule checked(Rule rule) {
  if (!known(rule, rules().size())) refuse_enumerator("rule", rule, rules().size());
  return rule;
}

bool fits_address_space(const void* data, std::size_t bytes) {
  return bytes <= std::numeric_limits<std::uintptr_t>::max() - reinterpret_cast<std::uintptr_t>(data);
}

void check_memory(Naming naming, const TensorState& tensor, const Tensor& memory) {
  const auto invalid = [&](const std::string& rule) { refuse(ErrorCode::invalid_argument, naming(tensor) + rule); };
  if (!known(memory.format, formats().size())) {
    refuse_enumerator("format of " + naming(tensor), memory.format, formats().size());
  }
  const std::size_t bytes = info(memory.format).bytes;
  if (memory.data == nullptr && memory.size > 0) {
    invalid(" is null but has " + counted(memory.size, "element"));
  }
  if (memory.size > std::numeric_limits<std::size_t>::max() / 2 / bytes) {
    invalid(" has " + counted(memory.size, "element") + " of " + std::to_string(bytes) +
            " bytes: more than can be addressed");
  }
  if (!fits_address_space(memory.data, memory.size * bytes)) invalid(" reaches beyond the address space");
  if (reinterpret_cast<std::uintptr_t>(memory.data) % bytes != 0) {
    invalid(" is misaligned: its address must be a multiple of " + std::to_string(bytes) + " bytes (" +
            std::string(info(memory.format).name) + ")");
  }
  if (!memory.contiguous) invalid(" has gaps between its elements: must be contiguous");
}

void check_formats(const TensorState& tensor, Format grad) {
  const Format param = tensor.param.format;
  if ((param == Format::f64) == (grad == Format::f64)) return;
  refuse(ErrorCode::mismatch, gradient_text(tensor) + " is " + std::string(info(grad).name) + " but its parameter is " +
                                  std::string(info(param).name) + ": f64 goes with f64 only");
}

void check_shape(const TensorState& tensor, const std::vector<std::size_t>& shape) {
  if (shape.empty()) return;
  std::size_t product = 1;
  bool overflow = false;
  for (const std::size_t extent : shape) {
    overflow = overflow || (extent != 0 && product > std::numeric_limits<std::size_t>::max() / extent);
    product *= extent;
  }
  const auto mismatch = [&](const std::string& why) {
    refuse(ErrorCode::mismatch, "shape of " + in_quotes(tensor.name) + " is " + shape_text(shape) + why);
  };
  if (overflow || product != tensor.param.size) {
    mismatch(" but it has " + counted(tensor.param.size, "element"));
  }
  const Tensor::Matrix& matrix = tensor.param.matrix;
  if (matrix.known() && matrix.by_rows && shape.size() == 2 &&
      (shape[0] != matrix.rows || shape[1] != matrix.columns)) {
    mismatch(" but it is a " + matrix_text(matrix));
  }
}

void check_layout(const TensorState& tensor, const Tensor& grad) {
  const Tensor::Matrix& own = tensor.param.matrix;
  if (!own.known() || !grad.matrix.known() || own == grad.matrix) return;
  // A matrix of one row or column is the same in either order, and a vector whichever way it lies.
  const auto is_vector = [](const Tensor::Matrix& m) { return m.rows <= 1 || m.columns <= 1; };
  if (is_vector(own) && is_vector(grad.matrix)) return;
  refuse(ErrorCode::mismatch,
         gradient_text(tensor) + " is a " + matrix_text(grad.matrix) + " but the parameter is a " + matrix_text(own));
}

void check_settings(const Settings& settings) {
  if (!known(settings.state, state_formats().size()))
    refuse_enumerator("state format", settings.state, state_formats().size());
  if (!known(settings.weights, weight_formats().size()))
    refuse_enumerator("weight format", settings.weights, weight_formats().size());
  if (!known(settings.nonfinite, 3)) refuse_enumerator("nonfinite policy", settings.nonfinite, 3);
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
  const StateFormatInfo& format = info(tensor.state_format);
  if (width % format.group == 0) return;
  refuse(ErrorCode::mismatch, row_gradient_text(tensor) + ": its rows have " + counted(width, "element") + "; " +
                                  std::string(format.name) + " states need a multiple of " +
                                  std::to_string(format.group) + ", so that no group is shared between rows");
}

void check_step_options(const StepOptions& options) {
  const double scale = options.grad_scale;
  if (scale >= 0x1p-126 && scale <= 0x1p126) return;
  refuse(ErrorCode::invalid_argument, "Invalid grad_scale: " + text(scale) + " (must be in [2^-126, 2^126])");
}

}  // namespace adamant
