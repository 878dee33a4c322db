// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// When did it hurt?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/panels/panel.h"
#include "report/words.h"

namespace adamant::report {
namespace {

std::string answer_of(const Run& run) {
  std::string answer;
  if (std::isfinite(run.recent_loss)) {
    answer = fmt::format(
        "The loss went from {} to {}, the mean of about the last tenth; its lowest value was {}, at step {}.",
        number(run.first_loss), number(run.recent_loss), number(run.best_loss.value), run.best_loss.step);
  } else {
    answer = "No loss was logged.";
  }
  if (!std::isfinite(run.last_loss)) answer += " At the end it was not finite.";
  if (run.spikes.empty()) {
    answer += " There was no spike.";
  } else {
    std::string steps;
    for (const Spike& spike : run.spikes) steps += fmt::format("{}{}", steps.empty() ? "" : ", ", spike.step);
    answer += fmt::format(" It spiked at step{} {}.", run.spikes.size() == 1 ? "" : "s", steps);
  }
  if (run.skipped > 0) {
    answer += fmt::format(" {} skipped because a gradient was not finite{}.",
                          run.skipped == 1 ? "1 step was" : fmt::format("{} steps were", run.skipped),
                          run.skipped_tensor.empty() ? "" : ", first in " + run.skipped_tensor);
  }
  if (run.clipped > 0) {
    answer += fmt::format(" Clipping shortened the gradients in {} of the steps.",
                          percent(static_cast<double>(run.clipped) / static_cast<double>(run.logged)));
  }
  return answer;
}

}  // namespace

Panel overview_panel(const Run& run) {
  const char* verdict = !std::isfinite(run.last_loss) ? "not_finite" : run.spikes.empty() ? "no_spike" : "spikes";
  Panel panel(verdict, answer_of(run));
  const auto add = [&](const char* id, Overview series, const char* title, const char* label, bool log) {
    const auto& high = run.overview.high(series);
    if (std::all_of(high.begin(), high.end(), [](float value) { return std::isnan(value); })) return;
    Chart chart(Kind::lines, title, run_steps(), {label, log, false});
    chart.extremes(id, "overview", run.overview.low(series), high);
    if (series == kLoss) {
      for (const Spike& spike : run.spikes) chart.mark(spike.step, "spike");
      for (const std::uint64_t step : run.skipped_steps) chart.mark(step, "skipped");
    }
    if (series == kClip) chart.guide(1.0, "nothing clipped");
    panel.chart(id, chart.json());
  };
  const auto& losses = run.overview.low(kLoss);
  const bool positive = std::all_of(losses.begin(), losses.end(), [](float loss) { return !(loss <= 0.0F); });
  add("loss", kLoss, "Loss", "loss", positive);
  add("lr", kLr, "Learning rate", "η", false);
  add("grad_norm", kGradNorm, "Norm of the gradients before clipping", "‖g‖", true);
  if (run.clipped > 0) add("clip", kClip, "Clipping", "factor", false);
  return panel;
}

}  // namespace adamant::report
