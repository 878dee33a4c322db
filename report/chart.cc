// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/chart.h"

#include <algorithm>
#include <cmath>

#include "report/encode.h"

namespace adamant::report {
namespace {

Json axis(const Axis& axis) { return Json::object({{"label", axis.label}, {"log", axis.log}, {"steps", axis.steps}}); }

}  // namespace

Axis run_steps() { return {"step", false, true}; }

Chart::Chart(Kind kind, std::string title, Axis x, Axis y)
    : kind_(kind), title_(std::move(title)), x_(std::move(x)), y_(std::move(y)) {}

Chart& Chart::band(double from, double to, std::string_view label) {
  if (std::isfinite(from) && std::isfinite(to)) {
    bands_.push(Json::object({{"from", from}, {"to", to}, {"label", label}}));
  }
  return *this;
}

Chart& Chart::guide(double at, std::string_view label) {
  if (std::isfinite(at)) guides_.push(Json::object({{"at", at}, {"label", label}}));
  return *this;
}

Chart& Chart::mark(std::uint64_t step, std::string_view label) {
  marks_.push(Json::object({{"at", step}, {"label", label}}));
  return *this;
}

Chart& Chart::line(std::string_view name, claim::Stroke stroke, const std::vector<float>& xs,
                   const std::vector<float>& ys) {
  lines_.push_back(
      {encode_f32(xs), Json::object({{"name", name}, {"stroke", claim::name(stroke)}, {"low", encode_f32(ys)}})});
  return *this;
}

Chart& Chart::extremes(std::string_view name, const Json& xs, const std::vector<float>& low,
                       const std::vector<float>& high) {
  const std::string bottom = encode_f32(low), top = encode_f32(high);
  Json line = Json::object({{"name", name}, {"stroke", claim::name(claim::Stroke::measured)}, {"low", bottom}});
  if (top != bottom) line.set("high", top);
  lines_.push_back({xs, std::move(line)});
  return *this;
}

Chart& Chart::set(std::string_view name, const Json& value) {
  more_.emplace_back(name, value);
  return *this;
}

Json Chart::json() const {
  const bool shared =
      lines_.size() > 1 && std::ranges::all_of(lines_, [&](const Line& line) { return line.xs == lines_[0].xs; });
  Json lines = Json::array();
  for (Line line : lines_) lines.push(shared ? line.line : line.line.set("x", line.xs));
  Json json = Json::object({{"kind", kKindNames[static_cast<std::size_t>(kind_)]},
                            {"title", title_},
                            {"x", axis(x_)},
                            {"y", axis(y_)},
                            {"bands", bands_},
                            {"guides", guides_},
                            {"marks", marks_},
                            {"lines", lines}});
  for (const auto& [name, value] : more_) json.set(name, value);
  if (shared) json.set("xs", lines_[0].xs);
  return json;
}

Json choice(std::string_view label, const std::vector<std::pair<std::string, Json>>& charts) {
  Json options = Json::array();
  for (const auto& [name, chart] : charts) options.push(Json::object({{"name", name}, {"chart", chart}}));
  return Json::object({{"kind", "choice"}, {"label", label}, {"options", options}});
}

}  // namespace adamant::report
