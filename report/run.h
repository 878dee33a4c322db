// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the report keeps of a run: read once, from front to end, in memory that does not grow with the steps.
#pragma once

#include <adamant/health.hpp>
#include <adamant/model.hpp>
#include <adamant/moments.hpp>
#include <adamant/run_log.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "report/forensics.h"
#include "report/probes.h"
#include "report/replay.h"
#include "report/timeline.h"

namespace adamant::report {

constexpr std::uint64_t kRecent = 64;  ///< most steps whose mean stands for the end of a run
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// How much may be kept of one run.
struct Budget {
  std::size_t overview_buckets = 1000;
  std::size_t tensor_buckets = 160;
  std::size_t tensors = 4000;     ///< the largest are drawn
  std::size_t later = 4000;       ///< to so many, with those that are added in the middle of a run
  std::size_t probe_steps = 300;  ///< of the first and of the last steps
  std::size_t probes = 8;         ///< shown one by one
  std::size_t spikes = 6;
  std::size_t replay_buckets = 200;
};
/// What fits into a page of 5 MB with that many runs and that many tensors in all of them.
[[nodiscard]] Budget budget_for(std::size_t runs, std::size_t tensors);

/// What the rule of a group has, with its options.
struct Traits {
  bool m = false, v = false;  ///< first moment, second moment
  bool forgets = false;       ///< v is an average
  bool sums = false;          ///< v is a sum
  bool corrected = false;     ///< m or v is corrected for its start at 0
  double beta1 = 0.0;         ///< 0 without m
  double beta2 = 0.0;         ///< 0 without v; 1 where it does not forget
};
[[nodiscard]] Traits traits_of(const RunInfo::Group& group);
/// One of them that is so or not: &Traits::m.
using Trait = bool Traits::*;

/// The series of Run::overview.
enum Overview : std::size_t { kLoss, kLr, kGradNorm, kClip, kOverviewSeries };

/// Place of a statistic in moment_list().
[[nodiscard]] std::size_t index_of(double Moments::* value);

/// A statistic of a tensor over the run.
struct Summary {
  struct Extreme {
    double value = kNone;
    std::uint64_t step = 0;
  };
  double last = kNone;
  double recent = kNone;  ///< mean of about the last tenth of the steps, at most 64; of `signal` a ratio of means
  Extreme low, high;
};

/// A tensor that is drawn.
struct TensorRecord {
  std::size_t tensor = 0;           ///< index in RunInfo
  std::vector<Summary> statistics;  ///< in the order of moment_list()
  double recent_gg = 0.0;           ///< mean Σ g², as `recent`
  double decrease = 0.0;            ///< Σ of `decrease` over the logged steps
  std::uint64_t step = 0;           ///< of this tensor, the last one seen
  std::uint64_t seen = 0;           ///< logged steps in which it was observed
};

struct Run {
  Budget budget;
  std::string path;
  std::uint64_t bytes = 0;  ///< of the log; 0: a pipe, which has no size
  RunInfo info;
  std::optional<Notes> end;

  std::uint64_t logged = 0, first_step = 0, last_step = 0;
  double seconds = 0.0;
  double first_loss = kNone, last_loss = kNone;
  double recent_loss = kNone;  ///< mean of about the last tenth of the steps, at most 20
  Summary::Extreme best_loss;
  std::uint64_t clipped = 0;
  std::uint64_t skipped = 0;                 ///< steps that were not applied
  std::vector<std::uint64_t> skipped_steps;  ///< the first 100
  std::string skipped_tensor;                ///< where the first was not finite

  Timeline overview{kOverviewSeries, 2};
  Timeline moments{0, 2};  ///< series: index in `tensors` · statistics + statistic
  Timeline rates{0, 2};    ///< learning rate of each group, in the same buckets
  std::vector<TensorRecord> tensors;
  std::optional<RunScales> first_scales, last_scales;
  std::vector<ProbeTrack> probes;
  Replay replay;
  std::vector<Spike> spikes;
  std::vector<Finding> findings;

  /// The tensor's group, with its options at the end of the run.
  [[nodiscard]] const RunInfo::Group& group(const TensorRecord& record) const {
    return info.groups[info.tensors[record.tensor].group];
  }
  [[nodiscard]] Traits traits(std::size_t tensor) const { return traits_of(info.groups[info.tensors[tensor].group]); }
  /// Whether the rule of any group has it: a run may mix rules.
  [[nodiscard]] bool any(Trait trait) const {
    return std::ranges::any_of(info.groups, [trait](const RunInfo::Group& group) { return traits_of(group).*trait; });
  }
  /// The tensor's rule, with its options at the end of the run, at step t of the tensor.
  [[nodiscard]] RuleModel model(std::size_t tensor, std::uint64_t t) const {
    const RunInfo::Group& group = info.groups[info.tensors[tensor].group];
    return model_of(group.rule, group.options, t);
  }
  [[nodiscard]] const Summary& summary(const TensorRecord& record, double Moments::* value) const {
    return record.statistics[index_of(value)];
  }
  /// Whether any step had statistics.
  [[nodiscard]] bool observed() const {
    return std::any_of(tensors.begin(), tensors.end(), [](const TensorRecord& record) { return record.seen > 0; });
  }
  /// Steps from one logged step to the next, on average.
  [[nodiscard]] double apart() const {
    return logged < 2 ? 1.0 : static_cast<double>(last_step - first_step) / static_cast<double>(logged - 1);
  }
  /// Of all groups, over the whole run.
  [[nodiscard]] double highest_rate() const { return highest(overview.high(kLr)); }
  /// Of the tensor's group, over the whole run.
  [[nodiscard]] double highest_rate(const TensorRecord& record) const { return highest(rates.high(of(record).group)); }
  /// Each rule of its groups, once: "AdamW, SGD"; only those that have that.
  [[nodiscard]] std::string rule_titles(std::optional<Trait> trait = {}) const;
  [[nodiscard]] const RunInfo::Tensor& of(const TensorRecord& record) const { return info.tensors[record.tensor]; }

 private:
  // Without the NaN of the buckets before a group was there.
  static double highest(const std::vector<float>& rates) {
    return static_cast<double>(std::accumulate(rates.begin(), rates.end(), std::nanf(""), std::fmaxf));
  }
};

/// Takes the steps of a run one by one.
class Collector {
 public:
  explicit Collector(const RunInfo& info, const Budget& budget = {});
  /// `info` as it is at this step: it may have got more tensors and other options.
  void add(const RunInfo& info, const RunStep& step);
  void add(const RunScales& scales);
  /// The run; the collector is empty then.
  [[nodiscard]] Run finish();

 private:
  void choose_tensors(const RunInfo& info);
  void add_tensor(TensorRecord& record, std::size_t first_series, const TensorStatistics& seen, const Moments& moments);

  Budget budget_;
  Run run_;
  Health health_;
  Forensics forensics_;
  ProbeRecorder probes_;
  Replayer replayer_;
};

/// Reads the log at that path, from its first step.
[[nodiscard]] Run read_run(RunLogReader& reader, const std::string& path, const Budget& budget);

}  // namespace adamant::report
