// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "kernel/streams.h"

#include <algorithm>

namespace adamant {
namespace {

void* low_at(const Streams& streams, std::size_t first) {
  return static_cast<std::byte*>(streams.param_low) + first * info(streams.weight_format).bytes;
}

std::uint8_t* exponents_at(const Streams& streams, std::size_t state, std::size_t first) {
  return streams.states[state].exponents + first / kGroup;
}

// Of a state in a format that keeps it as a number of its own.
std::size_t element_format(StateFormat format) { return index_of(info(format).element.value_or(Format::f32)); }

Rounding rounding_of(const StateInfo& state, const Roundings& roundings, std::size_t first) {
  if (!state.may_fall) return kRoundUp;
  return (state.negative ? roundings.first_moment : roundings.second_moment).from(first);
}

void decode_q8(const Streams& streams, std::size_t first, std::size_t n, StateBlocks& to) {
  const CompactKernels& kernels = compact_kernels();
  const VariantInfo& variant = info(streams.variant);
  // A companion before what is relative to it.
  for (const bool relative : {false, true}) {
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      if ((variant.companions[s] >= 0) != relative) continue;
      const auto* codes = static_cast<const std::uint8_t*>(state_at(streams, s, first));
      if (relative) {
        kernels.decode_relative(codes, to[variant.companions[s]], n, to[s]);
      } else if (variant.state_infos[s].negative) {
        kernels.decode_signed(codes, exponents_at(streams, s, first), n, to[s]);
      } else {
        kernels.decode_unsigned(codes, exponents_at(streams, s, first), n, to[s]);
      }
    }
  }
}

void encode_q8(const Streams& streams, std::size_t first, std::size_t n, const Roundings& roundings,
               StateBlocks& from) {
  const CompactKernels& kernels = compact_kernels();
  const VariantInfo& variant = info(streams.variant);
  for (const bool relative : {false, true}) {
    for (std::size_t s = 0; s < variant.state_count; ++s) {
      if ((variant.companions[s] >= 0) != relative) continue;
      const StateInfo& state = variant.state_infos[s];
      const Rounding rounding = rounding_of(state, roundings, first);
      auto* codes = static_cast<std::uint8_t*>(state_at(streams, s, first));
      if (relative) {
        kernels.encode_relative(from[s], from[variant.companions[s]], n, rounding, codes);
      } else if (state.negative) {
        kernels.encode_signed(from[s], n, rounding, codes, exponents_at(streams, s, first));
      } else {
        kernels.encode_unsigned(from[s], n, rounding, codes, exponents_at(streams, s, first));
      }
    }
  }
}

}  // namespace

Roundings dithers_of(const Streams& streams, std::uint64_t t) {
  Roundings roundings;
  const bool q8 = streams.state_format == StateFormat::q8;
  if (q8) roundings.first_moment = dither(Dither::first_moment, streams.seed, t);
  if (q8 || streams.state_format == StateFormat::b16) {
    roundings.second_moment = dither(Dither::second_moment, streams.seed, t);
  }
  if (streams.weight_format == WeightFormat::split8 || streams.weight_format == WeightFormat::dithered) {
    roundings.weight = dither(Dither::weight, streams.seed, t);
  }
  return roundings;
}

void decode_param(const Streams& streams, std::size_t first, std::size_t n, float* to) {
  const void* from = param_at(streams, first);
  const auto* high = static_cast<const std::uint16_t*>(from);
  switch (streams.weight_format) {
    case WeightFormat::split16:
      return compact_kernels().load_split16(high, low_at(streams, first), n, to);
    case WeightFormat::split8:
      return compact_kernels().load_split8(high, low_at(streams, first), n, to);
    case WeightFormat::plain:
    case WeightFormat::dithered:
      return format_kernels().decode[index_of(streams.param_format)](from, n, to);
  }
}

void encode_param(const Streams& streams, std::size_t first, std::size_t n, const Roundings& roundings,
                  const float* from) {
  void* to = param_at(streams, first);
  auto* high = static_cast<std::uint16_t*>(to);
  const Rounding rounding = roundings.weight.from(first);
  switch (streams.weight_format) {
    case WeightFormat::split16:
      return compact_kernels().store_split16(from, n, rounding, high, low_at(streams, first));
    case WeightFormat::split8:
      return compact_kernels().store_split8(from, n, rounding, high, low_at(streams, first));
    case WeightFormat::dithered:
      return compact_kernels().store_dithered(from, n, rounding, high);
    case WeightFormat::plain:
      return format_kernels().encode[index_of(streams.param_format)](from, n, to);
  }
}

void decode_states(const Streams& streams, std::size_t first, std::size_t n, StateBlocks& to) {
  if (streams.state_format == StateFormat::q8) return decode_q8(streams, first, n, to);
  const DecodeKernel decode = format_kernels().decode[element_format(streams.state_format)];
  for (std::size_t s = 0; s < info(streams.variant).state_count; ++s) decode(state_at(streams, s, first), n, to[s]);
}

void encode_states(const Streams& streams, std::size_t first, std::size_t n, const Roundings& roundings,
                   StateBlocks& from) {
  if (streams.state_format == StateFormat::q8) return encode_q8(streams, first, n, roundings, from);
  const EncodeKernel encode = format_kernels().encode[element_format(streams.state_format)];
  const VariantInfo& variant = info(streams.variant);
  for (std::size_t s = 0; s < variant.state_count; ++s) {
    void* to = state_at(streams, s, first);
    const StateInfo& state = variant.state_infos[s];
    // A first moment to nearest dies out by itself; a second moment would stop falling.
    if (streams.state_format == StateFormat::b16 && !state.negative) {
      compact_kernels().store_dithered(from[s], n, rounding_of(state, roundings, first),
                                       static_cast<std::uint16_t*>(to));
    } else {
      encode(from[s], n, to);
    }
  }
}

TurnStreams turns_at(const Streams& streams, std::size_t first, const Roundings& roundings) {
  const VariantInfo& variant = info(streams.variant);
  TurnStreams turns = {};
  turns.param = param_at(streams, first);
  turns.low = low_at(streams, first);
  turns.param_rounding = roundings.weight.from(first);
  for (std::size_t s = 0; s < variant.state_count; ++s) {
    turns.states[s] = state_at(streams, s, first);
    turns.state_roundings[s] = rounding_of(variant.state_infos[s], roundings, first);
  }
  return turns;
}

GroupStreams groups_at(const Streams& streams, std::size_t first, const Roundings& roundings) {
  const VariantInfo& variant = info(streams.variant);
  const std::size_t m = variant.companions[0] >= 0 ? 0 : 1;
  const std::size_t v = 1 - m;
  GroupStreams groups;
  groups.param = param_at(streams, first);
  groups.low = low_at(streams, first);
  groups.grad = nullptr;
  groups.m = static_cast<std::uint8_t*>(state_at(streams, m, first));
  groups.v = static_cast<std::uint8_t*>(state_at(streams, v, first));
  groups.exponents = exponents_at(streams, v, first);
  groups.param_rounding = roundings.weight.from(first);
  groups.m_rounding = rounding_of(variant.state_infos[m], roundings, first);
  groups.v_rounding = rounding_of(variant.state_infos[v], roundings, first);
  return groups;
}

}  // namespace adamant
