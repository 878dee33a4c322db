// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The streams of a tensor, parameter and states, between their formats and f32.
#pragma once

#include <cstddef>

#include "kernel/kernels.h"

namespace adamant {

struct StateMemory {
  void* values = nullptr;
  std::uint8_t* exponents = nullptr;  // one for each kGroup elements, where the format has them
};

/// One tensor's memory. Elements are counted from the start of the tensor.
struct Streams {
  Variant variant;
  Format param_format;
  WeightFormat weight_format;
  StateFormat state_format;
  void* param;
  void* param_low;  // the bits below a bf16 parameter
  StateMemory states[kMaxStates];
  std::uint32_t seed;  // of the tensor's dither
};

using StateBlocks = float[kMaxStates][kBlock];

/// At most kBlock elements. `first` starts a group where the states have groups. Not for f64.
void decode_param(const Streams& streams, std::size_t first, std::size_t n, float* to);
void decode_states(const Streams& streams, std::size_t first, std::size_t n, StateBlocks& to);

/// How step t rounds those streams of the tensor that dither.
[[nodiscard]] Roundings dithers_of(const Streams& streams, std::uint64_t t);

/// The roundings are those of element 0. The blocks hold what was kept, or anything, afterwards.
void encode_param(const Streams& streams, std::size_t first, std::size_t n, const Roundings& roundings,
                  const float* from);
void encode_states(const Streams& streams, std::size_t first, std::size_t n, const Roundings& roundings,
                   StateBlocks& from);

/// The same streams but the gradient, for a fused loop from element `first` on.
TurnStreams turns_at(const Streams& streams, std::size_t first, const Roundings& roundings);

/// The same streams for a kernel that takes groups, from element `first` on. For two states in Q8.
GroupStreams groups_at(const Streams& streams, std::size_t first, const Roundings& roundings);

/// Does the f32 of this stream lie in memory as it is?
inline bool param_in_place(const Streams& streams) { return streams.param_format == Format::f32; }
inline bool states_in_place(const Streams& streams) { return streams.state_format == StateFormat::f32; }

inline void* param_at(const Streams& streams, std::size_t first) {
  return static_cast<std::byte*>(streams.param) + first * info(streams.param_format).bytes;
}
inline void* state_at(const Streams& streams, std::size_t state, std::size_t first) {
  return static_cast<std::byte*>(streams.states[state].values) + first * info(streams.state_format).bytes;
}

}  // namespace adamant
