#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/encode.h"

namespace adamant::report {
namespace {

Json axis(const Axis& axis) { return {{"label", axis.label}, {"log", axis.log}, {"steps", axis.steps}}; }

const char* name(Stroke stroke) {
  switch (stroke) {
    case Stroke::measured:
      return "measured";
    case Stroke::theory:
      return "theory";
    case Stroke::dots:
      return "dots";
  }
  return "";
}

}  // namespace

Chart::Chart(std::string_view kind, std::string title, const Axis& x, const Axis& y)
    : json_{{"kind", kind},           {"title", std::move(title)}, {"x", axis(x)},           {"y", axis(y)},
            {"bands", Json::array()}, {"guides", Json::array()},   {"marks", Json::array()}, {"lines", Json::array()}} {
}

Chart& Chart::band(double from, double to, std::string label) {
  if (std::isfinite(from) && std::isfinite(to)) {
    json_["bands"].push_back({{"from", from}, {"to", to}, {"label", std::move(label)}});
  }
  return *this;
}

Chart& Chart::guide(double at, std::string label) {
  if (std::isfinite(at)) json_["guides"].push_back({{"at", at}, {"label", std::move(label)}});
  return *this;
}

Chart& Chart::mark(std::uint64_t step, std::string label) {
  json_["marks"].push_back({{"at", step}, {"label", std::move(label)}});
  return *this;
}

Chart& Chart::line(std::string line_name, Stroke stroke, const std::vector<float>& xs, const std::vector<float>& ys) {
  json_["lines"].push_back(
      {{"name", std::move(line_name)}, {"stroke", name(stroke)}, {"x", encode_f32(xs)}, {"low", encode_f32(ys)}});
  return *this;
}

Chart& Chart::extremes(std::string line_name, Json xs, const std::vector<float>& low, const std::vector<float>& high) {
  std::string bottom = encode_f32(low), top = encode_f32(high);
  const bool same = bottom == top;
  Json line = {
      {"name", std::move(line_name)}, {"stroke", "measured"}, {"x", std::move(xs)}, {"low", std::move(bottom)}};
  if (!same) line["high"] = std::move(top);
  json_["lines"].push_back(std::move(line));
  return *this;
}

Chart& Chart::set(const char* member, Json value) {
  json_[member] = std::move(value);
  return *this;
}

Json Chart::json() const {
  Json json = json_;
  Json& lines = json["lines"];
  const auto same = [&](const Json& line) { return line["x"] == lines[0]["x"]; };
  if (lines.size() > 1 && std::all_of(lines.begin(), lines.end(), same)) {
    const Json xs = lines[0]["x"];
    for (Json& line : lines) line.erase("x");
    json["xs"] = xs;
  }
  return json;
}

Json choice(std::string label, std::vector<std::pair<std::string, Json>> charts) {
  Json json = {{"kind", "choice"}, {"label", std::move(label)}, {"options", Json::array()}};
  for (auto& [name, chart] : charts) json["options"].push_back({{"name", name}, {"chart", std::move(chart)}});
  return json;
}

std::string number(double value) {
  if (std::abs(value) >= 1000.0 && std::abs(value) < 1e6) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string percent(double share) {
  const double value = 100.0 * share;
  if (value != 0.0 && std::abs(value) < 0.01) return "less than 0.01%";
  if (value != 0.0 && std::abs(value) < 10.0) return fmt::format("{:.2g}%", value);
  return fmt::format("{:.0f}%", value);
}

std::string count(std::uint64_t n, std::string_view thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

std::vector<float> floats(const std::vector<double>& values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(static_cast<float>(value));
  return result;
}

}  // namespace adamant::report
