// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the moments are doing: sums over each tensor, computed inside the step, in its own pass over memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace adamant {

/// Sums over the elements of a tensor in one step. Notation, per element at step t:
///   g   the gradient that the rule gets: unscaled, clipped, negated for `maximize`; with weight decay if the rule adds
///       the decay to the gradient (Adam, SGD, RMSprop, Adagrad)
///   m   first moment after the step, m_old before it; a rule without one (RMSprop, Adagrad, SGD without momentum) has
///       m = g and m_old = 0
///   r   1 / (√v̂ + ε), the scale that the second moment gives; 1 for a rule without one
///   u   the update in units of the learning rate, without decoupled decay: m̂·r for AdamW
///   w   weight before the step
/// The moments are those that the rule computes, before a narrow format rounds them. Sums are added in f32 within
/// blocks of 256 elements and in f64 beyond (all in f64 for f64 parameters), always in the same order: they are
/// bit-identical on every instruction set and thread count. In f32, squares of numbers below about 1e-19 lose bits, as
/// they do in v, and squares of numbers beyond 1e19 are not finite.
struct MomentSums {
  double gg = 0.0;     ///< Σ g²
  double mm = 0.0;     ///< Σ m²
  double mg = 0.0;     ///< Σ m_old·g
  double uu = 0.0;     ///< Σ u²
  double max_u = 0.0;  ///< max |u|
  double gu = 0.0;     ///< Σ g·u
  double mu = 0.0;     ///< Σ m·u
  double ww = 0.0;     ///< Σ w²
  double wu = 0.0;     ///< Σ w·u
  double grgr = 0.0;   ///< Σ (g·r)²
  double r = 0.0;      ///< Σ r
};

/// What is known about one of them.
struct SumInfo {
  double MomentSums::* field;
  std::string_view name;   ///< that of the field: "gg"
  std::string_view terms;  ///< what is summed: "g²"
  bool scaled;             ///< is made of u or r
  bool largest;            ///< sums are joined by taking the larger one, not added
};

/// All of them, in the order of the fields, which is also that of run logs.
inline constexpr std::array kMomentSums = {
    SumInfo{&MomentSums::gg, "gg", "g²", false, false},      SumInfo{&MomentSums::mm, "mm", "m²", false, false},
    SumInfo{&MomentSums::mg, "mg", "m_old·g", false, false}, SumInfo{&MomentSums::uu, "uu", "u²", true, false},
    SumInfo{&MomentSums::max_u, "max_u", "|u|", true, true}, SumInfo{&MomentSums::gu, "gu", "g·u", true, false},
    SumInfo{&MomentSums::mu, "mu", "m·u", true, false},      SumInfo{&MomentSums::ww, "ww", "w²", false, false},
    SumInfo{&MomentSums::wu, "wu", "w·u", true, false},      SumInfo{&MomentSums::grgr, "grgr", "(g·r)²", true, false},
    SumInfo{&MomentSums::r, "r", "r", true, false},
};

/// The scales in v, from a sample of blocks that changes from step to step; add samples up over several steps. v̂ is the
/// second moment after bias correction (with amsgrad, the one that can fall). A rule without a second moment fills only
/// the first two fields. Logarithms have an error of less than 0.003 octaves.
struct ScaleSample {
  static constexpr std::size_t kBins = 64;
  std::uint64_t elements = 0;    ///< number of elements in the sample
  std::uint64_t zero_grads = 0;  ///< number of those with g = 0
  std::uint64_t scaled = 0;      ///< number of those with v̂ > 0
  double log_sum = 0.0;          ///< Σ log2 √v̂ over the elements with v̂ > 0
  double log_sq_sum = 0.0;       ///< Σ (log2 √v̂)² over the same
  /// Bin 0 counts v̂ = 0, bin k counts √v̂ in [2^(k-54), 2^(k-53)); bins 1 and 63 also count what lies beyond.
  std::array<std::uint32_t, kBins> bins{};

  ScaleSample& operator+=(const ScaleSample& other) {
    elements += other.elements;
    zero_grads += other.zero_grads;
    scaled += other.scaled;
    log_sum += other.log_sum;
    log_sq_sum += other.log_sq_sum;
    for (std::size_t bin = 0; bin < kBins; ++bin) bins[bin] += other.bins[bin];
    return *this;
  }
};

/// One element of a tensor, followed through the run; g, m, u and w are as in MomentSums. If a sparse gradient does not
/// touch the element, all fields but `element` are 0.
struct Probe {
  std::size_t element = 0;
  float g = 0.0F, m = 0.0F, v = 0.0F;  ///< v without bias correction; 0 if the rule has none
  float u = 0.0F, w = 0.0F;
};

/// One tensor in one step.
struct TensorStatistics {
  std::size_t tensor = 0;      ///< index, as Optimizer::tensor takes it
  std::uint64_t step = 0;      ///< step of this tensor, counted from 1
  std::uint64_t elements = 0;  ///< number of elements in the sums
  MomentSums sums;
  ScaleSample scales;
  std::vector<Probe> probes;  ///< the same elements in every step
};

/// Filled by step() or begin_step() if it is passed there (StepOptions::statistics). The weights are bit-identical with
/// and without it.
struct Statistics {
  /// Setting: the sums observe one in `observe_every` blocks of 256 elements, different ones in each step. 1 observes
  /// all blocks. A higher number is cheaper, but leaves a tensor of fewer blocks out of some steps, with `elements` 0.
  /// 0 observes one block in 32 of each tensor (of its touched rows, if the gradient is sparse), but at least two, and
  /// of a tensor of more than half a million elements about 64: this costs little, and never leaves a tensor out.
  std::uint32_t observe_every = 0;
  /// Setting: ScaleSample takes one in `sample_every` blocks. Of a tensor of fewer blocks it takes as small a part of
  /// one block, but at least one element in 8 (of touched rows: of about one block). 0 takes none.
  std::uint32_t sample_every = 256;
  /// Setting: number of elements followed in each tensor, evenly spread; all of a tensor that has fewer.
  std::uint32_t probes = 8;

  /// Filled by the step: the tensors that were updated, in order; empty if the step was not applied.
  std::vector<TensorStatistics> tensors;
};

}  // namespace adamant
