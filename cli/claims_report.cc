#include "cli/claims_report.h"

#include <fmt/format.h>

#include <adamant/targets.hpp>
#include <cmath>

#include "cli/json.h"

namespace adamant::cli {
namespace {

using lab::Check;
using lab::Claim;
using lab::Figure;
using lab::Finding;
using lab::Plot;
using lab::Series;
using lab::Stroke;
using lab::Verdict;

// "0.2294", "≥ 1".
std::string theory_text(const Figure& figure) {
  switch (figure.check) {
    case Check::near:
      return fmt::format("{:.4g}", figure.theory);
    case Check::at_least:
      return fmt::format("≥ {:.4g}", figure.theory);
    case Check::at_most:
      return fmt::format("≤ {:.4g}", figure.theory);
    case Check::none:
      break;
  }
  return "-";
}

std::string tolerance_text(const Figure& figure) {
  return figure.check == Check::none || figure.tolerance == 0.0 ? "" : fmt::format("±{:.2g}", figure.tolerance);
}

// "0.2294 ±0.0046"
std::string expected_text(const Figure& figure) {
  const std::string tolerance = tolerance_text(figure);
  return tolerance.empty() ? theory_text(figure) : theory_text(figure) + " " + tolerance;
}

std::string measured_text(const Figure& figure) {
  return figure.standard_error == 0.0 ? fmt::format("{:.4g}", figure.measured)
                                      : fmt::format("{:.4g} ±{:.2g}", figure.measured, figure.standard_error);
}

std::string finding_text(const Figure& figure) {
  if (figure.check == Check::none) return "";
  switch (figure.finding()) {
    case Finding::shown:
      return "yes";
    case Finding::open:
      return "open";
    case Finding::refuted:
      break;
  }
  return figure.beyond ? "no longer" : "no";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) array.push_back(number(value));
  return array;
}

// What theory gives and what was measured, of a figure and so of a claim.
void put_numbers(Json& json, const Figure& figure) {
  const bool compared = figure.check != Check::none;
  json["theory"] = compared ? number(figure.theory) : Json();
  json["measured"] = number(figure.measured);
  json["tolerance"] = compared ? number(figure.tolerance) : Json();
  json["check"] = lab::name(figure.check);
  json["standard_error"] = figure.standard_error == 0.0 ? Json() : number(figure.standard_error);
}

Json json_of(const Figure& figure) {
  Json json = {{"id", figure.id}, {"what", figure.what}};
  put_numbers(json, figure);
  json["beyond"] = figure.beyond;
  json["found"] = finding_text(figure);
  return json;
}

Json json_of(const Plot& plot) {
  Json series = Json::array();
  for (const Series& s : plot.series) {
    const char* stroke = s.stroke == Stroke::dots ? "dots" : s.stroke == Stroke::theory ? "theory" : "measured";
    series.push_back({{"name", s.name}, {"stroke", stroke}, {"x", numbers(s.x)}, {"y", numbers(s.y)}});
  }
  return {{"title", plot.title}, {"x", plot.x},         {"y", plot.y},
          {"log_x", plot.log_x}, {"log_y", plot.log_y}, {"series", std::move(series)}};
}

Json json_of(const Claim& claim) {
  Json json = {{"id", claim.id}, {"statement", claim.statement}, {"formula", claim.formula}};
  put_numbers(json, claim.figures.front());
  json["verdict"] = lab::name(claim.verdict());
  json["condition"] = claim.condition.empty() ? Json() : Json(claim.condition);
  json["words"] = claim.words;
  json["notes"] = claim.notes;
  for (const char* list : {"figures", "plots"}) json[list] = Json::array();
  for (const Figure& figure : claim.figures) json["figures"].push_back(json_of(figure));
  for (const Plot& plot : claim.plots) json["plots"].push_back(json_of(plot));
  return json;
}

constexpr const char* kRow = "{:<22} {:<18} {:<20} {}\n";

}  // namespace

std::string verdict_text(const Claim& claim) {
  const bool conditional = claim.verdict() == Verdict::holds_if;
  return std::string(lab::name(claim.verdict())) + (conditional ? " " + claim.condition : "");
}

void print_claims(std::span<const Claim> claims, bool figures, bool interrupted) {
  fmt::print(kRow, "claim", "theory", "measured", "verdict");
  for (const Claim& claim : claims) {
    const Figure& first = claim.figures.front();
    fmt::print("\n");
    fmt::print(kRow, claim.id, expected_text(first), measured_text(first), verdict_text(claim));
    fmt::print("  {}.\n  {}\n", claim.statement, claim.formula);
    if (figures) {
      for (const Figure& figure : claim.figures) {
        fmt::print(kRow, "    " + figure.id, expected_text(figure), measured_text(figure),
                   fmt::format("{:<10}{}", finding_text(figure), figure.what));
      }
    }
    for (const std::string& note : claim.notes) fmt::print("  {}\n", note);
  }
  fmt::print(
      "\n± after a theory: how far the measured number may be away; after a measured one: standard error over "
      "seeds.\n");
  if (interrupted) fmt::print("Interrupted: only what was finished is shown.\n");
}

report::Claim report_of(const Claim& claim) {
  const Figure& first = claim.figures.front();
  report::Claim page{.id = claim.id,
                     .statement = claim.statement,
                     .theory = claim.formula + ": " + theory_text(first),
                     .measured = measured_text(first),
                     .tolerance = tolerance_text(first),
                     .verdict = verdict_text(claim),
                     .words = claim.words,
                     .figures = {},
                     .plots = {}};
  for (const std::string& note : claim.notes) page.words += "\n\n" + note;
  for (const Figure& figure : claim.figures) {
    page.figures.push_back({figure.what, theory_text(figure), measured_text(figure), tolerance_text(figure)});
  }
  for (const Plot& plot : claim.plots) {
    report::Plot drawn{plot.title, plot.x, plot.y, plot.log_x, plot.log_y, {}};
    for (const Series& series : plot.series) {
      const report::Stroke stroke = series.stroke == Stroke::dots     ? report::Stroke::dots
                                    : series.stroke == Stroke::theory ? report::Stroke::theory
                                                                      : report::Stroke::measured;
      drawn.lines.push_back({series.name, series.x, series.y, stroke});
    }
    page.plots.push_back(std::move(drawn));
  }
  return page;
}

void print_claims_json(std::span<const Claim> claims, bool interrupted) {
  Json array = Json::array();
  for (const Claim& claim : claims) array.push_back(json_of(claim));
  const Json json = {
      {"command", "claims"}, {"target", current_target()}, {"interrupted", interrupted}, {"claims", std::move(array)}};
  print_json(json, 1);
}

}  // namespace adamant::cli
