// Charts as the page takes them: what is to be drawn, in JSON. page.js draws one from it and knows nothing else.
#pragma once

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/report.h"

namespace adamant::report {

using Json = nlohmann::ordered_json;

struct Axis {
  std::string label;
  bool log = false;
  bool steps = false;  ///< the steps of the run: follows the brush that all such axes share
};

/// Lines over a common frame: healthy bands, guides (floors, bounds), marks (events on the x axis).
class Chart {
 public:
  Chart(std::string_view kind, std::string title, const Axis& x, const Axis& y);

  /// Between two values of y.
  Chart& band(double from, double to, std::string label);
  /// A level of y that means something. One that is not finite is not drawn.
  Chart& guide(double at, std::string label);
  Chart& mark(std::uint64_t step, std::string label);
  Chart& line(std::string name, Stroke stroke, const std::vector<float>& xs, const std::vector<float>& ys);
  /// Extremes of buckets.
  Chart& extremes(std::string name, Json xs, const std::vector<float>& low, const std::vector<float>& high);
  /// What only this kind has.
  Chart& set(const char* name, Json value);

  /// Lines that share their xs say them once, as `xs` of the chart.
  [[nodiscard]] Json json() const;

 private:
  Json json_;
};

/// Several charts in one place, of which one is shown.
[[nodiscard]] Json choice(std::string label, std::vector<std::pair<std::string, Json>> charts);

/// For sentences: three digits.
[[nodiscard]] std::string number(double value);
/// A share: "12%", "0.3%", "less than 0.01%".
[[nodiscard]] std::string percent(double share);
/// "1 step", "3 steps".
[[nodiscard]] std::string count(std::uint64_t n, std::string_view thing);

[[nodiscard]] std::vector<float> floats(const std::vector<double>& values);

}  // namespace adamant::report
