// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/panels/statistic_charts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report/encode.h"

namespace adamant::report {
namespace {

// The two highest and the two lowest at the end.
Json extremes_of(const Run& run, Statistic statistic) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < run.tensors.size(); ++i) {
    const double value = run.summary(run.tensors[i], statistic).recent;
    if (std::isfinite(value)) order.emplace_back(value, i);
  }
  std::sort(order.begin(), order.end());
  std::set<std::size_t> chosen;
  for (std::size_t k = 0; k < std::min<std::size_t>(2, order.size()); ++k) {
    chosen.insert(order[k].second);
    chosen.insert(order[order.size() - 1 - k].second);
  }
  return std::vector<std::size_t>(chosen.begin(), chosen.end());
}

// Those of a tensor, bucket by bucket.
Json guides_of(const Run& run, const TensorRecord& record, const MomentInfo& what) {
  Json json = Json::object({{"rule", info(run.group(record).rule).title}});
  std::vector<float> noise, bound, low, high;
  for (std::size_t i = 0; i < run.moments.buckets(); ++i) {
    const Guides guides = guides_at(run, record, what, i);
    noise.push_back(static_cast<float>(guides.noise));
    bound.push_back(static_cast<float>(guides.bound));
    low.push_back(static_cast<float>(guides.low));
    high.push_back(static_cast<float>(guides.high));
  }
  const auto add = [&json](const char* name, const std::vector<float>& values) {
    if (std::any_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
      json.set(name, encode_bf16(values));
    }
  };
  add("noise", noise);
  add("bound", bound);
  if (std::isfinite(low.back()) && std::isfinite(high.back())) {
    add("low", low);
    add("high", high);
  }
  return json;
}

// For each rule whose tensors have the statistic, those of the largest of them.
Json guides_of(const Run& run, const MomentInfo& what) {
  std::map<Rule, const TensorRecord*> largest;
  for (const TensorRecord& record : run.tensors) {
    if (!std::isfinite(run.summary(record, what.value).recent)) continue;
    const TensorRecord*& so_far = largest[run.group(record).rule];
    if (so_far == nullptr || run.of(record).size > run.of(*so_far).size) so_far = &record;
  }
  Json json = Json::array();
  for (const auto& [rule, record] : largest) json.push(guides_of(run, *record, what));
  return json;
}

}  // namespace

Json over_time(const Run& run, Statistic statistic, bool log) {
  const MomentInfo& what = moment_list()[index_of(statistic)];
  const std::string unit(what.unit);
  return Chart(Kind::tensors, std::string(what.title), run_steps(),
               {std::string(what.formula) + (unit.empty() ? "" : ", in " + unit), log, false})
      .set("statistic", what.name)
      .set("highlight", extremes_of(run, statistic))
      .set("curves", guides_of(run, what))
      .json();
}

Json heat_map(const Run& run, Statistic statistic) {
  const MomentInfo& what = moment_list()[index_of(statistic)];
  return Chart(Kind::heat, std::string(what.title) + ", tensor by tensor", run_steps(),
               {std::string(what.formula), true, false})
      .set("statistic", what.name)
      .set("curves", guides_of(run, what))
      .json();
}

}  // namespace adamant::report
