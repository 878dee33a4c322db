// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What is refused of the user's input, before anything changes. Texts are made only where something is refused.
#pragma once

#include <adamant/error.hpp>
#include <string>
#include <string_view>

#include "optim/tensor_state.h"

namespace adamant {

[[noreturn]] inline void refuse(ErrorCode code, const std::string& message) { throw Error(code, message); }

/// Names of things as errors have them.
[[nodiscard]] std::string param_text(const TensorState& tensor);
[[nodiscard]] std::string gradient_text(const TensorState& tensor);
[[nodiscard]] std::string row_gradient_text(const TensorState& tensor);
[[nodiscard]] std::string state_text(const TensorState& tensor, std::string_view state);
[[nodiscard]] std::string matrix_text(const Tensor::Matrix& matrix);
[[nodiscard]] std::string shape_text(const std::vector<std::size_t>& shape);
using Naming = std::string (*)(const TensorState& tensor);

void check_name(std::string_view name);
[[nodiscard]] Rule checked(Rule rule);
/// Whether so many bytes lie behind that address.
[[nodiscard]] bool fits_address_space(const void* data, std::size_t bytes);
/// Refuses memory that is null, misaligned, with gaps, or that reaches beyond the address space.
void check_memory(Naming naming, const TensorState& tensor, const Tensor& memory);
/// f64 is computed in f64, everything else in f32.
void check_formats(const TensorState& tensor, Format grad);
/// Refuses a shape whose product is not the number of elements, or that is not the matrix's.
void check_shape(const TensorState& tensor, const std::vector<std::size_t>& shape);
/// Refuses a gradient whose matrix has another shape or storage order than the parameter's, where both are known.
void check_layout(const TensorState& tensor, const Tensor& grad);
/// Refuses row gradients where rows share groups of the states.
void check_rows_of_groups(const TensorState& tensor);
void check_settings(const Settings& settings);
void check_step_options(const StepOptions& options);

}  // namespace adamant
