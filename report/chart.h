// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Charts as the page takes them: what is to be drawn, in JSON. The page draws one from it and knows nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "claim/plot.h"
#include "report/json.h"

namespace adamant::report {

/// What draws a chart: report/page/NAME.js.
enum class Kind : std::uint8_t { lines, tensors, heat, ridge, points, rows };
constexpr std::array<std::string_view, 6> kKindNames = {"lines", "tensors", "heat", "ridge", "points", "rows"};

struct Axis {
  std::string label;
  bool log = false;
  bool steps = false;  ///< the steps of the run: follows the brush that all such axes share
};
[[nodiscard]] Axis run_steps();

/// Lines over a common frame: healthy bands, guides (floors, bounds), marks (events on the x axis).
class Chart {
 public:
  Chart(Kind kind, std::string title, Axis x, Axis y);

  /// Between two values of y.
  Chart& band(double from, double to, std::string_view label);
  /// A level of y that means something. One that is not finite is not drawn.
  Chart& guide(double at, std::string_view label);
  Chart& mark(std::uint64_t step, std::string_view label);
  Chart& line(std::string_view name, claim::Stroke stroke, const std::vector<float>& xs, const std::vector<float>& ys);
  /// Extremes of buckets.
  Chart& extremes(std::string_view name, const Json& xs, const std::vector<float>& low, const std::vector<float>& high);
  /// What only this kind has.
  Chart& set(std::string_view name, const Json& value);

  /// Lines that share their xs say them once, as `xs` of the chart.
  [[nodiscard]] Json json() const;

 private:
  struct Line {
    Json xs, line;
  };
  Kind kind_;
  std::string title_;
  Axis x_, y_;
  Json bands_ = Json::array(), guides_ = Json::array(), marks_ = Json::array();
  std::vector<Line> lines_;
  std::vector<std::pair<std::string, Json>> more_;
};

/// Several charts in one place, of which one is shown.
[[nodiscard]] Json choice(std::string_view label, const std::vector<std::pair<std::string, Json>>& charts);

}  // namespace adamant::report
