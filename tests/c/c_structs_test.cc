// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the structs of the C interface say is what C++ says, member by member; and what their options ask for happens.
#include <adamant/adamant.h>
#include <gtest/gtest.h>

#include <adamant/adamant.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "c/calls.h"
#include "tests/support/buffers.h"
#include "tests/support/files.h"

namespace adamant::testing {
namespace {

/// A struct that a call has filled.
template <class S, class Call>
S told(Call&& call) {
  S filled{};
  filled.struct_size = sizeof(filled);
  EXPECT_EQ(call(&filled), ADAMANT_OK) << adamant_last_error();
  return filled;
}

/// A struct of zeros.
template <class S>
S zeros() {
  S made{};
  made.struct_size = sizeof(made);
  return made;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::vector<std::string> names_in(std::int32_t list) {
  std::vector<std::string> names;
  std::size_t count = 0;
  EXPECT_EQ(adamant_count(list, &count), ADAMANT_OK);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    EXPECT_EQ(adamant_get_name(list, i, &name), ADAMANT_OK);
    names.emplace_back(name);
  }
  return names;
}

template <class Entries>
std::vector<std::string> names_of(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.emplace_back(entry.name);
  return names;
}

OptionValue value_of(std::int32_t kind, std::int32_t flag, const double (&number)[2]) {
  if (kind == ADAMANT_FLAG) return flag == 1;
  if (kind == ADAMANT_PAIR) return std::array{number[0], number[1]};
  EXPECT_EQ(kind, ADAMANT_NUMBER);
  return number[0];
}

TEST(CStructs, NameTheEntriesOfEveryList) {
  const auto texts = [](const auto& names) { return std::vector<std::string>(names.begin(), names.end()); };
  EXPECT_EQ(names_in(ADAMANT_RULES), names_of(rules()));
  EXPECT_EQ(names_in(ADAMANT_SETTINGS), names_of(setting_list()));
  EXPECT_EQ(names_in(ADAMANT_FORMATS), names_of(formats()));
  EXPECT_EQ(names_in(ADAMANT_STATE_FORMATS), names_of(state_formats()));
  EXPECT_EQ(names_in(ADAMANT_WEIGHT_FORMATS), names_of(weight_formats()));
  EXPECT_EQ(names_in(ADAMANT_PRESETS), texts(presets()));
  EXPECT_EQ(names_in(ADAMANT_TARGETS), adamant::targets());
  EXPECT_EQ(names_in(ADAMANT_MOMENTS), names_of(moment_list()));
  EXPECT_EQ(names_in(ADAMANT_SUMS), names_of(kMomentSums));
  EXPECT_EQ(names_in(ADAMANT_LIGHTS), names_of(lights()));
}

TEST(CStructs, DescribeRulesAndTheirOptions) {
  for (std::size_t r = 0; r < rules().size(); ++r) {
    const RuleInfo& rule = rules()[r];
    const auto info = told<adamant_rule_info>([&](auto* to) { return adamant_get_rule(r, to); });
    EXPECT_EQ(std::string_view(info.name), rule.name);
    EXPECT_EQ(std::string_view(info.title), rule.title);
    ASSERT_EQ(info.option_count, rule.options.size());
    for (std::size_t i = 0; i < rule.options.size(); ++i) {
      const OptionInfo& option = rule.options[i];
      SCOPED_TRACE(std::string(rule.name) + " " + std::string(option.name));
      const auto said =
          told<adamant_option_info>([&](auto* to) { return adamant_get_option_info(rule.name.data(), i, to); });
      EXPECT_EQ(std::string_view(said.name), option.name);
      EXPECT_EQ(said.default_text, to_text(option.default_value));
      EXPECT_EQ(value_of(said.kind, said.default_flag, said.default_number), option.default_value);
      EXPECT_EQ(std::string_view(said.range), option.range.text);
      EXPECT_EQ(said.least, option.range.least);
      EXPECT_EQ(said.most, option.range.most);
      EXPECT_EQ(said.or_zero, option.range.or_zero ? 1 : 0);
    }
  }
}

TEST(CStructs, DescribeSettings) {
  const std::map<SettingKind, std::int32_t> kinds = {{SettingKind::word, ADAMANT_WORD},
                                                     {SettingKind::number, ADAMANT_NUMBER},
                                                     {SettingKind::count, ADAMANT_COUNT},
                                                     {SettingKind::flag, ADAMANT_FLAG}};
  for (std::size_t i = 0; i < setting_list().size(); ++i) {
    const SettingInfo& setting = setting_list()[i];
    const auto said = told<adamant_setting_info>([&](auto* to) { return adamant_get_setting_info(i, to); });
    EXPECT_EQ(std::string_view(said.name), setting.name);
    EXPECT_EQ(said.default_text, get_setting({}, setting.name));
    EXPECT_EQ(std::string_view(said.range), setting.range);
    EXPECT_EQ(said.kind, kinds.at(setting.kind)) << setting.name;
  }
}

template <class Infos>
void expect_formats(std::int32_t list, const Infos& infos) {
  for (std::size_t i = 0; i < infos.size(); ++i) {
    SCOPED_TRACE(infos[i].name);
    const auto said = told<adamant_format_info>([&](auto* to) { return adamant_get_format(list, i, to); });
    EXPECT_EQ(std::string_view(said.name), infos[i].name);
    EXPECT_EQ(said.bytes, infos[i].bytes);
    std::optional<Format> element;
    if constexpr (requires { infos[i].group; }) {
      EXPECT_EQ(said.group, infos[i].group);
      EXPECT_EQ(said.group_bytes, infos[i].group_bytes);
      EXPECT_EQ(said.compact, infos[i].compact ? 1 : 0);
      element = infos[i].element;
    } else {
      EXPECT_EQ(said.group, 1U);
      EXPECT_EQ(said.group_bytes, 0U);
      EXPECT_EQ(said.compact, 0);
      element = infos[i].format;
    }
    EXPECT_EQ(said.element, element ? static_cast<std::int32_t>(*element) : -1);
    EXPECT_EQ(said.max_finite, element ? info(*element).max_finite : 0.0);
    EXPECT_EQ(said.smallest_normal, element ? info(*element).smallest_normal : 0.0);
  }
}

TEST(CStructs, DescribeFormats) {
  expect_formats(ADAMANT_FORMATS, formats());
  expect_formats(ADAMANT_STATE_FORMATS, state_formats());
  expect_formats(ADAMANT_WEIGHT_FORMATS, weight_formats());
}

TEST(CStructs, DescribeMoments) {
  for (std::size_t i = 0; i < moment_list().size(); ++i) {
    const MomentInfo& moment = moment_list()[i];
    const auto said = told<adamant_moment_info>([&](auto* to) { return adamant_get_moment_info(i, to); });
    EXPECT_EQ(std::string_view(said.name), moment.name);
    EXPECT_EQ(std::string_view(said.title), moment.title);
    EXPECT_EQ(std::string_view(said.unit), moment.unit);
    EXPECT_EQ(std::string_view(said.question), moment.question);
    EXPECT_EQ(std::string_view(said.formula), moment.formula);
    EXPECT_EQ(std::string_view(said.reading), moment.reading);
  }
}

/// A matrix and a vector that share an ε that is too large, and a small tensor with another rule.
struct Trained {
  explicit Trained(const Settings& settings) {
    handle = new adamant_optimizer{Optimizer(Rule::adamw, groups(), {}, settings)};
  }
  ~Trained() { adamant_free(handle); }
  Trained(const Trained&) = delete;
  Trained& operator=(const Trained&) = delete;

  std::vector<ParamGroup> groups() {
    std::uint64_t seed = 0;
    for (Buffer* buffer : {&large, &vector, &small, &large_grad, &vector_grad, &small_grad}) buffer->fill(++seed);
    return {{{{"large", large.view(), large_grad.view(), {64, 128}}, {"vector", vector.view(), vector_grad.view()}},
             {.lr = 0.01, .eps = 1.0},
             {}},
            {{{"small", small.view(), small_grad.view()}}, {.momentum = 0.5, .nesterov = true}, Rule::sgd}};
  }
  Optimizer& optimizer() { return handle->optimizer; }

  Buffer large{Format::bf16, 8192}, vector{Format::f32, 300}, small{Format::f32, 5};
  Buffer large_grad{Format::bf16, 8192}, vector_grad{Format::f32, 300}, small_grad{Format::f32, 5};
  adamant_optimizer* handle = nullptr;
};

const Settings kCompact = {.state = StateFormat::q8, .weights = WeightFormat::split8, .seed = 11, .report_norm = true};

void expect_options(const adamant_value* values, std::size_t count, const Options& options) {
  std::size_t set = 0;
  for_each_option([&](std::string_view name, auto) {
    const auto value = get_option(options, name);
    if (!value) return;
    ASSERT_LT(set, count);
    const adamant_value& said = values[set++];
    EXPECT_EQ(said.name, name);
    EXPECT_EQ(said.text, to_text(*value)) << name;
    EXPECT_EQ(value_of(said.kind, said.flag, said.number), *value) << name;
    EXPECT_EQ(said.struct_size, sizeof(said));
  });
  EXPECT_EQ(set, count);
}

TEST(CStructs, DescribeAnOptimizer) {
  Trained run(kCompact);
  const Optimizer& own = run.optimizer();
  for (int step = 0; step < 3; ++step) run.optimizer().step();
  run.optimizer().set_tensor_step(std::size_t{2}, 9);

  const auto state = told<adamant_state>([&](auto* to) { return adamant_get_state(run.handle, to); });
  EXPECT_EQ(state.seed, 11U);
  EXPECT_EQ(state.steps, 3U);
  EXPECT_EQ(state.has_grad_norm, 1);
  EXPECT_EQ(state.grad_norm, *own.grad_norm());
  EXPECT_EQ(state.group_count, 2U);
  EXPECT_EQ(state.tensor_count, 3U);

  for (std::size_t g = 0; g < own.group_count(); ++g) {
    const auto group = told<adamant_group_info>([&](auto* to) { return adamant_get_group(run.handle, g, to); });
    EXPECT_EQ(std::string_view(group.rule), info(own.rule(g)).name);
    EXPECT_EQ(std::string_view(group.formula), own.formula(g));
    expect_options(group.options, group.option_count, own.options(g));
  }

  for (std::size_t t = 0; t < own.tensor_count(); ++t) {
    const TensorInfo tensor = own.tensor(t);
    const auto said = told<adamant_tensor_info>([&](auto* to) { return adamant_get_tensor(run.handle, t, to); });
    EXPECT_EQ(said.name, tensor.name);
    EXPECT_EQ(std::vector(said.shape, said.shape + said.ndim), tensor.shape);
    EXPECT_EQ(said.size, tensor.size);
    EXPECT_EQ(said.group, tensor.group);
    EXPECT_EQ(said.step, tensor.step);
    EXPECT_EQ(said.format, static_cast<std::int32_t>(tensor.param_format));
    EXPECT_EQ(said.state_format, static_cast<std::int32_t>(tensor.state_format));
    EXPECT_EQ(said.weight_format, static_cast<std::int32_t>(tensor.weight_format));
    const std::vector<Plane> planes = own.planes(t);
    ASSERT_EQ(said.plane_count, planes.size());
    for (std::size_t p = 0; p < planes.size(); ++p) {
      const adamant_plane& plane = said.planes[p];
      EXPECT_EQ(plane.struct_size, sizeof(plane));
      EXPECT_EQ(std::string(plane.state == nullptr ? "" : plane.state), planes[p].state);
      EXPECT_EQ(plane.kind, static_cast<std::int32_t>(planes[p].kind));
      EXPECT_EQ(plane.data, planes[p].bytes.data());
      EXPECT_EQ(plane.bytes, planes[p].bytes.size());
      EXPECT_EQ(plane.element, tensor.state_format == StateFormat::f32 ? ADAMANT_F32 : -1);
    }
  }
}

TEST(CStructs, TakeTheOptionsOfStatistics) {
  const auto made = [](std::uint32_t observe, std::uint32_t sample, std::uint32_t probes, std::uint32_t flags) {
    auto options = zeros<adamant_statistics_options>();
    options.observe_every = observe;
    options.sample_every = sample;
    options.probes = probes;
    options.flags = flags;
    adamant_statistics* statistics = nullptr;
    EXPECT_EQ(adamant_statistics_create(&options, &statistics), ADAMANT_OK) << adamant_last_error();
    const Statistics& own = *statistics->filled;
    const std::vector<std::uint32_t> taken = {own.observe_every, own.sample_every, own.probes};
    adamant_statistics_free(statistics);
    return taken;
  };
  using Taken = std::vector<std::uint32_t>;
  EXPECT_EQ(made(0, 0, 0, 0), (Taken{0, Statistics{}.sample_every, Statistics{}.probes}));
  EXPECT_EQ(made(3, 5, 7, 0), (Taken{3, 5, 7}));
  EXPECT_EQ(made(1, 1, 1, 0), (Taken{1, 1, 1}));
  EXPECT_EQ(made(3, 5, 7, ADAMANT_NO_SAMPLE), (Taken{3, 0, 7}));
  EXPECT_EQ(made(3, 5, 7, ADAMANT_NO_PROBES), (Taken{3, 5, 0}));
  auto unknown = zeros<adamant_statistics_options>();
  unknown.flags = 4;
  adamant_statistics* statistics = nullptr;
  EXPECT_EQ(adamant_statistics_create(&unknown, &statistics), ADAMANT_INVALID_ARGUMENT);
  EXPECT_NE(std::string(adamant_last_error()).find("flags of statistics are 4"), std::string::npos);
}

TEST(CStructs, TellStatisticsAndFindings) {
  Trained run(kCompact);
  Optimizer& own = run.optimizer();
  adamant_statistics seen;
  seen.own.observe_every = seen.own.sample_every = 1;
  adamant_health* health = nullptr;
  ASSERT_EQ(adamant_health_create(&health), ADAMANT_OK);
  Health known;
  constexpr int kSteps = 22;
  for (int step = 1; step <= kSteps; ++step) {
    // In the last step two gradients have elements that are not finite.
    if (step == kSteps) {
      run.large_grad.set(7, NAN);
      run.small_grad.set(2, INFINITY);
      own.change_settings([](Settings& settings) { settings.nonfinite = NonFinite::skip; });
    }
    auto options = zeros<adamant_step_options>();
    options.statistics = &seen;
    const auto report = told<adamant_step_report>([&](auto* to) { return adamant_step(run.handle, &options, to); });
    const double loss = step == kSteps ? std::numeric_limits<double>::infinity() : 1.0 / step;
    known.record(run_step(own, loss, c::read_report(&report, own), &seen.own));
    ASSERT_EQ(adamant_health_step(health, run.handle, loss, &report, &seen), ADAMANT_OK);

    std::size_t count = 0;
    ASSERT_EQ(adamant_statistics_count(&seen, &count), ADAMANT_OK);
    ASSERT_EQ(count, step == kSteps ? 0U : 3U);
    for (std::size_t t = 0; t < count; ++t) {
      const TensorStatistics& tensor = seen.own.tensors[t];
      const auto said = told<adamant_tensor_statistics>([&](auto* to) { return adamant_statistics_get(&seen, t, to); });
      EXPECT_EQ(said.tensor, t);
      EXPECT_EQ(said.step, static_cast<std::uint64_t>(step));
      EXPECT_EQ(said.elements, tensor.elements);
      ASSERT_EQ(said.sum_count, kMomentSums.size());
      for (std::size_t k = 0; k < kMomentSums.size(); ++k) EXPECT_EQ(said.sums[k], tensor.sums.*kMomentSums[k].field);
      EXPECT_EQ(said.sample_elements, tensor.scales.elements);
      EXPECT_EQ(said.sample_zero_grads, tensor.scales.zero_grads);
      EXPECT_EQ(said.sample_scaled, tensor.scales.scaled);
      EXPECT_EQ(said.sample_log_sum, tensor.scales.log_sum);
      EXPECT_EQ(said.sample_log_sq_sum, tensor.scales.log_sq_sum);
      EXPECT_EQ(std::vector(said.bins, said.bins + said.bin_count),
                std::vector(tensor.scales.bins.begin(), tensor.scales.bins.end()));
      ASSERT_EQ(said.probe_count, tensor.probes.size());
      for (std::size_t p = 0; p < said.probe_count; ++p) {
        const auto probe = told<adamant_probe>([&](auto* to) { return adamant_statistics_probe(&seen, t, p, to); });
        const Probe& theirs = tensor.probes[p];
        EXPECT_EQ(std::tie(probe.element, probe.g, probe.m, probe.v, probe.u, probe.w),
                  std::tie(theirs.element, theirs.g, theirs.m, theirs.v, theirs.u, theirs.w));
      }
      std::vector<adamant_moment> moments(moment_list().size(), zeros<adamant_moment>());
      ASSERT_EQ(adamant_statistics_moments(&seen, t, run.handle, moments.data(), moments.size()), ADAMANT_OK);
      const std::size_t group = own.tensor(t).group;
      const RuleModel model = model_of(own.rule(group), own.options(group), tensor.step);
      const Moments values = moments_of(tensor, model);
      const MomentFloors floors = floors_of(model, own.tensor(t).size);
      for (std::size_t k = 0; k < moments.size(); ++k) {
        const MomentInfo& moment = moment_list()[k];
        const Guides guides = moment.guides(floors);
        EXPECT_TRUE(same(moments[k].value, values.*moment.value)) << moment.name;
        EXPECT_TRUE(same(moments[k].noise, guides.noise) && same(moments[k].bound, guides.bound)) << moment.name;
        EXPECT_TRUE(same(moments[k].low, guides.low) && same(moments[k].high, guides.high)) << moment.name;
      }
    }
  }

  std::size_t count = 0;
  ASSERT_EQ(adamant_health_count(health, &count), ADAMANT_OK);
  ASSERT_EQ(count, known.findings().size());
  EXPECT_TRUE(std::ranges::any_of(known.findings(), [](const Finding& finding) { return finding.more == 1; }));
  EXPECT_EQ(known.findings().back().value, 2.0);
  for (std::size_t i = 0; i < count; ++i) {
    const Finding& finding = known.findings()[i];
    const CauseInfo& cause = causes()[static_cast<std::size_t>(finding.cause)];
    const auto said = told<adamant_finding>([&](auto* to) { return adamant_health_get(health, i, to); });
    EXPECT_EQ(std::string_view(said.light), lights()[static_cast<std::size_t>(finding.light)].name);
    EXPECT_EQ(std::string_view(said.cause), cause.name);
    EXPECT_EQ(std::string_view(said.advice), cause.advice);
    EXPECT_EQ(said.tensor, finding.tensor);
    EXPECT_EQ(said.sentence, finding.sentence);
    EXPECT_EQ(said.severity, finding.severity == Severity::red ? ADAMANT_RED : ADAMANT_YELLOW);
    EXPECT_EQ(said.step, finding.step);
    EXPECT_EQ(said.more, finding.more);
    EXPECT_TRUE(same(said.value, finding.value));
  }
  for (std::size_t i = 0; i < lights().size(); ++i) {
    const auto state = known.state(lights()[i].light);
    std::int32_t light = -1;
    ASSERT_EQ(adamant_health_light(health, i, &light), ADAMANT_OK);
    EXPECT_EQ(light, !state ? ADAMANT_GREEN : *state == Severity::red ? ADAMANT_RED : ADAMANT_YELLOW);
  }
  adamant_health_free(health);
}

TEST(CStructs, TakeTheOptionsOfRunLogs) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "run.jsonl").string();
  const auto logged = [&](std::uint64_t every) {
    Trained run(kCompact);
    auto options = zeros<adamant_run_log_options>();
    options.every = every;
    adamant_run_log* log = nullptr;
    EXPECT_EQ(adamant_run_log_open(path.c_str(), run.handle, &options, &log), ADAMANT_OK) << adamant_last_error();
    std::size_t observed = 0;
    for (int step = 0; step < 7; ++step) {
      auto with = zeros<adamant_step_options>();
      EXPECT_EQ(adamant_run_log_statistics(log, &with.statistics), ADAMANT_OK);
      observed += with.statistics != nullptr ? 1 : 0;
      const auto report = told<adamant_step_report>([&](auto* to) { return adamant_step(run.handle, &with, to); });
      EXPECT_EQ(adamant_run_log_step(log, run.handle, 1.0, &report), ADAMANT_OK) << adamant_last_error();
    }
    EXPECT_EQ(adamant_run_log_end(log, nullptr, 0), ADAMANT_OK);
    adamant_run_log_free(log);
    std::vector<std::uint64_t> steps;
    RunLogReader reader(path);
    for (RunStep step; reader.next(step);) steps.push_back(step.step);
    EXPECT_EQ(observed, steps.size());
    return steps;
  };
  using Steps = std::vector<std::uint64_t>;
  EXPECT_EQ(logged(0), (Steps{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(logged(1), (Steps{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(logged(3), (Steps{1, 3, 6}));
}

/// Bytes of the event file after four steps, before it is handed over and after; by the C interface if there is one of
/// its options.
struct Written {
  std::uintmax_t before = 0, after = 0;
};
Written board(const TensorBoardOptions& options, const adamant_tensorboard_options* in_c) {
  const TemporaryFolder folder;
  Trained run(kCompact);
  adamant_tensorboard* theirs = nullptr;
  std::optional<TensorBoard> own;
  if (in_c != nullptr) {
    EXPECT_EQ(adamant_tensorboard_open(folder.path().c_str(), run.handle, in_c, &theirs), ADAMANT_OK)
        << adamant_last_error();
  } else {
    own.emplace(folder.path().string(), run.optimizer(), options);
  }
  adamant_statistics seen;
  seen.own.observe_every = seen.own.sample_every = 1;
  for (int step = 0; step < 4; ++step) {
    auto with = zeros<adamant_step_options>();
    with.statistics = &seen;
    const auto report = told<adamant_step_report>([&](auto* to) { return adamant_step(run.handle, &with, to); });
    if (in_c != nullptr) {
      EXPECT_EQ(adamant_tensorboard_step(theirs, run.handle, 1.0, &report, &seen), ADAMANT_OK);
    } else {
      own->step(run.optimizer(), 1.0, c::read_report(&report, run.optimizer()), &seen.own);
    }
  }
  const char* path = nullptr;
  if (in_c != nullptr) {
    EXPECT_EQ(adamant_tensorboard_path(theirs, &path), ADAMANT_OK);
  }
  const std::string file = in_c != nullptr ? path : own->path();
  Written written;
  written.before = std::filesystem::file_size(file);
  if (in_c != nullptr) {
    EXPECT_EQ(adamant_tensorboard_flush(theirs), ADAMANT_OK);
  } else {
    own->flush();
  }
  written.after = std::filesystem::file_size(file);
  adamant_tensorboard_free(theirs);
  return written;
}

TEST(CStructs, TakeTheOptionsOfTensorBoard) {
  const char* const small[] = {"small"};
  const auto expect_same = [](const TensorBoardOptions& options, const adamant_tensorboard_options& in_c) {
    const Written own = board(options, nullptr), theirs = board({}, &in_c);
    EXPECT_EQ(theirs.after, own.after);
    EXPECT_EQ(theirs.before, own.before);
    return theirs;
  };
  // Time passes between the steps: without a long time to wait, what was handed over is a matter of chance.
  TensorBoardOptions options{.flush_seconds = 1e6};
  auto in_c = zeros<adamant_tensorboard_options>();
  in_c.flush_seconds = 1e6;
  const std::uintmax_t usual = expect_same(options, in_c).after;
  in_c.max_tags = options.max_tags = 5;
  EXPECT_LT(expect_same(options, in_c).after, usual);
  in_c.max_tags = options.max_tags = 1000;
  const std::uintmax_t all = expect_same(options, in_c).after;
  EXPECT_GT(all, usual);
  in_c.histogram_every = 1;
  options.histogram_every = 1;
  EXPECT_GT(expect_same(options, in_c).after, all);
  in_c.histogram_every = 4;
  options.histogram_every = 4;
  EXPECT_GT(expect_same(options, in_c).after, all);
  in_c.histogram_every = -1;
  options.histogram_every = 0;
  EXPECT_EQ(expect_same(options, in_c).after, all);
  in_c.tensors = small;
  in_c.tensor_count = 1;
  options.tensors = {"small"};
  EXPECT_LT(expect_same(options, in_c).after, all);
  in_c.flush_seconds = -1.0;
  options.flush_seconds = 0.0;
  const Written at_once = expect_same(options, in_c);
  EXPECT_EQ(at_once.before, at_once.after);
}

void expect_described(const adamant_checkpoint_info& said, const CheckpointInfo& own) {
  EXPECT_EQ(said.steps, own.state.steps);
  EXPECT_EQ(said.bytes, own.bytes);
  EXPECT_EQ(said.params, own.params ? 1 : 0);
  EXPECT_EQ(said.state_format, static_cast<std::int32_t>(own.state_format));
  EXPECT_EQ(said.weight_format, static_cast<std::int32_t>(own.weight_format));
  Metadata metadata;
  for (std::size_t i = 0; i < said.metadata_count; ++i) {
    EXPECT_EQ(said.metadata[i].struct_size, sizeof(adamant_value));
    EXPECT_EQ(said.metadata[i].kind, ADAMANT_WORD);
    metadata[said.metadata[i].name] = said.metadata[i].text;
  }
  EXPECT_EQ(metadata, own.metadata);
  ASSERT_EQ(said.file_count, own.files.size());
  for (std::size_t i = 0; i < said.file_count; ++i) EXPECT_EQ(said.files[i], own.files[i].string());
  ASSERT_EQ(said.group_count, own.state.groups.size());
  std::map<std::string, std::size_t> group_of;
  for (std::size_t g = 0; g < said.group_count; ++g) {
    const StateDictGroup& group = own.state.groups[g];
    EXPECT_EQ(said.groups[g].struct_size, sizeof(adamant_group_info));
    EXPECT_EQ(said.groups[g].rule, group.rule);
    EXPECT_EQ(said.groups[g].formula, group.formula);
    expect_options(said.groups[g].options, said.groups[g].option_count, group.options);
    for (const std::string& name : group.params) group_of[name] = g;
  }
  ASSERT_EQ(said.tensor_count, own.state.tensors.size());
  for (std::size_t t = 0; t < said.tensor_count; ++t) {
    const adamant_tensor_info& tensor = said.tensors[t];
    const auto& entry = own.state.tensors.at(tensor.name);
    EXPECT_EQ(tensor.struct_size, sizeof(tensor));
    EXPECT_EQ(std::vector(tensor.shape, tensor.shape + tensor.ndim), entry.shape);
    std::size_t size = 1;
    for (const std::size_t side : entry.shape) size *= side;
    EXPECT_EQ(tensor.size, size);
    EXPECT_EQ(tensor.group, group_of.at(tensor.name));
    EXPECT_EQ(tensor.step, entry.step);
    EXPECT_EQ(tensor.format, -1);
    EXPECT_EQ(tensor.state_format, static_cast<std::int32_t>(entry.states.begin()->second.format));
    EXPECT_EQ(tensor.weight_format, static_cast<std::int32_t>(entry.weight_format));
    EXPECT_EQ(tensor.plane_count, 0U);
  }
}

TEST(CStructs, DescribeCheckpoints) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "c.safetensors").string();
  Trained run(kCompact);
  run.optimizer().step();
  run.optimizer().step();
  adamant_value metadata[2] = {zeros<adamant_value>(), zeros<adamant_value>()};
  metadata[0].name = "epoch";
  metadata[0].text = "3";
  metadata[1].name = "by";
  metadata[1].text = "hand";
  auto options = zeros<adamant_save_options>();
  options.metadata = metadata;
  options.metadata_count = 2;
  for (const bool split : {false, true}) {
    options.max_file_bytes = split ? 6000 : 0;
    options.params = split ? 0 : 1;
    ASSERT_EQ(adamant_save(run.handle, path.c_str(), &options), ADAMANT_OK) << adamant_last_error();
    const CheckpointInfo own = inspect(path);
    EXPECT_EQ(own.files.size() > 1, split);
    EXPECT_EQ(own.params, !split);
    EXPECT_EQ(own.metadata, (Metadata{{"epoch", "3"}, {"by", "hand"}}));
    expect_described(told<adamant_checkpoint_info>([&](auto* to) { return adamant_inspect(path.c_str(), to); }), own);
    Trained other(kCompact);
    expect_described(told<adamant_checkpoint_info>(
                         [&](auto* to) { return adamant_load_file(other.handle, path.c_str(), nullptr, to); }),
                     own);
    EXPECT_EQ(bits_of(other.optimizer().state_dict()), bits_of(run.optimizer().state_dict()));
  }
}

TEST(CStructs, TakeTheOptionsOfLoading) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "c.safetensors").string();
  Settings plain = kCompact;
  plain.state = StateFormat::f32;
  Trained run(plain), other(kCompact);
  run.optimizer().step();
  ASSERT_EQ(adamant_save(run.handle, path.c_str(), nullptr), ADAMANT_OK);
  auto options = zeros<adamant_load_options>();
  EXPECT_EQ(adamant_load_file(other.handle, path.c_str(), &options, nullptr), ADAMANT_MISMATCH);
  options.round = 1;
  EXPECT_EQ(adamant_load_file(other.handle, path.c_str(), &options, nullptr), ADAMANT_OK) << adamant_last_error();
  options.params = 1;
  EXPECT_EQ(adamant_load_file(other.handle, path.c_str(), &options, nullptr), ADAMANT_NOT_FOUND);
}

TEST(CStructs, TakeTheOptionsOfCheckpoints) {
  const auto kept = [](std::size_t keep, std::uint64_t max_file_bytes, bool params) {
    const TemporaryFolder folder;
    Trained run(kCompact);
    auto options = zeros<adamant_checkpoints_options>();
    options.keep = keep;
    options.max_file_bytes = max_file_bytes;
    options.params = params ? 1 : 0;
    adamant_checkpoints* checkpoints = nullptr;
    EXPECT_EQ(adamant_checkpoints_open(folder.path().c_str(), &options, &checkpoints), ADAMANT_OK);
    for (int step = 0; step < 4; ++step) {
      run.optimizer().step();
      EXPECT_EQ(adamant_checkpoints_save(checkpoints, run.handle, nullptr, 0, 0), ADAMANT_OK);
    }
    const std::uint64_t* steps = nullptr;
    std::size_t count = 0;
    EXPECT_EQ(adamant_checkpoints_list(checkpoints, &steps, &count), ADAMANT_OK);
    EXPECT_EQ(steps[count - 1], 4U);
    std::int32_t found = 0;
    const auto info = told<adamant_checkpoint_info>(
        [&](auto* to) { return adamant_checkpoints_load(checkpoints, run.handle, nullptr, to, &found); });
    EXPECT_EQ(found, 1);
    EXPECT_EQ(info.file_count > 1, max_file_bytes > 0);
    EXPECT_EQ(info.params, options.params);
    adamant_checkpoints_free(checkpoints);
    return count;
  };
  EXPECT_EQ(kept(0, 0, false), CheckpointsOptions{}.keep);
  EXPECT_EQ(kept(1, 0, true), 1U);
  EXPECT_EQ(kept(3, 6000, false), 3U);
}

}  // namespace
}  // namespace adamant::testing
