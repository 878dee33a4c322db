// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What is m doing?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/panels/statistic_charts.h"
#include "report/words.h"

namespace adamant::report {
namespace {

using claim::Stroke;

double rms(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return values.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(values.size()));
}

// The gradients of a coordinate, and what m and v make of them.
Json microscope(const Run& run, const ProbeTrack& track, const std::vector<ProbeSample>& samples) {
  std::vector<float> steps, g, m, scale, minus_scale;
  for (const ProbeSample& sample : samples) {
    steps.push_back(static_cast<float>(sample.step));
    g.push_back(sample.g);
    m.push_back(static_cast<float>(mean_m(run, track, sample)));
    scale.push_back(static_cast<float>(std::sqrt(corrected_v(run, track, sample))));
    minus_scale.push_back(-scale.back());
  }
  Chart chart(Kind::lines, probe_name(run, track.tensor, track.element), {"step"}, {"gradient"});
  const double band = 2.0 * noise_of_m(run, track) * rms(g);
  chart.band(-band, band, "where m would be if g were noise").guide(0.0, "");
  chart.line("g, each logged step", Stroke::dots, steps, g).line("m, bias-corrected", Stroke::measured, steps, m);
  if (run.traits(track.tensor).v) {
    chart.line("±√v̂", Stroke::theory, steps, scale).line("", Stroke::theory, steps, minus_scale);
  }
  return chart.json();
}

// S, RMS(m̂)/RMS(g) and what noise alone gives for it, of all tensors that have an m together, each with the energy of
// its gradients.
struct Level {
  double signal = kNone, smoothing = kNone, noise = kNone;
};

Level level_of(const Run& run) {
  double gg = 0.0, mg = 0.0, mm = 0.0, noise = 0.0;
  for (const TensorRecord& record : run.tensors) {
    const double s = run.summary(record, &Moments::signal).recent;
    const double smoothing = run.summary(record, &Moments::smoothing).recent;
    const std::optional<Memory> first = run.model(record.tensor, record.step).first;
    // An SGD whose momentum became zero had an m once.
    if (!first || !std::isfinite(s) || !std::isfinite(smoothing)) continue;
    gg += record.recent_gg;
    mg += s * record.recent_gg;
    mm += smoothing * smoothing * record.recent_gg;
    noise += first->squares * record.recent_gg;
  }
  return gg > 0.0 ? Level{mg / gg, std::sqrt(mm / gg), std::sqrt(noise / gg)} : Level{};
}

struct Reading {
  const char *verdict, *words;
};

Reading reading_of(double signal) {
  if (signal < info_of(Cause::overshoot).yellow) return {"overshoot", "steps overshoot, and gradients turn against m"};
  if (signal < kNoise) return {"noise", "gradients are mostly noise, and m averages it out"};
  if (signal < kSteady) return {"partly_steady", "part of the gradient is steady, and m carries it on"};
  return {"steady", "gradients agree from step to step, and m carries them on"};
}

Panel first_moment_of(const Run& run, const Level& level) {
  const auto [s, smoothing, noise] = level;
  if (!std::isfinite(s)) return {"unseen", "No gradient was seen."};
  const Reading reading = reading_of(s);
  std::string answer = fmt::format("m {} {} of each recent gradient{}, and RMS(m̂)/RMS(g) is {} (noise alone: {}): {}.",
                                   s < 0.0 ? "pointed against" : "knew", percent(std::abs(s)),
                                   s < 0.0 ? "" : " before it came", number(smoothing), number(noise), reading.words);
  if (s > 0.0 && s < kSteady) {
    answer += fmt::format(" In a batch {} times as large signal and noise would be equal.", number((1.0 - s) / s));
  }
  answer += only_some(run, &Traits::m, "an m");
  return {reading.verdict, answer};
}

// The coordinate that alternates most. Signs of steps that are apart say nothing about that.
void add_alternation(Panel& panel, const Run& run) {
  if (run.apart() >= kApart) return;
  const ProbeTrack* most = nullptr;
  for (const ProbeTrack& track : run.probes) {
    if (!run.traits(track.tensor).m || track.flip_rate() == 0.0) continue;
    if (most == nullptr || track.flip_rate() > most->flip_rate()) most = &track;
  }
  if (most == nullptr) return;
  const Traits traits = run.traits(most->tensor);
  double mm = 0.0, scale = 0.0;
  for (const ProbeSample& sample : most->last) {
    mm += std::pow(mean_m(run, *most, sample), 2.0);
    scale += traits.v ? corrected_v(run, *most, sample) : std::pow(static_cast<double>(sample.g), 2.0);
  }
  const double b1 = traits.beta1;
  panel.set("alternating",
            fmt::format("The coordinate that alternates most, {}, changed its sign in {} of the last steps. RMS(m̂) is "
                        "{} of {}; strict alternation would leave (1-β1)/(1+β1) = {}, noise {}.",
                        probe_name(run, most->tensor, most->element), percent(most->flip_rate()),
                        number(std::sqrt(mm / scale)), traits.v ? "RMS(√v̂)" : "RMS(g)", number((1.0 - b1) / (1.0 + b1)),
                        number(noise_of_m(run, *most))));
  panel.chart("alternating", microscope(run, *most, most->last));
}

}  // namespace

Panel first_moment_panel(const Run& run) {
  if (!run.any(&Traits::m)) {
    return Panel::absent(fmt::format(
        "There is no first moment in {} in this run: steps go along each gradient as it comes.", run.rule_titles()));
  }
  Panel panel = first_moment_of(run, level_of(run));
  std::vector<std::pair<std::string, Json>> options;
  for (const ProbeTrack* track : shown_probes(run, &Traits::m, run.budget.probes)) {
    const std::string name = probe_name(run, track->tensor, track->element);
    options.emplace_back(name + ", last steps", microscope(run, *track, track->last));
    if (track->steps > track->first.size()) {
      options.emplace_back(name + ", first steps", microscope(run, *track, track->first));
    }
  }
  if (!options.empty()) panel.chart("microscope", choice("Coordinate", options));
  if (has(run, &Moments::smoothing)) panel.chart("smoothing", over_time(run, &Moments::smoothing, true));
  if (has(run, &Moments::signal)) panel.chart("signal", over_time(run, &Moments::signal, false));
  add_alternation(panel, run);
  return panel;
}

}  // namespace adamant::report
