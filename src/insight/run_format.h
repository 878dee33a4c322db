// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a run log is made of, for who writes it and who reads it. docs/run_log.md describes it.
#pragma once

#include <adamant/run_log.hpp>
#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/sums.h"

namespace adamant::run_format {

using Json = nlohmann::ordered_json;

inline constexpr std::string_view kId = "adamant-run-2";

/// Elements that are followed, in all tensors together.
inline constexpr std::size_t kProbes = 32;
/// Logged steps between histograms.
inline constexpr std::uint64_t kScalesEvery = 128;

/// Of each tensor in a step: the sums, in the order of MomentSums, then what the sample says.
inline constexpr std::size_t kSampled = 4;  // share of g = 0, share of v = 0, mean and deviation of log2 √v̂
inline constexpr std::size_t kNumbers = kSums + kSampled;
static_assert(kNumbers == 15, "another number needs another kId");
/// Of each probe: g, m, v, u, w.
inline constexpr std::size_t kProbeNumbers = 5;

using Numbers = std::array<double, kNumbers>;

/// A tensor's numbers; all NaN where nothing was observed. Sums are divided by `size` (max_u is not).
[[nodiscard]] Numbers numbers_of(const TensorStatistics& tensor);
/// The reverse, for a tensor of that size.
void set_numbers(TensorStatistics& tensor, const Numbers& numbers, std::uint64_t size);

/// Appends a number as 4 characters of base64: the upper 24 bits of the f32, rounded to nearest even.
void pack(std::string& to, double value);
/// The numbers of a packed text. False where it is not one of exactly so many numbers.
[[nodiscard]] bool unpack(std::string_view text, std::span<float> numbers);

[[nodiscard]] Json to_json(const Options& options);

}  // namespace adamant::run_format
