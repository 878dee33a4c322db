// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The loops for what every CPU of the architecture has: SSE2 or NEON.
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "bench/loops.h"

namespace adamant::bench::baseline {

#if defined(__SSE2__)
constexpr char kName[] = "SSE2";
using F = __m128;
inline F root(F x) { return _mm_sqrt_ps(x); }
#elif defined(__ARM_NEON)
constexpr char kName[] = "NEON";
using F = float32x4_t;
inline F root(F x) { return vsqrtq_f32(x); }
#else
constexpr char kName[] = "portable";
using F [[gnu::vector_size(16)]] = float;
inline F root(F x) {
  for (int i = 0; i < 4; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
#endif

#include "bench/loops-inl.h"

extern const Loops kSet;
const Loops kSet = kLoops;

}  // namespace adamant::bench::baseline
