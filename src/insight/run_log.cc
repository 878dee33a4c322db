// Writing run logs.
#include <adamant/error.hpp>
#include <adamant/rule.hpp>
#include <adamant/run_log.hpp>
#include <adamant/targets.hpp>
#include <adamant/version.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/held.h"
#include "base/text.h"
#include "insight/growing_file.h"
#include "insight/run_format.h"
#include "insight/steps_taken.h"
#include "optim/probes.h"

namespace adamant {
namespace {

using run_format::Json;
using Clock = std::chrono::steady_clock;

// Blocks of 256 elements to take the sample of ScaleSample from in a step, or one in 256 if that is more.
constexpr std::uint64_t kSampledBlocks = 16;

constexpr const char* kName = "run log";

std::vector<RunInfo::Group> groups_of(const Optimizer& optimizer) {
  std::vector<RunInfo::Group> groups;
  groups.reserve(optimizer.group_count());
  for (std::size_t i = 0; i < optimizer.group_count(); ++i) groups.push_back({optimizer.rule(i), optimizer.options(i)});
  return groups;
}

std::vector<RunInfo::Tensor> tensors_of(const Optimizer& optimizer) {
  std::vector<RunInfo::Tensor> tensors;
  tensors.reserve(optimizer.tensor_count());
  for (std::size_t i = 0; i < optimizer.tensor_count(); ++i) {
    TensorInfo tensor = optimizer.tensor(i);
    tensors.push_back({std::move(tensor.name), tensor.size, std::move(tensor.shape), tensor.group});
  }
  return tensors;
}

Json to_json(const RunInfo::Group& group) {
  return {{"rule", info(group.rule).name}, {"options", run_format::to_json(group.options)}};
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

}  // namespace

RunInfo run_info(const Optimizer& optimizer) {
  return {std::string(version()), current_target(), {}, groups_of(optimizer), tensors_of(optimizer), {}, {}};
}

RunStep run_step(const Optimizer& optimizer, std::uint64_t step, double loss, const StepReport& report,
                 const Statistics& statistics) {
  RunStep run;
  run.step = step;
  run.loss = loss;
  for (std::size_t i = 0; i < optimizer.group_count(); ++i) run.lr.push_back(*optimizer.options(i).lr);
  run.grad_norm = report.grad_norm;
  run.clip_coefficient = report.clip_coefficient;
  run.applied = report.applied;
  run.nonfinite = report.nonfinite;
  run.tensors.resize(optimizer.tensor_count());
  for (std::size_t i = 0; i < run.tensors.size(); ++i) run.tensors[i].tensor = i;
  for (const TensorStatistics& seen : statistics.tensors) run.tensors.at(seen.tensor) = seen;
  return run;
}

struct RunLog::Impl {
  Impl(std::string path, const Optimizer& optimizer, RunLogOptions given)
      : options(std::move(given)),
        info(run_info(optimizer)),
        first(steps_taken(optimizer) + 1),
        lines(std::move(path), GrowingFile::Existing::replace) {
    std::uint64_t blocks = 0;
    for (const RunInfo::Tensor& tensor : info.tensors) blocks += tensor.size / 256 + 1;
    statistics.sample_every = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(blocks / kSampledBlocks, 1, 256));

    // As many in each tensor, or one in some of them.
    const std::size_t count = info.tensors.size(), followed = std::min(count, run_format::kProbes);
    statistics.probes = static_cast<std::uint32_t>(run_format::kProbes / followed);
    for (std::size_t k = 0; k < followed; ++k) {
      const std::size_t tensor = k * count / followed;
      for (const std::size_t element : probe_elements(info.tensors[tensor].size, statistics.probes)) {
        info.probes.push_back({tensor, element});
      }
    }
    info.title = options.title;
    info.notes = options.notes;
    write_header();
  }

  void add_line(const Json& line) { lines.add(line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'); }

  void write_header() {
    Json probes = Json::array();
    for (const RunInfo::Probe& probe : info.probes) probes.push_back({probe.tensor, probe.element});
    add_line({{"event", "run"},
              {"log", run_format::kId},
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

  [[nodiscard]] bool logs(std::uint64_t step) const { return step == first || step % options.every == 0; }

  void step(const Optimizer& optimizer, double loss, const StepReport& report) {
    lines.check();
    if (!lines.open()) {
      throw Error(ErrorCode::invalid_argument,
                  "the run log " + in_quotes(lines.path()) + " has ended: no step can follow");
    }
    const std::uint64_t step = first + steps++;
    if (!logs(step) && report.applied) return;  // one that was not applied is always told
    tell_changes(optimizer);
    const RunStep run = run_step(optimizer, step, loss, report, statistics);
    statistics.tensors.clear();
    write(run);
    if (++logged % run_format::kScalesEvery == 0) write_scales(run);
    lines.flush_after(options.flush_seconds);
  }

  void tell_changes(const Optimizer& optimizer) {
    std::vector<RunInfo::Group> groups = groups_of(optimizer);
    if (differ_in_more_than_lr(groups, info.groups)) {
      add_line({{"event", "options"}, {"groups", to_json(groups)}});
      info.groups = std::move(groups);
    }
    if (optimizer.tensor_count() != info.tensors.size()) {
      info.tensors = tensors_of(optimizer);
      add_line({{"event", "tensors"}, {"tensors", to_json(info.tensors)}});
    }
  }

  void write(const RunStep& run) {
    behind.resize(run.tensors.size());
    scales.resize(run.tensors.size());
    if (scales_from == 0) scales_from = run.step;
    bool observed = false, delayed = false;
    for (std::size_t i = 0; i < run.tensors.size(); ++i) {
      const TensorStatistics& tensor = run.tensors[i];
      if (tensor.step == 0) continue;
      observed = true;
      const auto late = static_cast<std::int64_t>(run.step - tensor.step);
      delayed |= std::exchange(behind[i], late) != late;
      add(scales[i], tensor.scales);
    }

    Json json = {{"event", "step"}, {"step", run.step}};
    // Milliseconds are enough.
    json["seconds"] = std::round(std::chrono::duration<double>(Clock::now() - begin).count() * 1e3) / 1e3;
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

  void write_scales(const RunStep& run) {
    Json bins = Json::array();
    for (const auto& tensor : scales) bins.push_back(to_json(tensor));
    add_line({{"event", "scales"}, {"first", scales_from}, {"last", run.step}, {"bins", std::move(bins)}});
    scales.assign(scales.size(), {});
    scales_from = 0;
  }

  void end(const Notes& notes) {
    lines.check();
    if (!lines.open()) return;
    add_line({{"event", "end"}, {"step", first + steps - 1}, {"notes", to_json(notes)}});
    lines.close();
  }

  RunLogOptions options;
  RunInfo info;
  std::uint64_t first;      // the first step of this log
  std::uint64_t steps = 0;  // seen
  std::uint64_t logged = 0;
  GrowingFile lines;
  Statistics statistics;
  std::vector<std::int64_t> behind;  // of each tensor: steps it has taken fewer than the run
  std::vector<std::array<std::uint32_t, ScaleSample::kBins>> scales;
  std::uint64_t scales_from = 0;  // first step in `scales`; 0: none
  Clock::time_point begin;
};

RunLog::RunLog(std::string path, const Optimizer& optimizer, RunLogOptions options) {
  if (options.every == 0) throw Error(ErrorCode::invalid_argument, "every is 0: a run log needs at least 1");
  impl_ = std::make_unique<Impl>(std::move(path), optimizer, std::move(options));
}
RunLog::~RunLog() = default;
RunLog::RunLog(RunLog&&) noexcept = default;
RunLog& RunLog::operator=(RunLog&&) noexcept = default;

Statistics* RunLog::statistics() {
  Impl& log = held(impl_, kName);
  log.statistics.tensors.clear();
  return log.lines.open() && log.logs(log.first + log.steps) ? &log.statistics : nullptr;
}
void RunLog::step(const Optimizer& optimizer, double loss, const StepReport& report) {
  held(impl_, kName).step(optimizer, loss, report);
}
void RunLog::end(const Notes& notes) { held(impl_, kName).end(notes); }
void RunLog::flush() {
  GrowingFile& lines = held(impl_, kName).lines;
  if (lines.open()) {
    lines.flush();
  } else {
    lines.check();
  }
}
const std::string& RunLog::path() const { return held(impl_, kName).lines.path(); }

}  // namespace adamant
