// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The ways in which rules remember gradients, for their models.
#pragma once

#include <adamant/model.hpp>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/scalars.h"

namespace adamant {

/// Σ q^k over k < count.
inline double geometric(double q, std::uint64_t count) {
  const auto n = static_cast<double>(count);
  return q == 1.0 ? n : (1.0 - std::pow(q, n)) / (1.0 - q);
}

/// m ← β·m + (1-β)·g, from 0.
inline Memory averaging(double beta, std::uint64_t t) {
  const double total = 1.0 - std::pow(beta, static_cast<double>(t));
  const double newest = (1.0 - beta) / total;
  return {beta, newest, total, newest * newest * geometric(beta * beta, t)};
}

/// m ← μ·m + (1-τ)·g, the first gradient entering whole.
inline Memory dampened(double mu, double tau, std::uint64_t t) {
  const double first = std::pow(mu, static_cast<double>(t - 1));
  const double fresh = 1.0 - tau;
  const double total = fresh * geometric(mu, t - 1) + first;
  const double squares = fresh * fresh * geometric(mu * mu, t - 1) + first * first;
  return {mu, (t == 1 ? 1.0 : fresh) / total, total, squares / (total * total)};
}

/// m ← m + g, from 0.
inline Memory summing(std::uint64_t t) {
  const auto n = static_cast<double>(t);
  return {1.0, 1.0 / n, n, 1.0 / n};
}

/// ε as it is added in f32, to a second moment that adds `fresh`·g².
inline double added_eps(double eps, double fresh) { return positive<double>(eps, smallest_gradient<float>(fresh)); }

/// With the bias of its start taken away.
inline Memory corrected(Memory memory) {
  memory.total = 1.0;
  return memory;
}

/// The memory of the step before, if there was one.
template <class MemoryAt>
std::optional<Memory> one_step_before(std::uint64_t t, MemoryAt memory_at) {
  if (t == 1) return std::nullopt;
  return memory_at(t - 1);
}

}  // namespace adamant
