// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How truly a state format keeps the moments of AdamW: the same gradients through two optimizers, one with f32 states,
// and what comes out. Weights are f32, ε is 0 and nothing decays, so that only the states differ. Everything is
// bit-exact, so the figures are the same on every machine.
#pragma once

#include <adamant/adamant.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace adamant::fidelity {

struct Setting {
  StateFormat state = StateFormat::q8;
  double beta2 = 0.999;
  std::size_t size = 1 << 14;  ///< elements; at least 4096
};

/// A quantity over the elements.
struct Spread {
  double low, median, high;  ///< 5%, 50%, 95%
};

/// √v as kept ÷ √v in f32, of the coordinates whose gradients fell to a tenth five horizons (1/(1-β2)) ago, in groups
/// whose gradients spread over 1.5 decades.
[[nodiscard]] Spread tracking(const Setting& setting);

/// Relative L2 error of how far weights move
/// in `steps` steps after their gradients stopped, for every second coordinate, the others going on;
[[nodiscard]] double stopped(const Setting& setting, std::uint64_t steps = 2000);
/// in `steps` steps in which a row of 128 has a gradient once in 500 times;
[[nodiscard]] double rare(const Setting& setting, std::uint64_t steps = 6000);
/// in `steps` steps with a gradient every period-th time.
[[nodiscard]] double periodic(const Setting& setting, std::uint64_t period, std::uint64_t steps = 2000);

/// Relative L2 error of one update, mean of many, for gradients that spread over `decades` in a group, times `scale`.
[[nodiscard]] double update_error(const Setting& setting, double decades, double scale = 1.0);

/// Weights in bf16 that grow by a millionth part of ten each step, 2,000 times: movement ÷ what it should be.
[[nodiscard]] Spread weight_movement(WeightFormat weights, std::size_t size = 1 << 14);

/// What a dither rounds: a weight below bf16, a moment.
enum class Rounded : std::uint8_t { dithered_weight, split8_weight, b16_second, q8_second, q8_first };
inline constexpr Rounded kRounded[] = {Rounded::dithered_weight, Rounded::split8_weight, Rounded::b16_second,
                                       Rounded::q8_second, Rounded::q8_first};
[[nodiscard]] std::string_view name_of(Rounded what);

/// How far elements end from where they should, in standard deviations of independent random rounding.
struct Deviation {
  double rms;
  double most;
};
/// Of rows of 128 elements that are touched 52 times, in every stride-th step, and should move by about half a unit
/// each time: for each stride. All rows are in one run of one table.
[[nodiscard]] std::vector<Deviation> strided(Rounded what, std::span<const std::uint64_t> strides,
                                             std::uint64_t seed = 0);

}  // namespace adamant::fidelity
