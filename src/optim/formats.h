// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which formats a tensor is kept in.
#pragma once

#include <adamant/format.hpp>
#include <cstdint>
#include <string_view>

#include "optim/tensor_state.h"

namespace adamant {

/// Sets the formats of a tensor that the settings ask for; refuses those that do not go with its parameter.
void choose_formats(TensorState& tensor, StateFormat state, WeightFormat weights);
/// Of a tensor of that name, from the seed of the settings.
[[nodiscard]] std::uint32_t dither_seed(std::uint64_t seed, std::string_view name);

}  // namespace adamant
