// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Groups of elements that share an exponent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adamant {

/// Elements of a Q8 group.
inline constexpr std::size_t kGroup = 128;

/// A group's exponent byte is the biased exponent of its codes' offset, or one of these.
inline constexpr std::uint8_t kAllZero = 0;
inline constexpr std::uint8_t kNotFinite = 255;

}  // namespace adamant
