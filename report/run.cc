// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/run.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>
#include <utility>

namespace adamant::report {
namespace {

// Weight of the newest of so many steps in what is recent: about a tenth of them, at most 64, of the loss 20.
double recent_weight(std::uint64_t steps, double most = kRecent) {
  return 1.0 / std::clamp(0.1 * static_cast<double>(steps), 1.0, most);
}
// Characters that the page can spend: on the overviews, on the probes; on the tensors' series what is left of the sum
// after the rest of each run, but neither more nor less than so much.
constexpr double kOverviewText = 0.6e6, kProbeText = 0.5e6;
constexpr double kSumText = 3.4e6, kRestText = 50e3, kMostTensorText = 2.8e6, kLeastTensorText = 0.5e6;
constexpr double kBf16Text = 8.0 / 3.0, kF32Text = 16.0 / 3.0;

std::size_t bounded(double wanted, std::size_t low, std::size_t high) {
  return std::clamp(static_cast<std::size_t>(std::max(0.0, wanted)), low, high) / 2 * 2;
}

TensorRecord record_of(std::size_t tensor) {
  TensorRecord record;
  record.tensor = tensor;
  record.statistics.resize(moment_list().size());
  return record;
}

// Until where the start of a coordinate is recorded: v has forgotten it in every group.
double early_steps(const RunInfo& info) {
  double beta2 = 0.0;
  for (const RunInfo::Group& group : info.groups) beta2 = std::max(beta2, traits_of(group).beta2);
  return 5.0 / std::max(1e-4, 1.0 - beta2);
}

// Mean of recent values.
void blend(double& mean, double value, double weight) {
  if (!std::isfinite(value)) return;
  mean = std::isfinite(mean) ? mean + weight * (value - mean) : value;
}

void note_extremes(Summary& summary, double value, std::uint64_t step) {
  if (!std::isfinite(value)) return;
  summary.last = value;
  if (!(summary.low.value <= value)) summary.low = {value, step};
  if (!(summary.high.value >= value)) summary.high = {value, step};
}

}  // namespace

std::size_t index_of(double Moments::* value) {
  const auto list = moment_list();
  const auto at =
      std::find_if(list.begin(), list.end(), [value](const MomentInfo& info) { return info.value == value; });
  return static_cast<std::size_t>(at - list.begin());
}

Budget budget_for(std::size_t runs, std::size_t tensors) {
  const auto r = static_cast<double>(std::max<std::size_t>(1, runs));
  const auto t = static_cast<double>(std::max<std::size_t>(1, tensors));
  const double bucket = 2.0 * static_cast<double>(moment_list().size()) * kBf16Text;  // of a tensor
  const double guides = 9.0 * 4.0 * kBf16Text + 2.0 * kF32Text;                       // of a run, in each bucket
  const double text = std::clamp(kSumText - kRestText * r, kLeastTensorText, kMostTensorText);
  Budget budget;
  budget.tensor_buckets = bounded(text / (bucket * t + guides * r), 8, 320);
  budget.tensors = bounded(text / (bucket * 8.0 * r), 2, 100000);
  budget.later = bounded(text / (bucket * static_cast<double>(budget.tensor_buckets) * r), 0, budget.tensors);
  budget.overview_buckets =
      bounded(kOverviewText / (2.0 * static_cast<double>(kOverviewSeries) * kF32Text * r), 32, 1200);
  if (runs > 8) {
    budget.probes = 2;
    budget.spikes = 1;
    budget.replay_buckets = 50;
  }
  budget.probe_steps = bounded(kProbeText / (2.0 * 5.0 * static_cast<double>(budget.probes) * kF32Text * r), 40, 300);
  return budget;
}

Traits traits_of(const RunInfo::Group& group) {
  const RuleModel model = model_of(group.rule, group.options, 1);
  return {.m = model.first.has_value(),
          .v = model.second.has_value(),
          .forgets = model.second && model.second->memory.ratio < 1.0,
          .sums = model.second && model.second->memory.ratio == 1.0,
          .corrected = model.first_corrected || (model.second && model.second->corrected),
          .beta1 = model.first ? model.first->ratio : 0.0,
          .beta2 = model.second ? model.second->memory.ratio : 0.0};
}

std::string Run::rule_titles(std::optional<Trait> trait) const {
  std::string titles;
  std::set<Rule> named;
  for (const RunInfo::Group& group : info.groups) {
    if (trait && !(traits_of(group).**trait)) continue;
    if (!named.insert(group.rule).second) continue;
    titles += titles.empty() ? "" : ", ";
    titles += adamant::info(group.rule).title;
  }
  return titles;
}

Collector::Collector(const RunInfo& info, const Budget& budget)
    : budget_(budget),
      forensics_(budget.spikes),
      probes_(budget.probe_steps, early_steps(info)),
      replayer_(info, budget.replay_buckets) {
  run_.info = info;
  run_.budget = budget;
  run_.overview = Timeline(kOverviewSeries, budget.overview_buckets);
  run_.moments = Timeline(0, budget.tensor_buckets);
  run_.rates = Timeline(info.groups.size(), budget.tensor_buckets);
  choose_tensors(info);
}

// The largest, in the order of the run.
void Collector::choose_tensors(const RunInfo& info) {
  std::vector<std::size_t> order(info.tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() > budget_.tensors) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return info.tensors[a].size > info.tensors[b].size; });
    order.resize(budget_.tensors);
    std::sort(order.begin(), order.end());
  }
  for (const std::size_t tensor : order) {
    run_.tensors.push_back(record_of(tensor));
  }
  run_.moments.add_series(run_.tensors.size() * moment_list().size());
}

void Collector::add(const RunInfo& info, const RunStep& step) {
  for (std::size_t t = run_.info.tensors.size(); t < info.tensors.size(); ++t) {
    if (run_.tensors.size() >= budget_.later) break;
    run_.tensors.push_back(record_of(t));
    run_.moments.add_series(moment_list().size());
  }
  if (info.tensors.size() != run_.info.tensors.size()) run_.info = info;
  run_.info.groups = info.groups;
  run_.rates.add_series(info.groups.size() - run_.rates.series());

  if (run_.logged++ == 0) {
    run_.first_step = step.step;
    run_.first_loss = step.loss;
  }
  run_.last_step = step.step;
  run_.seconds = step.seconds;
  run_.last_loss = step.loss;
  blend(run_.recent_loss, step.loss, recent_weight(run_.logged, 20.0));
  if (std::isfinite(step.loss) && !(run_.best_loss.value <= step.loss)) run_.best_loss = {step.loss, step.step};
  if (step.clip_coefficient < 1.0) ++run_.clipped;
  if (!step.applied) {
    ++run_.skipped;
    if (run_.skipped_steps.size() < 100) run_.skipped_steps.push_back(step.step);
    if (run_.skipped_tensor.empty() && step.nonfinite) run_.skipped_tensor = step.nonfinite->tensor;
  }
  run_.overview.begin(step.step);
  run_.overview.put(kLoss, step.loss);
  run_.overview.put(kLr, *std::max_element(step.lr.begin(), step.lr.end()));
  run_.overview.put(kGradNorm, step.grad_norm.value_or(kNone));
  run_.overview.put(kClip, step.clip_coefficient);

  std::vector<Moments> moments;
  moments.reserve(step.tensors.size());
  for (std::size_t t = 0; t < step.tensors.size(); ++t) {
    const RunInfo::Group& group = info.groups[info.tensors[t].group];
    moments.push_back(moments_of(step.tensors[t], group.rule, group.options));
  }
  run_.moments.begin(step.step);
  run_.rates.begin(step.step);
  for (std::size_t g = 0; g < step.lr.size(); ++g) run_.rates.put(g, step.lr[g]);
  for (std::size_t i = 0; i < run_.tensors.size(); ++i) {
    if (run_.tensors[i].tensor >= step.tensors.size()) continue;
    const TensorStatistics& seen = step.tensors[run_.tensors[i].tensor];
    if (seen.elements != 0) {
      add_tensor(run_.tensors[i], i * moment_list().size(), seen, moments[run_.tensors[i].tensor]);
    }
  }
  std::vector<std::array<float, kWatched>> watched;
  watched.reserve(moments.size());
  for (std::size_t t = 0; t < moments.size(); ++t) {
    const bool observed = step.tensors[t].elements != 0;
    watched.push_back({static_cast<float>(moments[t].lag), static_cast<float>(moments[t].update),
                       static_cast<float>(moments[t].signal),
                       static_cast<float>(observed ? std::sqrt(step.tensors[t].sums.gg) : kNone)});
  }
  forensics_.add(step, std::move(watched));
  probes_.add(info, step);
  replayer_.add(info, step);
  const std::size_t known = health_.findings().size();
  health_.record(step, moments);
  for (std::size_t i = known; i < health_.findings().size(); ++i) {
    const Finding& finding = health_.findings()[i];
    if (finding.cause == Cause::loss_spike) forensics_.spike(finding.value);
  }
}

void Collector::add_tensor(TensorRecord& record, std::size_t first_series, const TensorStatistics& seen,
                           const Moments& moments) {
  static const std::size_t kSignalIndex = index_of(&Moments::signal);
  const double weight = recent_weight(++record.seen);
  const double before_gg = record.recent_gg;
  record.recent_gg += weight * (seen.sums.gg - record.recent_gg);
  record.step = seen.step;
  if (std::isfinite(moments.decrease)) record.decrease += moments.decrease;
  for (std::size_t k = 0; k < moment_list().size(); ++k) {
    const double value = moments.*moment_list()[k].value;
    Summary& summary = record.statistics[k];
    note_extremes(summary, value, run_.last_step);
    run_.moments.put(first_series + k, value);
    if (k != kSignalIndex) {
      blend(summary.recent, value, weight);
    } else if (std::isfinite(value) && record.recent_gg > 0.0) {
      // Means of <m̂_old, g> and of ‖g‖², then their ratio.
      const double before = std::isfinite(summary.recent) ? summary.recent * before_gg : value * seen.sums.gg;
      summary.recent = (before + weight * (value * seen.sums.gg - before)) / record.recent_gg;
    }
  }
}

void Collector::add(const RunScales& scales) {
  if (!run_.first_scales) run_.first_scales = scales;
  run_.last_scales = scales;
}

Run Collector::finish() {
  run_.probes = probes_.finish();
  run_.replay = replayer_.finish();
  run_.spikes = forensics_.finish();
  run_.findings = health_.findings();
  return std::move(run_);
}

Run read_run(RunLogReader& reader, const std::string& path, const Budget& budget) {
  Collector collector(reader.info(), budget);
  RunStep step;
  std::uint64_t scales = 0;  // last step of the histograms seen
  for (bool more = true; more;) {
    more = reader.next(step);
    if (more) collector.add(reader.info(), step);
    // They may be the last line.
    if (reader.scales() && reader.scales()->last_step != scales) {
      scales = reader.scales()->last_step;
      collector.add(*reader.scales());
    }
  }
  Run run = collector.finish();
  run.path = path;
  if (std::filesystem::is_regular_file(path)) run.bytes = std::filesystem::file_size(path);
  run.end = reader.end();
  return run;
}

}  // namespace adamant::report
