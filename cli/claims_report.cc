// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/claims_report.h"

#include <fmt/format.h>

#include <adamant/targets.hpp>
#include <cmath>

#include "claim/words.h"
#include "cli/json.h"

namespace adamant::cli {
namespace {

using claim::Check;
using claim::Claim;
using claim::Figure;
using claim::Finding;
using claim::Plot;
using claim::Series;

// "0.2294 ±0.0046"
std::string expected_text(const Figure& figure) {
  const std::string tolerance = tolerance_text(figure);
  return tolerance.empty() ? theory_text(figure) : theory_text(figure) + " " + tolerance;
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
  json["check"] = name(figure.check);
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
    series.push_back({{"name", s.name}, {"stroke", name(s.stroke)}, {"x", numbers(s.x)}, {"y", numbers(s.y)}});
  }
  return {{"title", plot.title}, {"x", plot.x},         {"y", plot.y},
          {"log_x", plot.log_x}, {"log_y", plot.log_y}, {"series", std::move(series)}};
}

Json json_of(const Claim& claim) {
  Json json = {{"id", claim.id}, {"statement", claim.statement}, {"formula", claim.formula}};
  put_numbers(json, claim.figures.front());
  json["verdict"] = name(claim.verdict());
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

void print_claims_json(std::span<const Claim> claims, bool interrupted) {
  Json array = Json::array();
  for (const Claim& claim : claims) array.push_back(json_of(claim));
  const Json json = {
      {"command", "claims"}, {"target", current_target()}, {"interrupted", interrupted}, {"claims", std::move(array)}};
  print_json(json, 1);
}

}  // namespace adamant::cli
