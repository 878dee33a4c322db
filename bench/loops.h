// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a step is compared with: loops that do not use the library. One set for each vector width this CPU may have.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace adamant::bench {

inline constexpr std::size_t kMaxStates = 3;
inline constexpr std::size_t kPasses = 8;

/// The memory of a step: parameter, the bits below it and states are read and written, the gradient is read.
struct Streams {
  void* param = nullptr;
  void* low = nullptr;
  const void* grad = nullptr;
  void* states[kMaxStates] = {};
  std::size_t param_bytes = 4, low_bytes = 0, grad_bytes = 4, state_bytes = 4;  ///< of one element
  std::size_t state_count = 0;
};

/// The numbers of an AdamW step that are the same for all elements.
struct AdamwScalars {
  float b1, c1, b2, c2, keep, step, scale, eps;
};
[[nodiscard]] AdamwScalars adamw_scalars(double lr, double beta1, double beta2, double eps, double weight_decay,
                                         std::uint64_t t);

/// Memory of the f32 rivals. `denominator` is the temporary that the unfused passes need.
struct AdamwMemory {
  float* p;
  const float* g;
  float* m;
  float* v;
  float* denominator;
};

/// What a pass over one or two tensors saw; each kind of pass fills its own numbers.
struct Seen {
  double sum = 0.0;  ///< Σ x
  double xx = 0.0, xy = 0.0, yy = 0.0;
  double least = HUGE_VAL;  ///< min |x|
  double largest = 0.0;     ///< max |x|

  /// Of both.
  void add(const Seen& other) {
    sum += other.sum;
    xx += other.xx;
    xy += other.xy;
    yy += other.yy;
    least = std::min(least, other.least);
    largest = std::max(largest, other.largest);
  }
};

/// Every loop works on elements [first, first + n).
struct Loops {
  const char* name;
  /// Loads and stores what a step loads and stores, and computes nothing: what is stored is what was loaded, combined
  /// with `nothing`, a zero that the compiler does not know. Returns something made of the gradient, so that its loads
  /// stay. Null where no step has such element sizes.
  using Ceiling = std::uint64_t (*)(const Streams&, std::size_t first, std::size_t n, std::uint8_t nothing);
  Ceiling (*ceiling)(const Streams&);
  /// The same for a look at the gradient: only loads it.
  Ceiling (*look)(const Streams&);
  /// AdamW as well as one can write it by hand: one pass, unrolled, fused multiply-add, no promise on bits.
  void (*plain)(const AdamwScalars&, const AdamwMemory&, std::size_t first, std::size_t n);
  /// AdamW as a framework without a fused step does it: eight passes over memory, 80 bytes a parameter.
  void (*passes[kPasses])(const AdamwScalars&, const AdamwMemory&, std::size_t first, std::size_t n);
  /// What a training loop that looks at the moments after the step does: stores the step in `denominator`, and makes
  /// numbers of tensors, one kind in a pass. `y` is for the cosine alone.
  void (*update)(const AdamwScalars&, const AdamwMemory&, std::size_t first, std::size_t n);
  using Reduction = Seen (*)(const float* x, const float* y, std::size_t first, std::size_t n);
  Reduction norm, cosine, average, least, largest;
};

/// The sets that are worth trying on this CPU, widest first.
[[nodiscard]] std::span<const Loops* const> loops();

/// AdamW as one writes it down, compiled with -O2.
void naive_adamw(float* p, const float* g, float* m, float* v, std::size_t n, float lr, float beta1, float beta2,
                 float eps, float weight_decay, std::uint64_t t);

}  // namespace adamant::bench
