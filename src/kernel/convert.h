// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Runs of elements between formats.
#pragma once

#include <adamant/format.hpp>
#include <cstddef>

namespace adamant {

/// n elements as f64. Exact from every format.
void to_f64(const void* from, Format format, std::size_t n, double* to);

}  // namespace adamant
