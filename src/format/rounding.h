// How a narrowing decides about the bits it cannot keep.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adamant {

/// The bits below the last kept place get the top bits of a 32-bit word added before they are cut off: half a unit
/// rounds to nearest, all ones round away from zero, and words spread evenly over their range round stochastically,
/// right on average. The word of element i is base + i·step, wrapping.
struct Rounding {
  std::uint32_t base;
  std::uint32_t step;

  [[nodiscard]] constexpr Rounding from(std::size_t element) const {
    return {base + static_cast<std::uint32_t>(element) * step, step};
  }
};

inline constexpr Rounding kRoundNearest = {0x80000000u, 0};
inline constexpr Rounding kRoundUp = {0xFFFFFFFFu, 0};

/// Which stream of a tensor is rounded: each has a lattice of its own.
enum class Dither : std::uint8_t { first_moment, second_moment, weight };

/// The dither of a stream at step t: a lattice over (element, step), which fills every interval more evenly than random
/// words do, along either axis. The result depends on (seed, tensor, step, element) and on nothing else.
/// The multipliers are odd and near 2^32 times numbers that no fraction with a small denominator comes close to: 1/ρ²
/// for the elements (ρ³ = ρ + 1), and for the steps 1/σ³ (σ⁴ = σ + 1), √2 - 1 and 1/φ (φ² = φ + 1). Others were
/// measured too (docs/notes/dither.md): what matters is that streams do not move in step.
constexpr Rounding dither(Dither stream, std::uint32_t tensor_seed, std::uint64_t t) {
  constexpr std::uint32_t kElement = 0x91E10DA5u;
  constexpr std::uint32_t kStep[] = {0x8CB92BA7u, 0x6A09E667u, 0x9E3779B9u};
  const auto s = static_cast<std::size_t>(stream);
  return {static_cast<std::uint32_t>(t) * kStep[s] + tensor_seed * (2 * static_cast<std::uint32_t>(s) + 1), kElement};
}

}  // namespace adamant
