// The list of number formats.
#include <adamant/error.hpp>
#include <adamant/format.hpp>
#include <limits>
#include <string>

#include "base/text.h"

namespace adamant {
namespace {

constexpr FormatInfo kFormats[] = {
    {Format::f32, "f32", 4, std::numeric_limits<float>::max(), std::numeric_limits<float>::min()},
    {Format::f64, "f64", 8, std::numeric_limits<double>::max(), std::numeric_limits<double>::min()},
    {Format::bf16, "bf16", 2, 0x1.FEp127, 0x1p-126},
    {Format::f16, "f16", 2, 65504.0, 0x1p-14},
};

constexpr StateFormatInfo kStateFormats[] = {
    {StateFormat::f32, "f32", 4}, {StateFormat::f64, "f64", 8}, {StateFormat::bf16, "bf16", 2},
    {StateFormat::f16, "f16", 2}, {StateFormat::b16, "b16", 2}, {StateFormat::q8, "q8", 1},
};

constexpr WeightFormatInfo kWeightFormats[] = {
    {WeightFormat::plain, "plain", 0},
    {WeightFormat::split16, "split16", 2},
    {WeightFormat::split8, "split8", 1},
    {WeightFormat::dithered, "dithered", 0},
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

Format format_from_name(std::string_view name) { return find(kFormats, "format", name).format; }

}  // namespace adamant
