// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What C++ gives to the page is what the page knows, and the other way round: panels, charts, kinds of charts, and
// their members by name. No browser is needed for that.
#include <gtest/gtest.h>

#include <adamant/health.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "report/assets.h"
#include "report/chart.h"
#include "report/panels/panel.h"
#include "report/payload.h"
#include "tests/report/trial.h"

namespace adamant::report {
namespace {

using Names = std::set<std::string>;
using Parsed = nlohmann::json;

// The first group of each match that has one.
Names found(std::string_view text, const char* pattern) {
  Names names;
  const std::string all(text);
  const std::regex wanted(pattern);
  for (std::sregex_iterator match(all.begin(), all.end(), wanted), end; match != end; ++match) {
    for (std::size_t group = 1; group < match->size(); ++group) {
      if ((*match)[group].matched) names.insert((*match)[group].str());
    }
  }
  return names;
}

// What is used by script and page: "m/signal" is the chart signal of the panel m.
struct Used {
  Names panels, charts, extras, kinds, chart_members, run_members;
};

Used used() {
  Used names;
  const std::string html(page_html());
  const std::regex section("<section data-panel=\"(\\w+)\"([^]*?)</section>");
  for (std::sregex_iterator match(html.begin(), html.end(), section), end; match != end; ++match) {
    const std::string panel = (*match)[1];
    names.panels.insert(panel);
    for (const std::string& id : found((*match)[2].str(), "data-chart=\"(\\w+)\""))
      names.charts.insert(panel + "/" + id);
    for (const std::string& id : found((*match)[2].str(), "data-extra=\"(\\w+)\""))
      names.extras.insert(panel + "/" + id);
  }
  names.kinds = found(page_js(), "kinds\\.(\\w+) = \\{");
  names.chart_members = found(page_js(), "\\bspec\\.(\\w+)");
  names.run_members = found(page_js(), "\\brun\\.(\\w+)|\\bruns\\[\\w+\\]\\.(\\w+)");
  return names;
}

// What runs have had so far.
struct Given : Used {
  void add(const Run& run) {
    const Parsed json = Parsed::parse(run_json(run).text());
    for (const auto& [name, value] : json.items()) run_members.insert(name);
    for (const auto& [panel, content] : json["panels"].items()) {
      panels.insert(panel);
      for (const auto& [name, value] : content.items()) {
        if (name == "charts") {
          for (const auto& [id, chart] : value.items()) {
            charts.insert(std::string(panel).append("/").append(id));
            add(chart);
          }
        } else if (value.is_string() && name != "verdict" && name != "answer" && name != "absent") {
          extras.insert(std::string(panel).append("/").append(name));
        }
      }
      for (const Parsed& spike : content.value("spikes", Parsed::array())) {
        for (const Parsed& chart : spike["charts"]) add(chart);
      }
    }
  }

 private:
  void add(const Parsed& chart) {
    for (const auto& [name, value] : chart.items()) {
      if (name != "label") chart_members.insert(name);  // of a choice; the script says menu.label
    }
    if (chart["kind"] != "choice") {
      kinds.insert(chart["kind"].get<std::string>());
      return;
    }
    for (const Parsed& option : chart["options"]) add(option["chart"]);
  }
};

// Runs that have everything: decay, clipping, a spike, alternation, rare gradients, histograms.
Given given() {
  Given all;
  const auto loss = [](std::uint64_t step, double x) { return step == 300 ? 5.0 : 1.0 + 0.01 * x; };
  Trial rich(Rule::adamw, {.lr = 1e-3, .weight_decay = 0.1}, {512, 512, 512}, 30.0);
  Run run = rich.run(
      340,
      [](std::uint64_t step, std::size_t t, double x) {
        if (t == 1) return step % 2 == 0 ? 1.0 : -1.0;
        return t == 2 && step % 5 != 0 ? 0.0 : x;
      },
      loss);
  run.last_scales.emplace(RunScales{1, 128, {3, {10, 20, 30}}});
  all.add(run);
  Trial plain(Rule::adamw);
  all.add(plain.noise_only(60));
  Trial mixed({Rule::sgd, {}}, {Rule::adamw, {}});
  all.add(mixed.noise_only(60));
  return all;
}

TEST(Contract, PagesAndPanelsHaveTheSameNames) {
  const Given sent = given();
  const Used known = used();
  EXPECT_EQ(sent.panels, known.panels);
  EXPECT_EQ(sent.charts, known.charts);
  EXPECT_EQ(sent.extras, known.extras);
  EXPECT_EQ(sent.kinds, known.kinds);
  EXPECT_EQ(Names(kKindNames.begin(), kKindNames.end()), known.kinds);
  EXPECT_EQ(sent.chart_members, known.chart_members);
  EXPECT_EQ(sent.run_members, known.run_members);
}

TEST(Contract, PanelsComeInTheOrderOfThePage) {
  std::size_t last = 0;
  for (const PanelInfo& panel : panels()) {
    const std::size_t at = page_html().find("data-panel=\"" + std::string(panel.id) + "\"");
    ASSERT_NE(at, std::string_view::npos) << panel.id;
    EXPECT_GT(at, last) << panel.id;
    last = at;
  }
}

// The list of causes is words: they say the numbers that are used.
TEST(Contract, CausesSayTheirLimits) {
  const auto measure = [](Cause cause) {
    for (const CauseInfo& info : causes()) {
      if (info.cause == cause) return info.measure;
    }
    return std::string_view();
  };
  for (const Cause cause : {Cause::loss_spike, Cause::bad_batch}) {
    EXPECT_NE(measure(cause).find("last " + std::to_string(Health::kWindow) + " steps"), std::string_view::npos);
  }
  EXPECT_NE(measure(Cause::bad_batch).find("over 2.3 times"), std::string_view::npos);
  EXPECT_EQ(Health::kLeap, 2.3);
}

}  // namespace
}  // namespace adamant::report
