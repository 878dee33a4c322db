// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The loops for AVX-512. Compiled for it; an empty file on other architectures.
#if defined(__AVX512F__)

#include <immintrin.h>

#include "bench/loops.h"

namespace adamant::bench::avx512 {

constexpr char kName[] = "AVX-512";
using F = __m512;
// Not _mm512_sqrt_ps: g++ 12 warns of an uninitialised variable in its header (bug 105593).
inline F root(F x) { return _mm512_maskz_sqrt_ps(0xFFFF, x); }

#include "bench/loops-inl.h"

extern const Loops kSet;
const Loops kSet = kLoops;

}  // namespace adamant::bench::avx512

#endif
