// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The panels of the page. Each answers one question about a run, by a sentence and its charts; each has a file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/chart.h"
#include "report/run.h"

namespace adamant::report {

class Panel {
 public:
  /// `verdict` is what the answer says, as a word that stays when the answer is worded anew.
  Panel(std::string_view verdict, std::string_view answer);
  /// A panel with nothing to show. Its verdict is "absent".
  [[nodiscard]] static Panel absent(std::string_view why);

  Panel& chart(std::string_view id, const Json& chart);
  /// What only this panel has.
  Panel& set(std::string_view name, const Json& value);

  [[nodiscard]] Json json() const;

 private:
  Json json_;
  Json charts_ = Json::object();
};

struct PanelInfo {
  std::string_view id;  ///< as in page.html
  Panel (*make)(const Run& run);
};
/// All of them, in the order of the page. They can be made of runs that have a step.
[[nodiscard]] std::span<const PanelInfo> panels();

[[nodiscard]] Panel health_panel(const Run& run);
[[nodiscard]] Panel overview_panel(const Run& run);
[[nodiscard]] Panel first_moment_panel(const Run& run);
[[nodiscard]] Panel second_moment_panel(const Run& run);
[[nodiscard]] Panel bias_correction_panel(const Run& run);
[[nodiscard]] Panel eps_panel(const Run& run);
[[nodiscard]] Panel movement_panel(const Run& run);
[[nodiscard]] Panel spikes_panel(const Run& run);
[[nodiscard]] Panel other_rules_panel(const Run& run);
[[nodiscard]] Panel table_panel(const Run& run);

}  // namespace adamant::report
