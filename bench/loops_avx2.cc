// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The loops for AVX2. Compiled for it; an empty file on other architectures.
#if defined(__AVX2__)

#include <immintrin.h>

#include "bench/loops.h"

namespace adamant::bench::avx2 {

constexpr char kName[] = "AVX2";
using F = __m256;
inline F root(F x) { return _mm256_sqrt_ps(x); }

#include "bench/loops-inl.h"

extern const Loops kSet;
const Loops kSet = kLoops;

}  // namespace adamant::bench::avx2

#endif
