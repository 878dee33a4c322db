// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Number formats: how one element is stored in memory. Arithmetic is always f32 (f64 for f64 tensors).
#pragma once

#include <adamant/export.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace adamant {

/// The number formats of parameters, gradients and states.
enum class Format : std::uint8_t {
  f32,   ///< IEEE-754 binary32, 4 bytes
  f64,   ///< IEEE-754 binary64, 8 bytes; an f64 parameter needs an f64 gradient and has f64 states
  bf16,  ///< bfloat16: the upper half of an f32, 2 bytes
  f16,   ///< IEEE-754 binary16, 2 bytes; finite range ±65504
};

/// Name, size and range of a format.
struct FormatInfo {
  Format format;
  std::string_view name;   ///< as written in options, logs and files: "f32"
  std::size_t bytes;       ///< bytes of one element
  double max_finite;       ///< the largest finite value
  double smallest_normal;  ///< the smallest positive normal value
};

/// All formats, in the order of the enumeration.
[[nodiscard]] ADAMANT_EXPORT std::span<const FormatInfo> formats() noexcept;
[[nodiscard]] ADAMANT_EXPORT const FormatInfo& info(Format format) noexcept;
/// The format of that name. Throws Error (not_found) naming it and the known ones.
[[nodiscard]] ADAMANT_EXPORT Format format_from_name(std::string_view name);

/// How the states of a rule (its moments) are stored. Arithmetic is always f32; docs/formats.md has the definitions.
enum class StateFormat : std::uint8_t {
  f32,
  f64,   ///< for f64 parameters only
  bf16,  ///< every state rounded to nearest. The second moment of AdamW then stops falling: prefer b16
  f16,   ///< every state rounded to nearest. Second moments below 3e-8 vanish: prefer b16
  b16,   ///< bf16: first moments rounded to nearest, second moments stochastically (dithered). 2 bytes per state
  q8,    ///< quantized to 8 bits, with stochastic rounding: an exponent for each 128 second moments; first moments
         ///< relative to the second. 1 + 1/128 bytes
};

/// Which low-order weight bits the optimizer keeps in addition to a bf16 parameter, in place of f32 master weights.
/// Only for bf16 parameters.
enum class WeightFormat : std::uint8_t {
  plain,     ///< none: bf16, rounded to nearest. Small updates are lost
  split16,   ///< 16 more bits: the weight is an exact f32
  split8,    ///< 8 more bits, with stochastic rounding (dithered)
  dithered,  ///< none, but stochastic rounding to bf16, so that small updates count on average
};

/// Tensors of fewer elements are not kept in compact formats: there is nothing to save, and much to lose.
inline constexpr std::size_t kSmallTensor = 4096;

/// What is to know of a format of states or weights.
template <class F>
struct CompactInfo {
  F format;
  std::string_view name;               ///< "q8", "split8"
  std::size_t bytes;                   ///< per element: of one state, or of a weight in addition to its parameter
  bool compact = false;                ///< small tensors keep f32 states or split16 weights instead
  std::size_t group = 1;               ///< neighbouring elements that share something: an exponent
  std::size_t group_bytes = 0;         ///< of what a group shares
  std::optional<Format> element = {};  ///< how one state is stored, if each is a number of its own
};
using StateFormatInfo = CompactInfo<StateFormat>;
using WeightFormatInfo = CompactInfo<WeightFormat>;

[[nodiscard]] ADAMANT_EXPORT std::span<const StateFormatInfo> state_formats() noexcept;
[[nodiscard]] ADAMANT_EXPORT std::span<const WeightFormatInfo> weight_formats() noexcept;
[[nodiscard]] ADAMANT_EXPORT const StateFormatInfo& info(StateFormat format) noexcept;
[[nodiscard]] ADAMANT_EXPORT const WeightFormatInfo& info(WeightFormat format) noexcept;
/// Throw Error (not_found) naming the unknown name and the known ones.
[[nodiscard]] ADAMANT_EXPORT StateFormat state_format_from_name(std::string_view name);
[[nodiscard]] ADAMANT_EXPORT WeightFormat weight_format_from_name(std::string_view name);

/// Storage of one bfloat16 number, for your containers: std::vector<adamant::bf16>.
/// Narrowing rounds to nearest even; a finite number stays finite (it saturates at the largest finite one);
/// every NaN becomes 0x7fc0. Widening is exact.
struct ADAMANT_EXPORT bf16 {
  std::uint16_t bits = 0;
  bf16() = default;
  explicit bf16(float value) noexcept;
  explicit operator float() const noexcept;
};

/// Storage of one IEEE-754 binary16 number. Narrowing is as for bf16; every NaN becomes 0x7e00.
struct ADAMANT_EXPORT f16 {
  std::uint16_t bits = 0;
  f16() = default;
  explicit f16(float value) noexcept;
  explicit operator float() const noexcept;
};

/// Which format a C++ element type has. Specialise it to use a type of your own, for example
///   template <> struct adamant::FormatOf<Eigen::bfloat16> : adamant::FormatIs<adamant::Format::bf16> {};
template <Format kFormat>
struct FormatIs {
  static constexpr Format value = kFormat;
};
template <class T>
struct FormatOf;
template <>
struct FormatOf<float> : FormatIs<Format::f32> {};
template <>
struct FormatOf<double> : FormatIs<Format::f64> {};
template <>
struct FormatOf<bf16> : FormatIs<Format::bf16> {};
template <>
struct FormatOf<f16> : FormatIs<Format::f16> {};

}  // namespace adamant
