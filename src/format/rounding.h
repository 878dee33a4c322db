// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How a narrowing decides about the bits it cannot keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

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

/// Names the words below, as docs/formats.md defines them: another id is another rounding.
inline constexpr std::string_view kDither = "dither-2";

/// Which stream of a tensor is rounded: each has words of its own.
enum class Dither : std::uint8_t { first_moment, second_moment, weight };

/// SplitMix64's finish: every bit of the result hangs on all bits of x.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/// A word for step t. Over every aligned run of 2^k steps, k up to 12, the words are those numbers that are a 2^k-th of
/// the range apart, in some order: step after step they fill every interval evenly. No two steps agree more in what
/// they round up than independent words do, so that those of any steps, however chosen, are at least as even as random
/// ones.
///
/// The word is t backwards, its last bit on top, where each bit is flipped or not as a hash of the bits above it in t
/// says; twelve bits of it, and a hash of the others.
constexpr std::uint32_t dither_word(std::uint64_t key, std::uint64_t t) {
  std::uint32_t word = 0;
  std::uint64_t hash = 0;
  for (std::uint64_t six = 0; six < 2; ++six) {
    // With a one in front, what remains of the six bits is the place of a flip among the 64 of a hash.
    std::uint64_t rest = (t & 63) | 64;
    t >>= 6;
    hash = mixed((key + t * 0x9E3779B97F4A7C15u) ^ six);
    while (rest > 1) {
      const std::uint64_t bit = rest & 1;
      rest >>= 1;
      word = word << 1 | static_cast<std::uint32_t>(bit ^ (hash >> rest & 1));
    }
  }
  return word << 20 | static_cast<std::uint32_t>(mixed(hash) >> 44);
}

/// The dither of a stream at step t: a word of the step, and from there along the elements in steps of the golden
/// ratio, which fill every interval evenly too. The result depends on (seed, tensor, step, element) and on nothing
/// else.
constexpr Rounding dither(Dither stream, std::uint32_t tensor_seed, std::uint64_t t) {
  constexpr std::uint32_t kElement = 0x9E3779B9u;
  const std::uint64_t key = mixed(std::uint64_t{4} * tensor_seed + static_cast<std::uint64_t>(stream));
  return {dither_word(key, t), kElement};
}

/// How the streams of a tensor are rounded: to nearest, unless something else is said.
struct Roundings {
  Rounding first_moment = kRoundNearest;
  Rounding second_moment = kRoundNearest;
  Rounding weight = kRoundNearest;
};

}  // namespace adamant
