// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a run log is made of, read from JSON. Nothing in it is trusted.
#pragma once

#include <adamant/run_log.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "insight/run_format.h"

namespace adamant::run_json {

using run_format::Json;

/// What is wrong; who catches it says with what.
struct Wrong {
  std::string why;
};
[[noreturn]] void refuse(std::string why);

/// A number that f64 holds exactly, as JSON's are.
inline constexpr std::uint64_t kMost = std::uint64_t{1} << 53;

[[nodiscard]] const Json& at(const Json& json, const char* name);
[[nodiscard]] const Json& array_at(const Json& json, const char* name);
[[nodiscard]] std::uint64_t count(const Json& value, const char* name);
/// null stands for what is not finite.
[[nodiscard]] double number(const Json& value, const char* name);
[[nodiscard]] std::string string_of(const Json& value, const char* name);
[[nodiscard]] bool truth(const Json& value, const char* name);

/// Of the field of that name.
[[nodiscard]] Notes notes_of(const Json& json);
[[nodiscard]] std::vector<RunInfo::Group> groups_of(const Json& json);
[[nodiscard]] std::vector<RunInfo::Tensor> tensors_of(const Json& json, std::size_t groups);

/// The first line.
[[nodiscard]] RunInfo info_of(const Json& json);
/// A histogram: the number of its first bin, and the counts from there on.
[[nodiscard]] std::array<std::uint32_t, ScaleSample::kBins> bins_of(const Json& json);
/// How many steps a tensor is behind the run, where that has taken so many.
[[nodiscard]] std::int64_t behind_of(const Json& json, std::uint64_t step);

}  // namespace adamant::run_json
