// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The one place the version is written; the build reads it from here.
#pragma once

#define ADAMANT_VERSION_MAJOR 0
#define ADAMANT_VERSION_MINOR 1
#define ADAMANT_VERSION_PATCH 0

#include <adamant/export.h>

#include <string_view>

namespace adamant {

/// Version of the library that is linked: "0.1.0".
[[nodiscard]] ADAMANT_EXPORT std::string_view version() noexcept;
/// Id of the numbers that stochastic rounding adds: "dither-2". Like a formula id (StateDict), another one means other
/// bits.
[[nodiscard]] ADAMANT_EXPORT std::string_view dither_id() noexcept;

}  // namespace adamant
