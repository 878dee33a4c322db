// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A plot as SVG, for documents: small, and legible on a light and on a dark page.
#pragma once

#include <string>

#include "claim/plot.h"

namespace adamant::claim {

[[nodiscard]] std::string svg(const Plot& plot);

}  // namespace adamant::claim
