// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Groups of elements that share an exponent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adamant {

/// Elements of a Q8 group.
inline constexpr std::size_t kGroup = 128;

/// A group's exponent byte is the biased exponent of its codes' offset, or this one.
inline constexpr std::uint8_t kAllZero = 0;
/// The code of what is not finite, in a group with an offset. No finite number has it.
inline constexpr std::uint8_t kNotFinite = 0xFF;

}  // namespace adamant
