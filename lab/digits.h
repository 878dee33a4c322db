// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Handwritten digits; source and licence in data/README.md.
#pragma once

#include <vector>

#include "lab/matrix.h"

namespace adamant::lab {

struct Digits {
  Matrix<float> images;     ///< one image of 8x8 pixels a row, each in [0, 1]: number of set dots of 4x4, over 16
  std::vector<int> labels;  ///< 0 to 9
};

/// All 1,797, in the order of the file. They are part of the program: no file is read.
[[nodiscard]] Digits load_digits();

}  // namespace adamant::lab
