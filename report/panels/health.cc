// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Is the run healthy?
#include <fmt/format.h>

#include <algorithm>

#include "report/limits.h"
#include "report/panels/panel.h"
#include "report/words.h"

namespace adamant::report {
namespace {

constexpr std::size_t kMostFindings = 100;

const char* state_name(Severity severity) { return severity == Severity::red ? "red" : "yellow"; }

// Why a light cannot be judged; empty where it can.
std::string unknown(const Run& run, Light light) {
  switch (light) {
    case Light::m:
      if (!run.any(&Traits::m)) return fmt::format("There is no m in {}.", run.rule_titles());
      break;
    case Light::v:
    case Light::eps:
      if (!run.any(&Traits::v)) return fmt::format("There is no v in {}.", run.rule_titles());
      break;
    case Light::input:
    case Light::step:
    case Light::decay:
      break;
    case Light::loss:
      return "";
  }
  return run.observed() ? "" : "The log has no statistics: the steps were taken without them.";
}

// The first of the worst findings that `chosen` takes, or nullptr.
template <class Chosen>
const Finding* worst_finding(const Run& run, Chosen chosen) {
  const Finding* worst = nullptr;
  for (const Finding& finding : run.findings) {
    if (chosen(finding) && (worst == nullptr || finding.severity > worst->severity)) worst = &finding;
  }
  return worst;
}

struct Counts {
  std::size_t red = 0, yellow = 0, green = 0;
};

std::string answer_of(const Run& run, const Counts& counts) {
  const std::size_t all = lights().size();
  std::string answer;
  if (!run.observed()) answer = "Nothing is known of gradients, moments and steps: the log has no statistics. ";
  if (counts.red + counts.yellow == 0) {
    return answer + fmt::format("{}{} of {} lights {} green over {}{}.", run.observed() ? "Yes: " : "", counts.green,
                                all, counts.green == 1 ? "was" : "stayed", count(run.logged, "logged step"),
                                counts.green < all ? "; the others have nothing to look at" : "");
  }
  const Finding* first = worst_finding(run, [](const Finding&) { return true; });
  return answer + fmt::format("{}: of {} lights {} turned red and {} yellow. The first {}, at step {}: {}",
                              counts.red > 0 ? "No" : "Not quite", all, counts.red, counts.yellow,
                              counts.red > 0 ? "red" : "yellow", first->step, first->sentence);
}

}  // namespace

Panel health_panel(const Run& run) {
  Json cards = Json::array();
  Counts counts;
  for (const LightInfo& light : lights()) {
    const Finding* worst = worst_finding(run, [&](const Finding& finding) { return finding.light == light.light; });
    std::string words = unknown(run, light.light);
    const char* state = "grey";
    if (worst != nullptr) {
      state = state_name(worst->severity);
      ++(worst->severity == Severity::red ? counts.red : counts.yellow);
      words = fmt::format("Step {}: {} {}", worst->step, worst->sentence, info_of(worst->cause).advice);
    } else if (words.empty()) {
      state = "green";
      ++counts.green;
      words = "Nothing found.";
    }
    cards.push(Json::object({{"name", light.name}, {"question", light.question}, {"state", state}, {"words", words}}));
  }
  Json findings = Json::array();
  for (std::size_t i = 0; i < std::min(kMostFindings, run.findings.size()); ++i) {
    const Finding& finding = run.findings[i];
    findings.push(
        Json::object({{"step", finding.step}, {"state", state_name(finding.severity)}, {"words", finding.sentence}}));
  }
  const char* verdict = counts.red > 0 ? "red" : counts.yellow > 0 ? "yellow" : run.observed() ? "green" : "grey";
  return Panel(verdict, answer_of(run, counts)).set("lights", cards).set("findings", findings);
}

}  // namespace adamant::report
