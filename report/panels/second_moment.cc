// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What is v doing?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "report/limits.h"
#include "report/panels/coordinates.h"
#include "report/panels/panel.h"
#include "report/panels/statistic_charts.h"
#include "report/words.h"

namespace adamant::report {
namespace {

constexpr std::size_t kHills = 24;    // tensors whose histograms are drawn
constexpr double kNearlyEvery = 0.9;  // share of steps with a gradient below which a coordinate is rarely hit

double shortened(double share) { return std::round(1e4 * share) / 1e4; }

// Histograms of the largest tensors. Bin k holds √v̂ from 2^(k-54); its effective learning rates end at η/2^(k-54).
Json ridgeline(const Run& run) {
  const RunScales& scales = *run.last_scales;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  order.reserve(run.tensors.size());
  for (std::size_t i = 0; i < run.tensors.size(); ++i) order.emplace_back(run.of(run.tensors[i]).size, i);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > kHills) order.resize(kHills);
  Json rows = Json::array();
  double log_sum = 0.0, elements = 0.0;
  for (const auto& [size, i] : order) {
    const TensorRecord& record = run.tensors[i];
    if (record.tensor >= scales.bins.size() || !run.traits(record.tensor).v) continue;
    const auto& bins = scales.bins[record.tensor];
    double seen = 0.0;
    for (const std::uint32_t n : bins) seen += n;
    if (seen == 0.0) continue;
    Json shares = Json::array();
    for (std::size_t k = 1; k < bins.size(); ++k) shares.push(shortened(bins[k] / seen));
    const double typical = run.summary(record, &Moments::typical_lr).recent;
    rows.push(Json::object({{"name", run.of(record).name},
                            {"lr", *run.group(record).options.lr},
                            {"shares", shares},
                            {"dead", shortened(bins[0] / seen)},
                            {"typical", typical}}));
    if (typical > 0.0) {
      log_sum += static_cast<double>(size) * std::log(typical);
      elements += static_cast<double>(size);
    }
  }
  Chart chart(Kind::ridge,
              fmt::format("Effective learning rates η/√v̂, steps {} to {}", scales.first_step, scales.last_step),
              {"effective learning rate", true, false}, {"share of the elements"});
  chart.set("rows", rows).set("first_exponent", -53);
  if (elements > 0.0) chart.set("single", std::exp(log_sum / elements));
  return chart.json();
}

// A coordinate that is hit in a share p of the steps has √v̂ = √p·RMS(g when hit), if v remembers enough of them.
void add_rare(Panel& panel, const Run& run) {
  Json points = Json::array();
  bool any = false, means = false, sums = false;
  for (const ProbeTrack& track : run.probes) {
    const Traits traits = run.traits(track.tensor);
    if (!traits.v) continue;
    double squares = 0.0, hits = 0.0;
    for (const ProbeSample& sample : track.last) {
      squares += std::pow(static_cast<double>(sample.g), 2.0);
      hits += sample.g != 0.0F ? 1.0 : 0.0;
    }
    if (hits == 0.0) continue;
    const double scale = std::sqrt(corrected_v(run, track, track.last.back()));
    if (!(scale > 0.0)) continue;
    const double share = static_cast<double>(track.hits) / static_cast<double>(track.steps);
    any = any || share < kNearlyEvery;
    (traits.forgets ? means : sums) = true;
    points.push(Json::object({{"name", probe_name(run, track.tensor, track.element)},
                              {"x", share},
                              {"y", std::sqrt(squares / hits) / scale}}));
  }
  if (!any) {
    panel.set("rare", "All coordinates that are followed got a gradient in nearly every step.");
    return;
  }
  Chart chart(Kind::points, "Rarely hit coordinates take longer steps", {"share of steps with a gradient", true, false},
              {"RMS(g when hit) / √v̂", true, false});
  chart.set("points", points);
  // A sum of squares grows with the hits, a mean does not: one line cannot stand for both.
  if (means != sums) chart.set("at_one", means ? 1.0 : 1.0 / std::sqrt(static_cast<double>(run.logged)));
  panel.chart("rare", chart.json());
}

std::string rates_of(const Run& run) {
  std::string words;
  const Found most = highest_recent(run, &Moments::typical_lr), least = lowest_recent(run, &Moments::typical_lr);
  if (most.record != nullptr && least.record != most.record) {
    words = fmt::format("Typical learning rates go from {} in {} to {} in {}, a factor of {}. ", number(least.value),
                        name_of(run, least), number(most.value), name_of(run, most), number(most.value / least.value));
  }
  const Found wide = highest_recent(run, &Moments::spread);
  if (wide.record != nullptr) {
    words += fmt::format("Within a tensor they differ most in {}, by {} octaves (one standard deviation). ",
                         name_of(run, wide), number(wide.value));
  }
  return words;
}

Panel second_moment_of(const Run& run) {
  std::string answer = rates_of(run);
  if (!has(run, &Moments::lag)) return {"unseen", answer};
  const Found lag = furthest_above_noise(run);
  const double median = median_recent(run, &Moments::lag);
  const double forgetting = median_recent(run, &Moments::lag, &Traits::forgets);
  const auto [verdict, words] =
      lag.value > info_of(Cause::v_too_slow).yellow   ? std::pair{"too_slow", "did not always keep up"}
      : forgetting < info_of(Cause::v_too_old).yellow ? std::pair{"too_old", "remembers gradients that are gone"}
                                                      : std::pair{"kept_up", "kept up"};
  answer += fmt::format("v {}: R is {} in the median tensor", words, number(median));
  if (lag.record != nullptr) {
    answer += fmt::format(", at most {} times what noise gives, in {} near step {}", number(lag.value),
                          name_of(run, lag), lag.step);
  }
  answer += ".";
  const std::string sums = run.rule_titles(&Traits::sums);
  if (!sums.empty()) answer += fmt::format(" The v of {} never forgets, so R falls with the steps.", sums);
  answer += only_some(run, &Traits::v, "a v");
  return {verdict, answer};
}

std::string never_hit(const Run& run) {
  std::string dead;
  for (const TensorRecord& record : run.tensors) {
    const double share = run.summary(record, &Moments::dead).recent;
    if (share > kWorthAWord) {
      dead += fmt::format("{}{} ({})", dead.empty() ? "" : ", ", run.of(record).name, percent(share));
    }
  }
  return dead.empty() ? "No weight was without gradients all the time."
                      : "Weights that never had a gradient: " + dead + ".";
}

}  // namespace

Panel second_moment_panel(const Run& run) {
  if (!run.any(&Traits::v)) {
    return Panel::absent(
        fmt::format("There is no second moment in {}: every weight gets the same learning rate.", run.rule_titles()));
  }
  Panel panel = second_moment_of(run);
  if (run.last_scales) panel.chart("ridge", ridgeline(run));
  if (has(run, &Moments::lag)) panel.chart("lag", heat_map(run, &Moments::lag));
  if (has(run, &Moments::angle)) panel.chart("angle", over_time(run, &Moments::angle, false));
  add_rare(panel, run);
  panel.set("dead", never_hit(run));
  return panel;
}

}  // namespace adamant::report
