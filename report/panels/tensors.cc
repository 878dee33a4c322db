// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/panels/tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/words.h"

namespace adamant::report {
namespace {

template <class Chosen>
double median_recent(const Run& run, Statistic statistic, Chosen chosen) {
  std::vector<double> values;
  for (const TensorRecord& record : run.tensors) {
    const double value = run.summary(record, statistic).recent;
    if (std::isfinite(value) && chosen(record)) values.push_back(value);
  }
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

}  // namespace

Found highest_recent(const Run& run, Statistic statistic) {
  return highest(
      run, [&](const TensorRecord& record) { return std::pair{run.summary(record, statistic).recent, run.last_step}; });
}

Found lowest_recent(const Run& run, Statistic statistic) {
  Found found = highest(run, [&](const TensorRecord& record) {
    return std::pair{-run.summary(record, statistic).recent, run.last_step};
  });
  found.value = -found.value;
  return found;
}

Found highest_ever(const Run& run, Statistic statistic) {
  return highest(run, [&](const TensorRecord& record) {
    const Summary::Extreme& high = run.summary(record, statistic).high;
    return std::pair{high.value, high.step};
  });
}

Found furthest_above_noise(const Run& run) {
  const std::size_t place = index_of(&Moments::lag), statistics = moment_list().size();
  Found found;
  for (std::size_t b = 0; b < run.moments.buckets(); ++b) {
    const std::uint64_t step = run.moments.first_steps()[b];
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const auto lag = static_cast<double>(run.moments.high(i * statistics + place)[b]);
      const double noise = guides_at(run, run.tensors[i], moment_list()[place], b).noise;
      if (std::isfinite(lag / noise) && !(found.value >= lag / noise)) found = {&run.tensors[i], lag / noise, step};
    }
  }
  return found;
}

const TensorRecord* largest(const Run& run, Statistic statistic) {
  const TensorRecord* found = nullptr;
  for (const TensorRecord& record : run.tensors) {
    if (!std::isfinite(run.summary(record, statistic).recent)) continue;
    if (found == nullptr || run.of(record).size > run.of(*found).size) found = &record;
  }
  return found;
}

const std::string& name_of(const Run& run, const Found& found) { return run.of(*found.record).name; }

double median_recent(const Run& run, Statistic statistic) {
  return median_recent(run, statistic, [](const TensorRecord&) { return true; });
}

double median_recent(const Run& run, Statistic statistic, Trait trait) {
  return median_recent(run, statistic, [&](const TensorRecord& record) { return run.traits(record.tensor).*trait; });
}

bool has(const Run& run, Statistic statistic) { return largest(run, statistic) != nullptr; }

std::string only_some(const Run& run, Trait trait, std::string_view what) {
  const auto having = std::ranges::count_if(
      run.info.tensors, [&](const RunInfo::Tensor& tensor) { return traits_of(run.info.groups[tensor.group]).*trait; });
  if (static_cast<std::size_t>(having) == run.info.tensors.size()) return "";
  return fmt::format(" {} of {} have {}: their rule is {}.", having, count(run.info.tensors.size(), "tensor"), what,
                     run.rule_titles(trait));
}

Guides guides_at(const Run& run, const TensorRecord& record, const MomentInfo& what, std::size_t bucket) {
  auto [rule, options] = run.group(record);
  options.lr = static_cast<double>(run.rates.high(run.of(record).group)[bucket]);
  const std::uint64_t ago = run.last_step - run.moments.first_steps()[bucket];
  const std::uint64_t t = record.step > ago ? record.step - ago : 1;
  return what.guides(floors_of(rule, options, t, run.of(record).size));
}

}  // namespace adamant::report
