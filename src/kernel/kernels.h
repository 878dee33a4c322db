// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The compiled kernels of one instruction set, as tables of functions. Everything above this layer is plain C++.
#pragma once

#include <adamant/format.hpp>
#include <adamant/options.hpp>
#include <cstddef>
#include <cstdint>

#include "format/group.h"
#include "format/rounding.h"
#include "kernel/sums.h"
#include "rule/variants.h"

namespace adamant {

/// Elements that are decoded, stepped and encoded together, and the unit of sums: 1 KiB of f32, so that all streams of
/// a block stay in the first-level cache.
inline constexpr std::size_t kBlock = 256;
static_assert(kBlock % kGroup == 0);

/// How far ahead of its work a loop asks for memory, in elements. The hardware's own prefetching reckons with loops
/// that are quicker through a cache line than rules and narrow formats let them be.
inline constexpr std::size_t kAhead = 512;

inline constexpr std::size_t kFormatCount = 4;
constexpr std::size_t index_of(Format format) { return static_cast<std::size_t>(format); }
inline constexpr std::size_t kWeightFormatCount = 4;
constexpr std::size_t index_of(WeightFormat format) { return static_cast<std::size_t>(format); }
inline constexpr std::size_t kStateFormatCount = 6;
constexpr std::size_t index_of(StateFormat format) { return static_cast<std::size_t>(format); }
constexpr std::size_t index_of(Variant variant) { return static_cast<std::size_t>(variant); }

/// The scalars of a rule for one (group, t), packed by the rule's prepare() for its other stages.
struct StepScalars {
  alignas(16) std::byte bytes[96];
};

/// Steps n elements. g is multiplied by factor and then limited to ±bound (both exact in the type of the arithmetic).
using StepKernel = void (*)(const StepScalars&, double factor, double bound, void* p, const void* g,
                            void* const* states, std::size_t n);
using DecodeKernel = void (*)(const void* from, std::size_t n, float* to);
using EncodeKernel = void (*)(const float* from, std::size_t n, void* to);
/// Sum of the squares of at most kBlock elements, in f64, in the contract's shape: 16 lanes, element i in lane i mod
/// 16, then lane l with lane l + 8, 4, 2, 1.
using SquaresKernel = double (*)(const void* from, std::size_t n);

/// Every rule in one type of arithmetic, all streams in that type: what the block pipeline calls.
struct RuleKernels {
  std::int64_t target;
  StepKernel step[kVariantCount];
};

/// As StepKernel, the same bits, on at most kBlock elements, and adds up what it sees: 16 lanes of the arithmetic's
/// type, element i in lane i mod 16, then lane l with lane l + 8, 4, 2, 1.
using ObserveKernel = void (*)(const StepScalars&, double factor, double bound, void* p, const void* g,
                               void* const* states, std::size_t n, double* sums);
/// Every rule as it is observed, in one type of arithmetic.
struct ObserveKernels {
  std::int64_t target;
  ObserveKernel observe[kVariantCount];
};

struct SeenElement {
  double g, m, v, u;
};
/// What rules compute without a loop, in one type of arithmetic: compiled once.
struct RuleFunctions {
  void (*prepare[kVariantCount])(const Options&, std::uint64_t t, StepScalars&);
  /// What a step would do to one element; changes nothing.
  SeenElement (*see[kVariantCount])(const StepScalars&, double factor, double bound, const void* p, const void* g,
                                    const void* const* states, int second_moment);
  /// What a second moment is multiplied by against its bias.
  double (*unbias_second[kVariantCount])(const StepScalars&);
};

struct FormatKernels {
  std::int64_t target;
  DecodeKernel decode[kFormatCount];  ///< none for f64
  EncodeKernel encode[kFormatCount];  ///< none for f64
  SquaresKernel squares[kFormatCount];
};

/// The streams of some elements as they are in memory.
struct TurnStreams {
  void* param;
  void* low;  ///< below a bf16 parameter
  const void* grad;
  Format grad_format;  ///< f32, bf16 or f16
  void* states[kMaxStates];
  Rounding param_rounding, state_roundings[kMaxStates];  ///< of the first element
};
/// Steps elements from the first on, turn by turn, and returns how many it did: fewer than n where no whole turn is
/// left, or a turn holds a gradient that is not finite, a NaN, or a number near the largest of a narrow format. Nothing
/// of that turn is changed.
using FusedKernel = std::size_t (*)(const StepScalars&, double factor, double bound, const TurnStreams&, std::size_t n);

/// At least as many elements as a turn has, on every instruction set.
inline constexpr std::size_t kTurn = 64;

/// Steps that load and store narrow formats themselves, for the combinations people use most: the same bits as the
/// block pipeline, without its way through the cache.
struct FusedKernels {
  std::int64_t target;
  /// By formats of parameter, weights and states; null where the pipeline does it.
  FusedKernel step[kVariantCount][kFormatCount][kWeightFormatCount][kStateFormatCount];
};

/// The compact formats, on at most kBlock elements that start a group. The rounding is that of the first element.
struct CompactKernels {
  std::int64_t target;
  /// v ≥ 0 or not finite, which becomes what the codes say.
  void (*encode_unsigned)(float* v, std::size_t n, Rounding rounding, std::uint8_t* codes, std::uint8_t* exponents);
  void (*decode_unsigned)(const std::uint8_t* codes, const std::uint8_t* exponents, std::size_t n, float* v);
  void (*encode_signed)(const float* m, std::size_t n, Rounding rounding, std::uint8_t* codes, std::uint8_t* exponents);
  void (*decode_signed)(const std::uint8_t* codes, const std::uint8_t* exponents, std::size_t n, float* m);
  /// Relative to v as its codes say: 0 or not finite where v is.
  void (*encode_relative)(const float* m, const float* v, std::size_t n, Rounding rounding, std::uint8_t* codes);
  void (*decode_relative)(const std::uint8_t* codes, const float* v, std::size_t n, float* m);
  void (*store_dithered)(const float* from, std::size_t n, Rounding rounding, std::uint16_t* to);
  void (*store_split16)(const float* from, std::size_t n, Rounding rounding, std::uint16_t* high, void* low);
  void (*load_split16)(const std::uint16_t* high, const void* low, std::size_t n, float* to);
  void (*store_split8)(const float* from, std::size_t n, Rounding rounding, std::uint16_t* high, void* low);
  void (*load_split8)(const std::uint16_t* high, const void* low, std::size_t n, float* to);
};

/// The streams of some whole groups, with Q8 states: a first moment relative to a second one.
struct GroupStreams {
  void* param;
  void* low;  ///< below a bf16 parameter
  const void* grad;
  std::uint8_t* m;
  std::uint8_t* v;
  std::uint8_t* exponents;  ///< of v
  Rounding param_rounding, m_rounding, v_rounding;
};
/// Steps groups from the first on, and returns how many elements it did: fewer than n where a group is not whole, or
/// holds a gradient beyond the bound, anything not finite, or a weight near the largest number. Nothing of that group
/// is changed.
using GroupKernel = std::size_t (*)(const StepScalars&, double factor, double bound, const GroupStreams&,
                                    std::size_t n);

/// Fused steps for Q8 states, by weight format (plain: f32 parameters) and format of the gradients; null where the
/// pipeline does it.
struct GroupKernels {
  std::int64_t target;
  GroupKernel step[kVariantCount][kWeightFormatCount][kFormatCount];
};

/// Highway's bits of the instruction sets that the kernels were compiled for.
[[nodiscard]] std::int64_t compiled_targets();

[[nodiscard]] const RuleFunctions& f32_rules();
[[nodiscard]] const RuleFunctions& f64_rules();

/// The tables for the instruction set in use. Each says which one it was compiled for.
[[nodiscard]] const RuleKernels& f32_kernels();
[[nodiscard]] const RuleKernels& f64_kernels();
[[nodiscard]] const ObserveKernels& f32_observers();
[[nodiscard]] const ObserveKernels& f64_observers();
[[nodiscard]] const FormatKernels& format_kernels();
[[nodiscard]] const FusedKernels& fused_kernels();
[[nodiscard]] const CompactKernels& compact_kernels();
[[nodiscard]] const GroupKernels& group_kernels();

}  // namespace adamant
