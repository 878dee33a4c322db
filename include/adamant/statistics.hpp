// What the moments are doing: sums taken inside the step, in its own pass over memory, tensor by tensor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace adamant {

/// Sums over the elements of a tensor in one step. Notation, per element at step t:
///   g   gradient as the rule gets it: unscaled, clipped, negated where maximized; with weight decay only where the
///       rule's gradient has it (Adam, SGD, RMSprop, Adagrad)
///   m   first moment after the step, m_old before it; a rule without one (RMSprop, Adagrad, SGD without momentum) has
///       m = g and m_old = 0
///   r   1 / (√v̂ + ε), the scale the second moment gives; 1 for a rule without one
///   u   the update in units of the learning rate, without decoupled decay: m̂·r for AdamW
///   w   weight before the step
/// Moments are taken as the rule computes them, before a narrow format rounds them. Added in f32 within blocks of 256
/// elements, in f64 beyond (all in f64 for f64 parameters), always in the same order: the same bits on every
/// instruction set and thread count. In f32 squares lose bits where the numbers are below about 1e-19, as those in v
/// do, and are not finite where they are beyond 1e19.
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

/// About the scales, from a sample of the blocks that moves on from step to step: add them up over some steps. v̂ is the
/// second moment (of amsgrad, the one that can fall) after bias correction; a rule without one has only the first two.
/// Logarithms are off by less than 0.003 octaves.
struct ScaleSample {
  static constexpr std::size_t kBins = 64;
  std::uint64_t elements = 0;    ///< looked at
  std::uint64_t zero_grads = 0;  ///< of them with g = 0
  std::uint64_t scaled = 0;      ///< of them with v̂ > 0
  double log_sum = 0.0;          ///< Σ log2 √v̂ over these
  double log_sq_sum = 0.0;       ///< Σ (log2 √v̂)² over these
  /// Bin 0: v̂ = 0. Bin k: √v̂ in [2^(k-54), 2^(k-53)); the first and the last of these take what lies beyond.
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

/// One element of a tensor, followed through the run. g, m, u and w as in MomentSums. A lazy row gradient that does not
/// touch it leaves all but `element` 0.
struct Probe {
  std::size_t element = 0;
  float g = 0.0F, m = 0.0F, v = 0.0F;  ///< v as stored, without bias correction; 0 where there is none
  float u = 0.0F, w = 0.0F;
};

/// One tensor in one step.
struct TensorStatistics {
  std::size_t tensor = 0;      ///< index, as Optimizer::tensor takes it
  std::uint64_t step = 0;      ///< of this tensor, counted from 1
  std::uint64_t elements = 0;  ///< the sums are over
  MomentSums sums;
  ScaleSample scales;
  std::vector<Probe> probes;  ///< the same elements in every step
};

/// Give one to step() or begin_step() (StepOptions::statistics) to have it filled; without one the step does nothing of
/// this. The weights are the same bits either way.
struct Statistics {
  /// Settings. The sums take one block of 256 elements in so many, other ones in each step: 1 takes all; more is
  /// cheaper, and a tensor of fewer blocks is then left out of some steps, with `elements` 0. 0 takes about 64 blocks
  /// of each tensor (of the touched rows, where the gradient is rows), all of a small one: what is seen of a large
  /// model costs little, and no tensor is ever left out.
  std::uint32_t observe_every = 0;
  /// The sample of ScaleSample: one block in so many, but at least one of each tensor (of touched rows: about one); 0
  /// takes none.
  std::uint32_t sample_every = 256;
  /// Elements followed in each tensor, evenly spread; all of a tensor that has fewer.
  std::uint32_t probes = 8;

  /// Filled by the step: the tensors that were updated, in order; empty where the step was not applied.
  std::vector<TensorStatistics> tensors;
};

}  // namespace adamant
