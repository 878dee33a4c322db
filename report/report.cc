// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/report.h"

#include <fmt/format.h>

#include <adamant/error.hpp>
#include <adamant/run_log.hpp>
#include <adamant/version.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "report/assets.h"
#include "report/encode.h"
#include "report/limits.h"
#include "report/payload.h"
#include "report/run.h"
#include "report/words.h"

namespace adamant::report {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

// Puts the parts where the page has {{name}}.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string html;
  for (;;) {
    const std::size_t open = page.find("{{");
    if (open == std::string_view::npos) break;
    const std::size_t close = page.find("}}", open);
    html += page.substr(0, open);
    html += parts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
  return html += page;
}

std::string title_of(const ReportInput& input) {
  if (!input.title.empty()) return input.title;
  if (input.runs.empty()) return "Claims about the two moments";
  const std::string first = std::filesystem::path(input.runs.front()).stem().string();
  return input.runs.size() == 1 ? first : fmt::format("{} and {} more", first, input.runs.size() - 1);
}

// Those that the page's texts name.
std::map<std::string_view, std::string> limits() {
  const Guides step = healthy_band(&Moments::relative_step);
  return {{"spike", number(info_of(Cause::loss_spike).yellow)},
          {"window", number(Health::kWindow)},
          {"slow", number(info_of(Cause::v_too_slow).yellow)},
          {"eps_share", percent(healthy_band(&Moments::eps_tax).high)},
          {"usual_step", number(std::sqrt(step.low * step.high))},
          {"leap", number(Health::kLeap)},
          {"lead", number(kStaleLead)},
          {"around", number(kAround)},
          {"reach", number(kReach)},
          {"recent", number(kRecent)}};
}

}  // namespace

std::string report_html(const ReportInput& input) {
  if (input.runs.empty() && input.claims.empty()) {
    throw Error(ErrorCode::invalid_argument, "report: there is neither a run nor a claim");
  }
  std::size_t tensors = 0;
  std::vector<RunLogReader> readers;
  for (const std::string& path : input.runs) tensors += readers.emplace_back(path).info().tensors.size();
  const Budget budget = budget_for(input.runs.size(), tensors);

  Json runs = Json::array(), claims = Json::array();
  for (std::size_t i = 0; i < readers.size(); ++i) {
    runs.push(run_json(read_run(readers[i], input.runs[i], budget)));
  }
  for (const claim::Claim& claim : input.claims) claims.push(claim_json(claim));
  const std::string title = title_of(input);
  const Json data = Json::object({{"title", title},
                                  {"version", version()},
                                  {"statistics", statistics_json()},
                                  {"causes", causes_json()},
                                  {"runs", runs},
                                  {"claims", claims}});

  std::map<std::string_view, std::string> parts = limits();
  parts["title"] = escaped(title);
  parts["css"] = page_css();
  parts["d3"] = d3_js();
  parts["licence"] = escaped(d3_licence());
  parts["data"] = json_for_html(data.text());
  parts["js"] = page_js();
  return filled(page_html(), parts);
}

}  // namespace adamant::report
