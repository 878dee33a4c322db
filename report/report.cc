#include "report/report.h"

#include <fmt/format.h>

#include <adamant/error.hpp>
#include <adamant/run_log.hpp>
#include <adamant/version.hpp>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "report/assets.h"
#include "report/encode.h"
#include "report/panels.h"
#include "report/run.h"

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
std::string filled(std::string_view page, const std::map<std::string_view, std::string_view>& parts) {
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

}  // namespace

std::string report_html(const ReportInput& input) {
  if (input.runs.empty() && input.claims.empty()) {
    throw Error(ErrorCode::invalid_argument, "report: there is neither a run nor a claim");
  }
  std::size_t tensors = 0;
  std::vector<RunLogReader> readers;
  for (const std::string& path : input.runs) tensors += readers.emplace_back(path).info().tensors.size();
  const Budget budget = budget_for(input.runs.size(), tensors);

  const std::string title = title_of(input);
  Json data = {{"title", title},          {"version", version()},  {"statistics", statistics_json()},
               {"causes", causes_json()}, {"runs", Json::array()}, {"claims", Json::array()}};
  for (std::size_t i = 0; i < readers.size(); ++i) {
    data["runs"].push_back(run_json(read_run(readers[i], input.runs[i], budget)));
  }
  for (const Claim& claim : input.claims) data["claims"].push_back(claim_json(claim));

  // Texts from logs may hold anything: bytes that are not UTF-8 become U+FFFD.
  const std::string json = json_for_html(data.dump(-1, ' ', false, Json::error_handler_t::replace));
  return filled(page_html(), {{"title", escaped(title)},
                              {"css", page_css()},
                              {"d3", d3_js()},
                              {"licence", escaped(d3_licence())},
                              {"data", json},
                              {"js", page_js()}});
}

}  // namespace adamant::report
