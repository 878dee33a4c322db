// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What is measured: a rule in some formats on a workload.
#pragma once

#include <adamant/adamant.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/loops.h"

namespace adamant::bench {

/// Tensors of one size.
struct Workload {
  std::string name;
  std::size_t tensors = 1;
  std::size_t size = 0;  ///< elements of each
  [[nodiscard]] std::size_t total() const { return tensors * size; }
};

/// cache: 16Ki parameters; l3: 1Mi; dram: 64Mi, doubled until parameters, gradients and states together are four times
/// the last-level cache; many: 1000 tensors of 4096.
inline constexpr std::string_view kWorkloads[] = {"cache", "l3", "dram", "many"};

struct Case {
  Rule rule = Rule::adamw;
  Format param = Format::f32, grad = Format::f32;
  StateFormat state = StateFormat::f32;
  WeightFormat weights = WeightFormat::plain;
  Options options{};
  std::string workload = "cache";
  std::size_t tensors = 0;  ///< number of tensors instead of the workload's; 0: the workload's
  std::size_t size = 0;     ///< elements of each, likewise
  int threads = 1;
  std::vector<NonFinite> policies = {NonFinite::propagate};
  std::optional<double> max_norm{};
  double grad_scale = 1.0;
  bool statistics = false;          ///< measure the step with statistics too
  std::uint32_t observe_every = 0;  ///< as Statistics has it
};

/// Does the step look at all gradients before it changes anything?
[[nodiscard]] bool looks(const Case& what, NonFinite policy);

/// Element sizes and number of states, without memory. Throws adamant::Error for what an optimizer refuses.
[[nodiscard]] Streams streams_of(const Case& what);

/// Throws adamant::Error for an unknown name.
[[nodiscard]] Workload workload_of(const Case& what);

/// Bytes that weight, gradient and states of one parameter take, without the exponents of groups.
[[nodiscard]] std::size_t bytes_held(const Streams& streams);

/// Bytes that a step loads and stores for one parameter: the gradient once, twice with a look; the rest twice.
[[nodiscard]] std::size_t bytes_moved(const Streams& streams, bool look);

/// The case with everything in f32, where this one has compact states or weights to be compared with it.
[[nodiscard]] std::optional<Case> in_f32(const Case& what);

/// Can the plain ways to do AdamW do this case?
[[nodiscard]] bool has_rivals(const Case& what);

/// Throws adamant::Error for what an optimizer refuses, and std::runtime_error where measuring the case needs more
/// memory than is available.
void check_fits(const Case& what);

}  // namespace adamant::bench
