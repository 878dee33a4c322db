// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Every stride of gradients up to 10,000, and every element.
#include <gtest/gtest.h>

#include <numeric>

#include "bench/fidelity.h"

namespace adamant::fidelity {
namespace {

TEST(FidelityDeep, NoStrideOfGradientsMovesWithTheDither) {
  std::vector<std::uint64_t> strides(10'000);
  std::iota(strides.begin(), strides.end(), std::uint64_t{1});
  for (const Rounded what : kRounded) {
    const std::vector<Deviation> found = strided(what, strides);
    double square = 0.0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
      EXPECT_LT(found[i].most, 5.0) << name_of(what) << ", every " << strides[i] << " steps";
      square += found[i].rms * found[i].rms / static_cast<double>(strides.size());
    }
    EXPECT_NEAR(square, 1.0, 0.03) << name_of(what);
  }
}

}  // namespace
}  // namespace adamant::fidelity
