// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Statistics of the moments, and who is told of every step: run logs, TensorBoard, health checks.
#include <algorithm>
#include <optional>
#include <span>

#include "c/calls.h"

struct adamant_run_log {
  adamant::RunLog log;
  adamant_statistics statistics;  // the log's, while a step is observed
  std::string position;           // the last one that was asked for
};
struct adamant_tensorboard {
  adamant::TensorBoard board;
};
struct adamant_health {
  adamant::Health health;
};

namespace adamant::c {
namespace {

const TensorStatistics& tensor_of(const adamant_statistics* statistics, std::size_t index) {
  const auto& tensors = given(statistics, "statistics").filled->tensors;
  check_index("tensor in the statistics", index, tensors.size());
  return tensors[index];
}

/// 0 is what C++ has by default; a negative number is 0.
double seconds(double given, double by_default) { return given == 0.0 ? by_default : std::max(given, 0.0); }

/// What `observers` are told of the step that the optimizer has just taken.
RunStep step_of(const adamant_optimizer* optimizer, double loss, const adamant_step_report* report,
                const adamant_statistics* statistics) {
  const Optimizer& own = of(optimizer);
  return run_step(own, loss, read_report(report, own), statistics == nullptr ? nullptr : statistics->filled);
}

const LightInfo& info_of(Light light) { return lights()[static_cast<std::size_t>(light)]; }
const CauseInfo& info_of(Cause cause) { return causes()[static_cast<std::size_t>(cause)]; }
std::int32_t number_of(std::optional<Severity> severity) {
  return !severity ? ADAMANT_GREEN : *severity == Severity::red ? ADAMANT_RED : ADAMANT_YELLOW;
}

}  // namespace
}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

adamant_status adamant_statistics_create(const adamant_statistics_options* given_options,
                                         adamant_statistics** statistics) {
  return guarded([&] {
    given(statistics, "statistics") = nullptr;
    const auto options = read_or_default(given_options, "options (adamant_statistics_options)");
    Statistics made;
    made.observe_every = options.observe_every;
    if (options.sample_every != 0) made.sample_every = options.sample_every;
    if (options.probes != 0) made.probes = options.probes;
    if ((options.flags & ADAMANT_NO_SAMPLE) != 0) made.sample_every = 0;
    if ((options.flags & ADAMANT_NO_PROBES) != 0) made.probes = 0;
    if ((options.flags & ~std::uint32_t{ADAMANT_NO_SAMPLE | ADAMANT_NO_PROBES}) != 0) {
      refuse(ErrorCode::invalid_argument,
             "flags of statistics are " + std::to_string(options.flags) + ", of which some are unknown");
    }
    *statistics = new adamant_statistics;
    (*statistics)->own = std::move(made);
  });
}

void adamant_statistics_free(adamant_statistics* statistics) {
  // Those of a run log are a member of it.
  if (statistics != nullptr && statistics->filled == &statistics->own) delete statistics;
}

adamant_status adamant_statistics_count(const adamant_statistics* statistics, size_t* count) {
  return guarded([&] { given(count, "count") = given(statistics, "statistics").filled->tensors.size(); });
}

adamant_status adamant_statistics_get(const adamant_statistics* statistics, size_t index,
                                      adamant_tensor_statistics* tensor) {
  return guarded([&] {
    const TensorStatistics& own = tensor_of(statistics, index);
    static_assert(sizeof(MomentSums) == kMomentSums.size() * sizeof(double));
    adamant_tensor_statistics filled{};
    filled.tensor = own.tensor;
    filled.step = own.step;
    filled.elements = own.elements;
    filled.sums = &own.sums.gg;
    filled.sum_count = kMomentSums.size();
    filled.sample_elements = own.scales.elements;
    filled.sample_zero_grads = own.scales.zero_grads;
    filled.sample_scaled = own.scales.scaled;
    filled.sample_log_sum = own.scales.log_sum;
    filled.sample_log_sq_sum = own.scales.log_sq_sum;
    filled.bins = own.scales.bins.data();
    filled.bin_count = own.scales.bins.size();
    filled.probe_count = own.probes.size();
    write(tensor, filled, "tensor (adamant_tensor_statistics)");
  });
}

adamant_status adamant_statistics_probe(const adamant_statistics* statistics, size_t index, size_t probe,
                                        adamant_probe* value) {
  return guarded([&] {
    const auto& probes = tensor_of(statistics, index).probes;
    check_index("probe", probe, probes.size());
    const Probe& own = probes[probe];
    write(value, adamant_probe{0, own.element, own.g, own.m, own.v, own.u, own.w, 0.0F}, "value (adamant_probe)");
  });
}

adamant_status adamant_statistics_moments(const adamant_statistics* statistics, size_t index,
                                          const adamant_optimizer* optimizer, adamant_moment* moments, size_t count) {
  return guarded([&] {
    constexpr const char* kMoment = "moment (adamant_moment)";
    const TensorStatistics& own = tensor_of(statistics, index);
    const TensorInfo tensor = of(optimizer).tensor(own.tensor);
    const RuleModel model = model_of(of(optimizer).rule(tensor.group), of(optimizer).options(tensor.group), own.step);
    const Moments values = moments_of(own, model);
    const MomentFloors floors = floors_of(model, tensor.size);
    const auto list = moment_list();
    if (count > list.size()) {
      refuse(ErrorCode::mismatch,
             std::to_string(count) + " statistics are asked for, of which there are " + std::to_string(list.size()));
    }
    auto* at = reinterpret_cast<std::byte*>(moments);
    const std::size_t stride = check_array(moments, count, kMoment);
    for (std::size_t i = 0; i < count; ++i, at += stride) {
      const Guides guides = list[i].guides(floors);
      write(reinterpret_cast<adamant_moment*>(at),
            {0, values.*list[i].value, guides.noise, guides.bound, guides.low, guides.high}, kMoment);
    }
  });
}

adamant_status adamant_run_log_open(const char* path, const adamant_optimizer* optimizer,
                                    const adamant_run_log_options* given_options, adamant_run_log** log) {
  return guarded([&] {
    given(log, "log") = nullptr;
    const auto options = read_or_default(given_options, "options (adamant_run_log_options)");
    RunLogOptions made;
    if (options.title != nullptr) made.title = options.title;
    made.notes = read_notes(options.notes, options.note_count);
    if (options.every != 0) made.every = options.every;
    made.flush_seconds = seconds(options.flush_seconds, made.flush_seconds);
    if (options.resume != nullptr) made.resume = options.resume;
    *log = new adamant_run_log{RunLog(std::string(given_text(path, "path")), of(optimizer), std::move(made)), {}, {}};
  });
}

adamant_status adamant_run_log_statistics(adamant_run_log* log, adamant_statistics** statistics) {
  return guarded([&] {
    given(statistics, "statistics");
    Statistics* wanted = given(log, "log").log.statistics();
    if (wanted != nullptr) log->statistics.filled = wanted;
    *statistics = wanted == nullptr ? nullptr : &log->statistics;
  });
}

adamant_status adamant_run_log_step(adamant_run_log* log, const adamant_optimizer* optimizer, double loss,
                                    const adamant_step_report* report) {
  return guarded([&] { given(log, "log").log.step(of(optimizer), loss, read_report(report, of(optimizer))); });
}

adamant_status adamant_run_log_end(adamant_run_log* log, const adamant_value* notes, size_t note_count) {
  return guarded([&] { given(log, "log").log.end(read_notes(notes, note_count)); });
}

adamant_status adamant_run_log_flush(adamant_run_log* log) {
  return guarded([&] { given(log, "log").log.flush(); });
}

adamant_status adamant_run_log_position(adamant_run_log* log, const char** position) {
  return guarded([&] {
    given(position, "position");
    std::string now = given(log, "log").log.position();
    log->position = std::move(now);
    *position = log->position.c_str();
  });
}

void adamant_run_log_free(adamant_run_log* log) { delete log; }

adamant_status adamant_tensorboard_open(const char* folder, const adamant_optimizer* optimizer,
                                        const adamant_tensorboard_options* given_options, adamant_tensorboard** board) {
  return guarded([&] {
    given(board, "board") = nullptr;
    const auto options = read_or_default(given_options, "options (adamant_tensorboard_options)");
    TensorBoardOptions made;
    if (options.max_tags != 0) made.max_tags = options.max_tags;
    for (const char* name : given(options.tensors, options.tensor_count, "tensors")) {
      made.tensors.emplace_back(given_text(name, "name of a tensor"));
    }
    if (options.histogram_every != 0) {
      made.histogram_every = static_cast<std::uint64_t>(std::max<std::int64_t>(options.histogram_every, 0));
    }
    made.flush_seconds = seconds(options.flush_seconds, made.flush_seconds);
    *board =
        new adamant_tensorboard{TensorBoard(std::string(given_text(folder, "folder")), of(optimizer), std::move(made))};
  });
}

adamant_status adamant_tensorboard_step(adamant_tensorboard* board, const adamant_optimizer* optimizer, double loss,
                                        const adamant_step_report* report, const adamant_statistics* statistics) {
  return guarded([&] { given(board, "board").board.record(step_of(optimizer, loss, report, statistics)); });
}

adamant_status adamant_tensorboard_flush(adamant_tensorboard* board) {
  return guarded([&] { given(board, "board").board.flush(); });
}

adamant_status adamant_tensorboard_path(const adamant_tensorboard* board, const char** path) {
  return guarded([&] {
    given(path, "path");
    *path = given(board, "board").board.path().c_str();
  });
}

void adamant_tensorboard_free(adamant_tensorboard* board) { delete board; }

adamant_status adamant_health_create(adamant_health** health) {
  return guarded([&] {
    given(health, "health") = nullptr;
    *health = new adamant_health;
  });
}

void adamant_health_free(adamant_health* health) { delete health; }

adamant_status adamant_health_step(adamant_health* health, const adamant_optimizer* optimizer, double loss,
                                   const adamant_step_report* report, const adamant_statistics* statistics) {
  return guarded([&] { given(health, "health").health.record(step_of(optimizer, loss, report, statistics)); });
}

adamant_status adamant_health_count(const adamant_health* health, size_t* count) {
  return guarded([&] { given(count, "count") = given(health, "health").health.findings().size(); });
}

adamant_status adamant_health_get(const adamant_health* health, size_t index, adamant_finding* finding) {
  return guarded([&] {
    const auto& findings = given(health, "health").health.findings();
    check_index("finding", index, findings.size());
    const Finding& own = findings[index];
    adamant_finding filled{};
    filled.light = info_of(own.light).name.data();
    filled.cause = info_of(own.cause).name.data();
    filled.advice = info_of(own.cause).advice.data();
    filled.tensor = own.tensor.c_str();
    filled.sentence = own.sentence.c_str();
    filled.severity = number_of(own.severity);
    filled.step = own.step;
    filled.more = own.more;
    filled.value = own.value;
    write(finding, filled, "finding (adamant_finding)");
  });
}

adamant_status adamant_health_light(const adamant_health* health, size_t light, int32_t* state) {
  return guarded([&] {
    given(state, "state");
    check_index("light", light, lights().size());
    *state = number_of(given(health, "health").health.state(lights()[light].light));
  });
}
