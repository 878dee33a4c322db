// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/panels/panel.h"

namespace adamant::report {
namespace {

constexpr PanelInfo kPanels[] = {
    {"health", health_panel},     {"overview", overview_panel},    {"m", first_moment_panel},
    {"v", second_moment_panel},   {"bias", bias_correction_panel}, {"eps", eps_panel},
    {"movement", movement_panel}, {"forensics", spikes_panel},     {"replay", other_rules_panel},
    {"table", table_panel},
};

}  // namespace

std::span<const PanelInfo> panels() { return kPanels; }

Panel::Panel(std::string_view verdict, std::string_view answer)
    : json_(Json::object({{"verdict", verdict}, {"answer", answer}})) {}

Panel Panel::absent(std::string_view why) {
  Panel panel("absent", "");
  panel.json_ = Json::object({{"verdict", "absent"}, {"absent", why}});
  return panel;
}

Panel& Panel::chart(std::string_view id, const Json& chart) {
  charts_.set(id, chart);
  return *this;
}

Panel& Panel::set(std::string_view name, const Json& value) {
  json_.set(name, value);
  return *this;
}

Json Panel::json() const { return Json(json_).set("charts", charts_); }

}  // namespace adamant::report
