// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A plot as data: what is to be drawn, in a page or as SVG.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::claim {

/// How a line of a plot is drawn.
enum class Stroke : std::uint8_t {
  measured,  ///< solid, in a colour of its own
  theory,    ///< dashed, in the colour of text: what was to be expected
  dots,      ///< measured, points alone
};

/// "measured", "theory", "dots".
[[nodiscard]] constexpr std::string_view name(Stroke stroke) {
  return stroke == Stroke::dots ? "dots" : stroke == Stroke::theory ? "theory" : "measured";
}

/// A line. Where a number is not finite it has a gap. One without a name goes on as the line before it.
struct Series {
  std::string name{};
  Stroke stroke = Stroke::measured;
  std::vector<double> x{}, y{};  ///< of one length

  void add(double at, double value) {
    x.push_back(at);
    y.push_back(value);
  }
};

struct Plot {
  std::string title{}, x{}, y{};  ///< of the axes, with units
  bool log_x = false, log_y = false;
  std::vector<Series> series{};
};

}  // namespace adamant::claim
