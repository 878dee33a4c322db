// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include <adamant/error.hpp>
#include <adamant/moments.hpp>
#include <adamant/tensorboard.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/float_environment.h"
#include "base/held.h"
#include "base/text.h"
#include "insight/event_file.h"
#include "insight/growing_file.h"
#include "insight/run_step.h"
#include "kernel/sums.h"

namespace adamant {
namespace {

void add_scalar(Message& summary, std::string_view tag, double value) {
  Message entry;
  entry.text(1, tag);
  entry.narrow(2, value);
  summary.text(1, entry.bytes());
}

// Of log2 √v̂, in octaves. A bucket reaches from the limit before it to its own.
void add_histogram(Message& summary, std::string_view tag, const ScaleSample& scales) {
  std::size_t first = 1, last = ScaleSample::kBins - 1;
  while (first < last && scales.bins[first] == 0) ++first;
  while (first < last && scales.bins[last] == 0) --last;
  std::vector<double> limits{static_cast<double>(first) - 54.0}, counts{0.0};
  for (std::size_t bin = first; bin <= last; ++bin) {
    limits.push_back(static_cast<double>(bin) - 53.0);
    counts.push_back(scales.bins[bin]);
  }
  Message histogram;
  histogram.number(1, limits.front());
  histogram.number(2, limits.back());
  histogram.number(3, static_cast<double>(scales.scaled));
  histogram.number(4, scales.log_sum);
  histogram.number(5, scales.log_sq_sum);
  histogram.numbers(6, limits);
  histogram.numbers(7, counts);
  Message entry;
  entry.text(1, tag);
  entry.text(5, histogram.bytes());
  summary.text(1, entry.bytes());
}

// Adds a tensor to what is known of its group, as if all of its elements were like those that were observed.
void add(TensorStatistics& to, const TensorStatistics& from, std::size_t size) {
  to.step = std::max(to.step, from.step);
  to.scales += from.scales;
  if (from.elements == 0) return;
  to.elements += size;
  const double scale = static_cast<double>(size) / static_cast<double>(from.elements);
  const Sums added = scaled(std::bit_cast<Sums>(from.sums), scale);
  to.sums = std::bit_cast<MomentSums>(joined(std::bit_cast<Sums>(to.sums), added));
}

std::string tag_of(const MomentInfo& info, std::string_view of) {
  return std::string(info.name).append("/").append(of);
}

void add_moments(Message& summary, std::string_view of, const Moments& moments) {
  for (const MomentInfo& info : moment_list()) {
    if (!std::isnan(moments.*info.value)) add_scalar(summary, tag_of(info, of), moments.*info.value);
  }
}

// The least and the greatest of each statistic so far.
struct Range {
  std::vector<double> least = std::vector<double>(moment_list().size(), std::numeric_limits<double>::infinity());
  std::vector<double> greatest = std::vector<double>(moment_list().size(), -std::numeric_limits<double>::infinity());

  void add(const Moments& moments) {
    for (std::size_t k = 0; k < least.size(); ++k) {
      const double value = moments.*moment_list()[k].value;
      if (std::isnan(value)) continue;
      least[k] = std::min(least[k], value);
      greatest[k] = std::max(greatest[k], value);
    }
  }
  void write(Message& summary) const {
    for (std::size_t k = 0; k < least.size(); ++k) {
      if (least[k] > greatest[k]) continue;
      add_scalar(summary, tag_of(moment_list()[k], "of tensors/least"), least[k]);
      add_scalar(summary, tag_of(moment_list()[k], "of tensors/greatest"), greatest[k]);
    }
  }
};

// Written for every run.
constexpr const char* kWriterName = "TensorBoard log";
constexpr std::string_view kLoss = "loss", kGradNorm = "grad_norm", kClip = "clip", kScales = "scales";
constexpr std::size_t kAlways = 4;

// Which kinds of tags a file has.
struct Plan {
  bool rates = false, tensors = false, range = false, groups = false;
};

Plan plan_of(std::size_t all, std::size_t groups, const TensorBoardOptions& options) {
  const std::size_t each = moment_list().size();
  std::size_t room = options.max_tags - kAlways;
  const auto fits = [&room](std::size_t tags) {
    if (tags > room) return false;
    room -= tags;
    return true;
  };
  Plan plan;
  plan.rates = fits(groups);
  plan.tensors = fits(each * (options.tensors.empty() ? all : options.tensors.size()));
  plan.range = all > 1 && fits(2 * each);
  plan.groups = fits(each * groups);
  return plan;
}

void check(const TensorBoardOptions& options, const Optimizer& optimizer) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::invalid_argument, why); };
  if (options.max_tags < kAlways) {
    refuse("max_tags of " + std::to_string(options.max_tags) + " must be at least " + std::to_string(kAlways));
  }
  if (!(options.flush_seconds >= 0.0)) {
    refuse("flush_seconds of " + text(options.flush_seconds) + " must be at least 0");
  }
  for (const std::string& name : options.tensors) static_cast<void>(optimizer.tensor_index(name));
  if (!options.tensors.empty() && !plan_of(optimizer.tensor_count(), optimizer.group_count(), options).tensors) {
    refuse(std::to_string(options.tensors.size()) + " tensors of " + std::to_string(moment_list().size()) +
           " tags do not fit into max_tags of " + std::to_string(options.max_tags));
  }
}

// Of a file that is not there yet; makes the folder.
std::string new_path(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::io, "the folder " + in_quotes(folder) + " cannot be made: " + error.message());
  static std::atomic<unsigned> files = 0;
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '-';
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  const std::string name = "events.out.tfevents." + std::to_string(seconds) + "." + host + "." +
                           std::to_string(getpid()) + "." + std::to_string(files++);
  return (std::filesystem::path(folder) / name).string();
}

}  // namespace

struct TensorBoard::Impl {
  TensorBoardOptions options;
  GrowingFile file;
  std::uint64_t last;  // step of the run
  ScaleSample scales;  // since the last histogram
  RunStep made;        // by step(), the last one

  Impl(const std::string& folder, const Optimizer& optimizer, TensorBoardOptions chosen)
      : options((check(chosen, optimizer), std::move(chosen))),
        file(new_path(folder), GrowingFile::Existing::refuse),
        last(optimizer.steps()) {
    Message event = event_now();
    event.text(3, "brain.Event:2");
    file.add(record_of(event));
    if (last > 0) start_session(last + 1);
    file.flush();
  }

  // What there is of that step and later ones, in this file or an earlier one of its folder, is no longer to be shown.
  void start_session(std::uint64_t step) {
    Message session;
    session.integer(1, 1);
    Message event = event_now();
    event.integer(2, step);
    event.text(7, session.bytes());
    file.add(record_of(event));
  }

  void record(const RunStep& run) {
    check_step(run);
    file.check();
    if (run.step <= last) start_session(run.step);
    last = run.step;
    const Plan plan = plan_of(run.info->tensors.size(), run.info->groups.size(), options);
    Message summary;
    add_scalar(summary, kLoss, run.loss);
    if (run.grad_norm) add_scalar(summary, kGradNorm, *run.grad_norm);
    add_scalar(summary, kClip, run.clip_coefficient);
    for (std::size_t g = 0; plan.rates && g < run.lr.size(); ++g) {
      add_scalar(summary, "lr/" + std::to_string(g), run.lr[g]);
    }
    add_statistics(summary, plan, run);
    if (scales.scaled > 0 && last % options.histogram_every == 0) {
      add_histogram(summary, kScales, scales);
      scales = {};
    }
    Message event = event_now();
    event.integer(2, last);
    event.text(5, summary.bytes());
    file.add(record_of(event));
    file.flush_after(options.flush_seconds);
  }

  void add_statistics(Message& summary, const Plan& plan, const RunStep& run) {
    std::vector<TensorStatistics> groups(run.info->groups.size());
    Range range;
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const TensorStatistics& seen = run.tensors[i];
      if (seen.step == 0) continue;
      const RunInfo::Tensor& tensor = run.info->tensors[i];
      const RunInfo::Group& group = run.info->groups.at(tensor.group);
      TensorStatistics whole;
      add(whole, seen, tensor.size);
      add(groups[tensor.group], whole, tensor.size);
      if (options.histogram_every > 0) scales += seen.scales;
      const Moments moments = moments_of(whole, group.rule, group.options);
      range.add(moments);
      const auto& chosen = options.tensors;
      if (plan.tensors && (chosen.empty() || std::ranges::find(chosen, tensor.name) != chosen.end())) {
        add_moments(summary, tensor.name, moments);
      }
    }
    if (plan.range) range.write(summary);
    for (std::size_t g = 0; plan.groups && g < groups.size(); ++g) {
      add_moments(summary, "groups/" + std::to_string(g),
                  moments_of(groups[g], run.info->groups[g].rule, run.info->groups[g].options));
    }
  }
};

TensorBoard::TensorBoard(const std::string& folder, const Optimizer& optimizer, TensorBoardOptions options) {
  const FloatEnvironment environment;
  impl_ = std::make_unique<Impl>(folder, optimizer, std::move(options));
}
TensorBoard::~TensorBoard() = default;
TensorBoard::TensorBoard(TensorBoard&&) noexcept = default;
TensorBoard& TensorBoard::operator=(TensorBoard&&) noexcept = default;

void TensorBoard::step(const Optimizer& optimizer, double loss, const StepReport& report,
                       const Statistics* statistics) {
  Impl& board = held(impl_, kWriterName);
  board.made = run_step(optimizer, loss, report, statistics, std::move(board.made));
  record(board.made);
}
void TensorBoard::record(const RunStep& step) {
  const FloatEnvironment environment;
  held(impl_, kWriterName).record(step);
}
void TensorBoard::flush() { held(impl_, kWriterName).file.flush(); }
const std::string& TensorBoard::path() const { return held(impl_, kWriterName).file.path(); }

}  // namespace adamant
