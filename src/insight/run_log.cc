// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Writing run logs.
#include <adamant/error.hpp>
#include <adamant/rule.hpp>
#include <adamant/run_log.hpp>
#include <adamant/targets.hpp>
#include <adamant/version.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <utility>

#include "base/float_environment.h"
#include "base/held.h"
#include "base/text.h"
#include "insight/growing_file.h"
#include "insight/run_format.h"
#include "insight/run_json.h"
#include "insight/run_step.h"
#include "optim/probes.h"

namespace adamant {
namespace {

using run_format::Json;
using Clock = std::chrono::steady_clock;

// Blocks of 256 elements to take the sample of ScaleSample from in a step, or one in 256 if that is more.
constexpr std::uint64_t kSampledBlocks = 16;

constexpr const char* kName = "run log";

// 16 hexadecimal digits, of chance.
std::string new_id() {
  std::random_device random;
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%08x%08x", random(), random());
  return digits;
}

std::vector<RunInfo::Group> groups_of(const Optimizer& optimizer) {
  std::vector<RunInfo::Group> groups;
  groups.reserve(optimizer.group_count());
  for (std::size_t i = 0; i < optimizer.group_count(); ++i) groups.push_back({optimizer.rule(i), optimizer.options(i)});
  return groups;
}

RunInfo::Tensor tensor_of(const Optimizer& optimizer, std::size_t index) {
  TensorInfo tensor = optimizer.tensor(index);
  return {std::move(tensor.name), tensor.size, std::move(tensor.shape), tensor.group};
}

std::vector<RunInfo::Tensor> tensors_of(const Optimizer& optimizer) {
  std::vector<RunInfo::Tensor> tensors;
  tensors.reserve(optimizer.tensor_count());
  for (std::size_t i = 0; i < optimizer.tensor_count(); ++i) tensors.push_back(tensor_of(optimizer, i));
  return tensors;
}

Json to_json(const RunInfo::Group& group) {
  return {{"rule", info(group.rule).name}, {"options", run_format::to_json(group.options)}};
}

bool same(const RunInfo::Group& a, const RunInfo::Group& b) {
  bool all = a.rule == b.rule;
  for_each_option([&](std::string_view, auto option) { all = all && a.options.*option == b.options.*option; });
  return all;
}

bool same(const RunInfo::Tensor& a, const RunInfo::Tensor& b) {
  return a.name == b.name && a.size == b.size && a.shape == b.shape && a.group == b.group;
}

bool differ_in_more_than_lr(const std::vector<RunInfo::Group>& a, const std::vector<RunInfo::Group>& b) {
  const auto but_lr = [](RunInfo::Group group) {
    group.options.lr.reset();
    return to_json(group);
  };
  return !std::ranges::equal(a, b, {}, but_lr, but_lr);
}

Json to_json(const Notes& notes) {
  Json json = Json::object();
  for (const auto& note : notes) {
    std::visit([&](const auto& value) { json[note.first] = value; }, note.second);
  }
  return json;
}

Json to_json(const std::vector<RunInfo::Group>& groups) {
  Json json = Json::array();
  for (const RunInfo::Group& group : groups) json.push_back(to_json(group));
  return json;
}

Json to_json(const std::vector<RunInfo::Tensor>& tensors) {
  Json json = Json::array();
  for (const RunInfo::Tensor& tensor : tensors) {
    json.push_back({{"name", tensor.name}, {"size", tensor.size}, {"shape", tensor.shape}, {"group", tensor.group}});
  }
  return json;
}

// [first bin, count, count, ...] up to the last bin that is not empty.
Json to_json(const std::array<std::uint32_t, ScaleSample::kBins>& bins) {
  Json json = Json::array();
  const auto full = [](std::uint32_t count) { return count > 0; };
  const auto first = std::ranges::find_if(bins, full);
  if (first == bins.end()) return json;
  const auto last = std::find_if(bins.rbegin(), bins.rend(), full).base();
  json.push_back(first - bins.begin());
  for (auto bin = first; bin != last; ++bin) json.push_back(*bin);
  return json;
}

void add(std::array<std::uint32_t, ScaleSample::kBins>& to, const ScaleSample& scales) {
  for (std::size_t bin = 0; bin < to.size(); ++bin) to[bin] += scales.bins[bin];
}

std::string moments_text(const RunStep& step) {
  std::string text;
  for (const TensorStatistics& tensor : step.tensors) {
    for (const double number : run_format::numbers_of(tensor)) run_format::pack(text, number);
  }
  return text;
}

std::string probes_text(const RunStep& step, const std::vector<RunInfo::Probe>& probes) {
  std::string text;
  for (const RunInfo::Probe& followed : probes) {
    const std::vector<Probe>& all = step.tensors[followed.tensor].probes;
    const auto probe = std::ranges::lower_bound(all, followed.element, {}, &Probe::element);
    const bool seen = probe != all.end() && probe->element == followed.element;
    for (const float Probe::* number : {&Probe::g, &Probe::m, &Probe::v, &Probe::u, &Probe::w}) {
      run_format::pack(text, seen ? static_cast<double>((*probe).*number) : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return text;
}

bool has_tensors(const Optimizer& optimizer, const std::vector<RunInfo::Tensor>& tensors) {
  if (optimizer.tensor_count() != tensors.size()) return false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!same(tensors[i], tensor_of(optimizer, i))) return false;
  }
  return true;
}

// As run_info(); an earlier one of the optimizer stays as long as it is right.
std::shared_ptr<const RunInfo> info_now(const Optimizer& optimizer, std::shared_ptr<const RunInfo> known) {
  const bool right = known && known->target == current_target() && has_tensors(optimizer, known->tensors) &&
                     std::ranges::equal(known->groups, groups_of(optimizer),
                                        [](const RunInfo::Group& a, const RunInfo::Group& b) { return same(a, b); });
  if (right) return known;
  known.reset();  // so that its memory serves again
  return std::make_shared<const RunInfo>(run_info(optimizer));
}

// Where a log goes on.
struct Position {
  std::string id;
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t before = 0, last = 0, logged = 0;
  double seconds = 0.0;
  // As they were told last.
  std::vector<RunInfo::Group> groups;
  std::vector<RunInfo::Tensor> tensors;
  std::vector<std::int64_t> behind;
  std::uint64_t scales_from = 0;
  std::vector<std::array<std::uint32_t, ScaleSample::kBins>> scales;
};

std::string to_text(const Position& position) {
  Json scales = Json::array();
  for (const auto& bins : position.scales) scales.push_back(to_json(bins));
  const Json json = {{"log", run_format::kId},
                     {"id", position.id},
                     {"bytes", position.bytes},
                     {"before", position.before},
                     {"last", position.last},
                     {"logged", position.logged},
                     {"seconds", position.seconds},
                     {"groups", to_json(position.groups)},
                     {"tensors", to_json(position.tensors)},
                     {"behind", position.behind},
                     {"scales_from", position.scales_from},
                     {"scales", std::move(scales)}};
  return json.dump();
}

Position position_of(const std::string& text) {
  using namespace run_json;
  try {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) refuse("is not a JSON object");
    if (string_of(at(json, "log"), "log") != run_format::kId) refuse("is of another version");
    Position position;
    position.id = string_of(at(json, "id"), "id");
    const std::pair<const char*, std::uint64_t*> counts[] = {{"bytes", &position.bytes},
                                                             {"before", &position.before},
                                                             {"last", &position.last},
                                                             {"logged", &position.logged},
                                                             {"scales_from", &position.scales_from}};
    for (const auto& [name, value] : counts) *value = count(at(json, name), name);
    position.seconds = number(at(json, "seconds"), "seconds");
    if (!(position.seconds >= 0.0 && position.seconds < 1e9)) refuse("has 'seconds' that no run takes");
    position.groups = run_json::groups_of(json);
    position.tensors = run_json::tensors_of(json, position.groups.size());
    for (const Json& late : array_at(json, "behind")) position.behind.push_back(behind_of(late, position.last));
    for (const Json& bins : array_at(json, "scales")) position.scales.push_back(bins_of(bins));
    if (std::max(position.behind.size(), position.scales.size()) > position.tensors.size()) {
      refuse("has more than there are tensors");
    }
    return position;
  } catch (const Wrong& wrong) {
    throw Error(ErrorCode::invalid_argument, "resume is no position of a run log: it " + wrong.why);
  }
}

// Empty if a run with what is known of it in `before` may have become the other.
template <class Before, class Now>
std::string why_another(const Before& before, const Now& now) {
  std::string why = why_another_run(before.groups, now.groups);
  return why.empty() ? why_another_run(before.tensors, now.tensors) : why;
}

// What the log that is there says about how its run began.
RunInfo info_of_log(const std::string& path, const Position& position) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::io, in_quotes(path) + " cannot go on: it is another log" + why);
  };
  RunInfo info = RunLogReader(path).info();
  if (info.id != position.id) {
    refuse(", " + printable(info.id) + ", than that of the position, " + printable(position.id));
  }
  if (const std::string why = why_another(info, position); !why.empty()) {
    refuse(" than that of the position: " + why);
  }
  return info;
}

}  // namespace

RunInfo run_info(const Optimizer& optimizer) {
  RunInfo info;
  info.version = version();
  info.target = current_target();
  info.groups = groups_of(optimizer);
  info.tensors = tensors_of(optimizer);
  return info;
}

RunStep run_step(const Optimizer& optimizer, double loss, const StepReport& report, const Statistics* statistics,
                 RunStep last) {
  RunStep run;
  run.info = info_now(optimizer, std::move(last.info));
  run.tensors = std::move(last.tensors);
  run.step = optimizer.steps();
  run.loss = loss;
  for (const RunInfo::Group& group : run.info->groups) run.lr.push_back(*group.options.lr);
  run.grad_norm = report.grad_norm;
  run.clip_coefficient = report.clip_coefficient;
  run.applied = report.applied;
  run.nonfinite = report.nonfinite;
  run.tensors.assign(run.info->tensors.size(), {});
  for (std::size_t i = 0; i < run.tensors.size(); ++i) run.tensors[i].tensor = i;
  if (statistics != nullptr) {
    for (const TensorStatistics& seen : statistics->tensors) {
      if (seen.tensor >= run.tensors.size()) {
        throw Error(ErrorCode::mismatch, "the statistics are of another optimizer's step: they have a tensor " +
                                             std::to_string(seen.tensor) + ", and this optimizer has " +
                                             counted(run.tensors.size(), "tensor"));
      }
      run.tensors[seen.tensor] = seen;
    }
  }
  return run;
}

struct RunLog::Impl {
  // A new log.
  Impl(std::string path, const Optimizer& optimizer, RunLogOptions given)
      : options(std::move(given)),
        info(run_info(optimizer)),
        before(optimizer.steps()),
        lines(std::move(path), GrowingFile::Existing::replace) {
    choose_samples();
    info.id = new_id();
    info.title = options.title;
    info.notes = options.notes;
    write_header();
  }

  // One that goes on.
  Impl(std::string path, const Optimizer& optimizer, RunLogOptions given, Position from)
      : options(std::move(given)),
        info(resumed_info(path, optimizer, from)),
        before(from.before),
        last(from.last),
        logged(from.logged),
        lines(std::move(path), from.bytes),
        behind(std::move(from.behind)),
        scales(std::move(from.scales)),
        scales_from(from.scales_from),
        begin(Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(from.seconds))) {
    choose_samples();
    info.groups = std::move(from.groups);
    info.tensors = std::move(from.tensors);
  }

  static RunInfo resumed_info(const std::string& path, const Optimizer& optimizer, const Position& from) {
    refuse_another_run(from, run_info(optimizer));
    return info_of_log(path, from);
  }

  // What to observe, from the tensors that the log began with.
  void choose_samples() {
    std::uint64_t blocks = 0;
    for (const RunInfo::Tensor& tensor : info.tensors) blocks += tensor.size / 256 + 1;
    statistics.sample_every = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(blocks / kSampledBlocks, 1, 256));

    // As many in each tensor, or one in some of them.
    const std::size_t count = info.tensors.size(), followed = std::min(count, run_format::kProbes);
    statistics.probes = static_cast<std::uint32_t>(run_format::kProbes / followed);
    info.probes.clear();
    for (std::size_t k = 0; k < followed; ++k) {
      const std::size_t tensor = k * count / followed;
      for_each_probe(info.tensors[tensor].size, statistics.probes,
                     [&](std::size_t element) { info.probes.push_back({tensor, element}); });
    }
  }

  void add_line(const Json& line) { lines.add(line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'); }

  void write_header() {
    Json probes = Json::array();
    for (const RunInfo::Probe& probe : info.probes) probes.push_back({probe.tensor, probe.element});
    add_line({{"event", "run"},
              {"log", run_format::kId},
              {"id", info.id},
              {"version", info.version},
              {"target", info.target},
              {"title", info.title},
              {"groups", to_json(info.groups)},
              {"tensors", to_json(info.tensors)},
              {"probes", std::move(probes)},
              {"notes", to_json(info.notes)}});
    lines.flush();
    begin = Clock::now();
  }

  [[nodiscard]] bool logs(std::uint64_t step) const { return step == before + 1 || step % options.every == 0; }

  Statistics* for_next_step() {
    statistics.tensors.clear();
    asked = lines.open() && logs(last + 1);
    return asked ? &statistics : nullptr;
  }

  void record(const RunStep& run) {
    check_step(run);
    lines.check();
    if (!lines.open()) {
      throw Error(ErrorCode::invalid_argument,
                  "the run log " + in_quotes(lines.path()) + " has ended: no step can follow");
    }
    refuse_another_run(info, *run.info);
    last = std::max(run.step, last + 1);
    if (logs(last) || !run.applied) write_all(run);
  }

  // A step that is refused leaves the statistics for the one that they are of.
  void step(const Optimizer& optimizer, double loss, const StepReport& report) {
    made = run_step(optimizer, loss, report, asked ? &statistics : nullptr, std::move(made));
    record(made);
    asked = false;
  }

  template <class Before>
  static void refuse_another_run(const Before& before, const RunInfo& now) {
    const std::string why = why_another(before, now);
    if (!why.empty()) throw Error(ErrorCode::mismatch, "the step is of another run than its log: " + why);
  }

  void write_all(const RunStep& run) {
    tell_changes(*run.info);
    write(run);
    if (++logged % run_format::kScalesEvery == 0) write_scales();
    lines.flush_after(options.flush_seconds);
  }

  void tell_changes(const RunInfo& now) {
    if (differ_in_more_than_lr(now.groups, info.groups)) {
      info.groups = now.groups;
      add_line({{"event", "options"}, {"groups", to_json(info.groups)}});
    }
    const auto unchanged = [](const RunInfo::Tensor& a, const RunInfo::Tensor& b) { return same(a, b); };
    if (!std::ranges::equal(now.tensors, info.tensors, unchanged)) {
      info.tensors = now.tensors;
      add_line({{"event", "tensors"}, {"tensors", to_json(info.tensors)}});
    }
  }

  void write(const RunStep& run) {
    behind.resize(run.tensors.size());
    scales.resize(run.tensors.size());
    if (scales_from == 0) scales_from = last;
    bool observed = false, delayed = false;
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const TensorStatistics& tensor = run.tensors[i];
      if (tensor.step == 0) continue;
      observed = true;
      const auto late = static_cast<std::int64_t>(last - tensor.step);
      delayed |= std::exchange(behind[i], late) != late;
      add(scales[i], tensor.scales);
    }

    Json json = {{"event", "step"}, {"step", last}};
    // Milliseconds are enough.
    json["seconds"] = std::round(seconds() * 1e3) / 1e3;
    json["loss"] = run.loss;
    json["lr"] = run.lr;
    if (run.grad_norm) json["grad_norm"] = *run.grad_norm;
    json["clip"] = run.clip_coefficient;
    json["applied"] = run.applied;
    if (run.nonfinite) {
      json["nonfinite"] = {
          {"tensor", run.nonfinite->tensor}, {"element", run.nonfinite->index}, {"count", run.nonfinite->count}};
    }
    if (delayed) json["behind"] = behind;
    if (observed) {
      json["moments"] = moments_text(run);
      json["probes"] = probes_text(run, info.probes);
    }
    add_line(json);
  }

  void write_scales() {
    Json bins = Json::array();
    for (const auto& tensor : scales) bins.push_back(to_json(tensor));
    add_line({{"event", "scales"}, {"first", scales_from}, {"last", last}, {"bins", std::move(bins)}});
    scales.assign(scales.size(), {});
    scales_from = 0;
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }

  std::string position() {
    lines.check();
    if (!lines.open()) {
      throw Error(ErrorCode::invalid_argument,
                  "the run log " + in_quotes(lines.path()) + " has ended: it does not go on");
    }
    lines.sync();
    return to_text({.id = info.id,
                    .bytes = lines.size(),
                    .before = before,
                    .last = last,
                    .logged = logged,
                    .seconds = seconds(),
                    .groups = info.groups,
                    .tensors = info.tensors,
                    .behind = behind,
                    .scales_from = scales_from,
                    .scales = scales});
  }

  void end(const Notes& notes) {
    lines.check();
    if (!lines.open()) return;
    add_line({{"event", "end"}, {"step", last}, {"notes", to_json(notes)}});
    lines.close();
  }

  RunLogOptions options;
  RunInfo info;
  std::uint64_t before;         // steps of the run before this log
  std::uint64_t last = before;  // step that was counted
  std::uint64_t logged = 0;     // steps
  GrowingFile lines;
  RunStep made;  // by step(), the last one
  Statistics statistics;
  bool asked = false;                // for the statistics, of the coming step
  std::vector<std::int64_t> behind;  // of each tensor: steps it has taken fewer than the run
  std::vector<std::array<std::uint32_t, ScaleSample::kBins>> scales;
  std::uint64_t scales_from = 0;  // first step in `scales`; 0: none
  Clock::time_point begin;
};

RunLog::RunLog(std::string path, const Optimizer& optimizer, RunLogOptions options) {
  const FloatEnvironment environment;
  if (options.every == 0) throw Error(ErrorCode::invalid_argument, "every is 0: a run log needs at least 1");
  if (optimizer.tensor_count() == 0) {
    throw Error(ErrorCode::invalid_argument, "the optimizer has no tensor: a run log needs at least 1");
  }
  if (options.resume.empty()) {
    impl_ = std::make_unique<Impl>(std::move(path), optimizer, std::move(options));
  } else {
    Position from = position_of(options.resume);
    impl_ = std::make_unique<Impl>(std::move(path), optimizer, std::move(options), std::move(from));
  }
}
RunLog::~RunLog() = default;
RunLog::RunLog(RunLog&&) noexcept = default;
RunLog& RunLog::operator=(RunLog&&) noexcept = default;

Statistics* RunLog::statistics() { return held(impl_, kName).for_next_step(); }
void RunLog::record(const RunStep& step) {
  const FloatEnvironment environment;
  held(impl_, kName).record(step);
}
void RunLog::step(const Optimizer& optimizer, double loss, const StepReport& report) {
  const FloatEnvironment environment;
  held(impl_, kName).step(optimizer, loss, report);
}
void RunLog::end(const Notes& notes) {
  const FloatEnvironment environment;
  held(impl_, kName).end(notes);
}
void RunLog::flush() {
  GrowingFile& lines = held(impl_, kName).lines;
  if (lines.open()) {
    lines.flush();
  } else {
    lines.check();
  }
}
std::string RunLog::position() {
  const FloatEnvironment environment;
  return held(impl_, kName).position();
}
const std::string& RunLog::path() const { return held(impl_, kName).lines.path(); }

}  // namespace adamant
