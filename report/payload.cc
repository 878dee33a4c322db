// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/payload.h"

#include <fmt/format.h>

#include <adamant/error.hpp>
#include <adamant/health.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "claim/words.h"
#include "report/encode.h"
#include "report/panels/panel.h"
#include "report/settings.h"
#include "report/words.h"

namespace adamant::report {
namespace {

// Each statistic of each tensor over the run: lowest and highest of each bucket, or one where they are the same.
Json series(const Run& run) {
  Json all = Json::object();
  const std::size_t statistics = moment_list().size();
  for (std::size_t k = 0; k < statistics; ++k) {
    Json rows = Json::array();
    bool any = false;
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const auto& low = run.moments.low(i * statistics + k);
      const auto& high = run.moments.high(i * statistics + k);
      if (std::ranges::all_of(low, [](float x) { return std::isnan(x); })) {
        rows.push({});
        continue;
      }
      any = true;
      const std::string bottom = encode_bf16(low), top = encode_bf16(high);
      rows.push(bottom == top ? Json::array({bottom}) : Json::array({bottom, top}));
    }
    if (any) all.set(moment_list()[k].name, rows);
  }
  return all;
}

// A limit in words; "never" where there is none.
std::string limit_of(const CauseInfo& info, double value, std::uint64_t steps) {
  if (std::isnan(value)) return "never";
  return fmt::format("{} {}{}", info.above ? "over" : "under", number(value),
                     steps > 1 ? fmt::format(" in {} steps", steps) : "");
}

// As a light.
const char* state_of(claim::Verdict verdict) {
  if (verdict == claim::Verdict::holds) return "green";
  return verdict == claim::Verdict::does_not_hold ? "red" : "yellow";
}

Json plot_json(const claim::Claim& claim, const claim::Plot& plot) {
  Chart chart(Kind::lines, plot.title, {plot.x, plot.log_x}, {plot.y, plot.log_y});
  for (const claim::Series& line : plot.series) {
    if (line.x.size() != line.y.size()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("claim '{}', plot '{}': line '{}' has {} xs and {} ys", claim.id, plot.title, line.name,
                              line.x.size(), line.y.size()));
    }
    chart.line(line.name, line.stroke, floats(line.x), floats(line.y));
  }
  return chart.json();
}

}  // namespace

Json run_json(const Run& run) {
  Json shown = Json::object();
  if (run.logged == 0) {
    shown.set("health", Panel::absent("The log has no step yet.").json());
  } else {
    for (const auto& [id, make] : panels()) shown.set(id, make(run).json());
  }
  return Json::object(
      {{"name", run.info.title.empty() ? std::filesystem::path(run.path).stem().string() : run.info.title},
       {"path", run.path},
       {"workload", note_named(run.info.notes, "workload")},
       {"rule", run.rule_titles()},
       {"first_step", run.first_step},
       {"last_step", run.last_step},
       {"logged", run.logged},
       {"loss", std::isfinite(run.recent_loss) ? number(run.recent_loss) : "not finite"},
       {"result", run.end ? note_named(*run.end, "loss") : ""},
       {"settings", settings_of(run)},
       {"overview_grid", encode_f32(floats(run.overview.first_steps()))},
       {"tensor_grid",
        Json::array({encode_f32(floats(run.moments.first_steps())), encode_f32(floats(run.moments.last_steps()))})},
       {"series", series(run)},
       {"panels", shown}});
}

Json statistics_json() {
  Json list = Json::array();
  for (const MomentInfo& info : moment_list()) {
    list.push(Json::object({{"name", info.name},
                            {"title", info.title},
                            {"unit", info.unit},
                            {"question", info.question},
                            {"formula", info.formula},
                            {"reading", info.reading}}));
  }
  return list;
}

Json causes_json() {
  Json list = Json::array();
  for (const CauseInfo& info : causes()) {
    const auto light = std::ranges::find(lights(), info.light, &LightInfo::light);
    list.push(Json::array({light->name, info.measure, limit_of(info, info.yellow, info.yellow_steps),
                           limit_of(info, info.red, info.red_steps), info.advice}));
  }
  return list;
}

Json claim_json(const claim::Claim& claim) {
  const claim::Figure first =
      claim.figures.empty() ? claim::Figure{.check = claim::Check::none} : claim.figures.front();
  std::string words = claim.words;
  for (const std::string& note : claim.notes) words += "\n\n" + note;
  Json figures = Json::array(), plots = Json::array();
  for (const claim::Figure& figure : claim.figures) {
    figures.push(Json::array({figure.what, theory_text(figure), measured_text(figure), tolerance_text(figure)}));
  }
  for (const claim::Plot& plot : claim.plots) plots.push(plot_json(claim, plot));
  return Json::object({{"id", claim.id},
                       {"statement", claim.statement},
                       {"theory", claim.formula + ": " + theory_text(first)},
                       {"measured", measured_text(first)},
                       {"tolerance", tolerance_text(first)},
                       {"verdict", verdict_text(claim)},
                       {"state", state_of(claim.verdict())},
                       {"words", words},
                       {"figures", figures},
                       {"plots", plots}});
}

}  // namespace adamant::report
