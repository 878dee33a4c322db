// What the moments are doing: sums taken inside the step, in its own pass over memory, tensor by tensor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
/// Added in f32 within blocks of 256 elements, in f64 beyond, always in the same tree: the same bits on every
/// instruction set and thread count. Squares are in f32, as v itself: below about 1e-19 they lose bits, beyond 1e19
/// they are not finite.
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
  double rr = 0.0;     ///< Σ (g·r)²
  double r = 0.0;      ///< Σ r
};

/// About the scales, from a sample of the blocks that moves on from step to step. v̂ is the second moment after bias
/// correction; a rule without one leaves all zero.
struct ScaleSample {
  static constexpr std::size_t kBins = 64;
  std::uint64_t elements = 0;    ///< looked at
  std::uint64_t zero_grads = 0;  ///< of them with g = 0
  std::uint64_t scaled = 0;      ///< of them with v̂ > 0
  double log_sum = 0.0;          ///< Σ log2 √v̂ over these
  double log_sq_sum = 0.0;       ///< Σ (log2 √v̂)² over these
  /// Bin 0: v̂ = 0. Bin k: √v̂ in [2^(k-54), 2^(k-53)); the first and the last of these take what lies beyond.
  std::array<std::uint32_t, kBins> bins{};
};

/// One element of a tensor, followed through the run.
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

/// Give one to step() (StepOptions::statistics) to have it filled; without one the step does nothing of this. The
/// weights are the same bits either way.
struct Statistics {
  /// Settings. Observe one block of 256 elements in so many, moving on from step to step: 1 takes all. Sums are then
  /// over the observed elements alone.
  std::uint32_t observe_every = 1;
  /// The sample of ScaleSample: one block in so many (of every tensor at least one); 0 takes none.
  std::uint32_t sample_every = 64;
  /// Elements followed in each tensor, evenly spread.
  std::uint32_t probes = 8;

  /// Filled by the step: the tensors that were updated, in order; empty where the step was not applied.
  std::vector<TensorStatistics> tensors;
};

}  // namespace adamant
