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

}  // namespace

std::span<const FormatInfo> formats() noexcept { return kFormats; }

const FormatInfo& info(Format format) noexcept { return kFormats[static_cast<std::size_t>(format)]; }

Format format_from_name(std::string_view name) {
  for (const FormatInfo& known : kFormats) {
    if (known.name == name) return known.format;
  }
  throw Error(ErrorCode::not_found, "unknown format " + quoted(name) + ": must be one of " +
                                        listed(kFormats, [](const FormatInfo& f) { return std::string(f.name); }));
}

}  // namespace adamant
