// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The list of number formats.
#include <adamant/error.hpp>
#include <adamant/format.hpp>
#include <adamant/version.hpp>
#include <limits>
#include <string>

#include "base/text.h"
#include "format/rounding.h"

namespace adamant {
namespace {

constexpr FormatInfo kFormats[] = {
    {Format::f32, "f32", 4, std::numeric_limits<float>::max(), std::numeric_limits<float>::min()},
    {Format::f64, "f64", 8, std::numeric_limits<double>::max(), std::numeric_limits<double>::min()},
    {Format::bf16, "bf16", 2, 0x1.FEp127, 0x1p-126},
    {Format::f16, "f16", 2, 65504.0, 0x1p-14},
};

constexpr StateFormatInfo kStateFormats[] = {
    {.format = StateFormat::f32, .name = "f32", .bytes = 4, .element = Format::f32},
    {.format = StateFormat::f64, .name = "f64", .bytes = 8, .element = Format::f64},
    {.format = StateFormat::bf16, .name = "bf16", .bytes = 2, .element = Format::bf16},
    {.format = StateFormat::f16, .name = "f16", .bytes = 2, .element = Format::f16},
    {.format = StateFormat::b16, .name = "b16", .bytes = 2, .compact = true, .element = Format::bf16},
    {.format = StateFormat::q8, .name = "q8", .bytes = 1, .compact = true, .group = 128, .group_bytes = 1},
};

constexpr WeightFormatInfo kWeightFormats[] = {
    {.format = WeightFormat::plain, .name = "plain", .bytes = 0},
    {.format = WeightFormat::split16, .name = "split16", .bytes = 2},
    {.format = WeightFormat::split8, .name = "split8", .bytes = 1, .compact = true},
    {.format = WeightFormat::dithered, .name = "dithered", .bytes = 0, .compact = true},
};

template <class Info, std::size_t kCount>
const Info& find(const Info (&known)[kCount], const char* kind, std::string_view name) {
  for (const Info& info : known) {
    if (info.name == name) return info;
  }
  throw Error(ErrorCode::not_found, std::string("unknown ") + kind + " " + in_quotes(name) + ": must be one of " +
                                        listed(known, [](const Info& info) { return std::string(info.name); }));
}

}  // namespace

std::span<const StateFormatInfo> state_formats() noexcept { return kStateFormats; }
std::span<const WeightFormatInfo> weight_formats() noexcept { return kWeightFormats; }
const StateFormatInfo& info(StateFormat format) noexcept { return kStateFormats[static_cast<std::size_t>(format)]; }
const WeightFormatInfo& info(WeightFormat format) noexcept { return kWeightFormats[static_cast<std::size_t>(format)]; }
StateFormat state_format_from_name(std::string_view name) { return find(kStateFormats, "state format", name).format; }
WeightFormat weight_format_from_name(std::string_view name) {
  return find(kWeightFormats, "weight format", name).format;
}

std::span<const FormatInfo> formats() noexcept { return kFormats; }

const FormatInfo& info(Format format) noexcept { return kFormats[static_cast<std::size_t>(format)]; }

std::string_view dither_id() noexcept { return kDither; }

Format format_from_name(std::string_view name) { return find(kFormats, "format", name).format; }

}  // namespace adamant
