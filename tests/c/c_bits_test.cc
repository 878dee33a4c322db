// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A run by the C interface has the bits of the same run by the C++ classes, for every rule and format of states.
#include <adamant/adamant.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "c/calls.h"
#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

std::vector<adamant_value> values_of(const Options& options, std::vector<std::string>& texts) {
  std::vector<adamant_value> values;
  texts.reserve(32);  // pointers to them stay
  for_each_option([&](std::string_view name, auto) {
    const auto value = get_option(options, name);
    if (!value) return;
    adamant_value made{};
    made.struct_size = sizeof(made);
    made.name = name.data();
    made.text = texts.emplace_back(to_text(*value)).c_str();
    values.push_back(made);
  });
  return values;
}

struct Memory {
  explicit Memory(Format format) : large(format, 5000), small(format, 300), large_grad(large), small_grad(small) {
    large.fill(1);
    small.fill(2);
  }
  void new_gradients(std::uint64_t step) {
    large_grad.fill(10 + step, 0.1);
    small_grad.fill(20 + step, 0.1);
  }
  Buffer large, small, large_grad, small_grad;
};

adamant_optimizer* make(Memory& memory, const Form& form, const Settings& settings) {
  std::vector<adamant_tensor> tensors(2);
  const std::pair<const char*, std::pair<Buffer*, Buffer*>> named[] = {{"large", {&memory.large, &memory.large_grad}},
                                                                       {"small", {&memory.small, &memory.small_grad}}};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& [name, buffers] = named[i];
    tensors[i].struct_size = sizeof(tensors[i]);
    tensors[i].name = name;
    tensors[i].data = buffers.first->data();
    tensors[i].size = buffers.first->size();
    tensors[i].format = static_cast<std::int32_t>(buffers.first->format());
    tensors[i].grad = buffers.second->data();
    tensors[i].grad_format = static_cast<std::int32_t>(buffers.second->format());
  }
  std::vector<std::string> texts;
  const std::vector<adamant_value> options = values_of(form.options, texts);
  std::vector<std::string> setting_texts;
  std::vector<adamant_value> set;
  setting_texts.reserve(setting_list().size());
  for (const SettingInfo& setting : setting_list()) {
    adamant_value made{};
    made.struct_size = sizeof(made);
    made.name = setting.name.data();
    made.text = setting_texts.emplace_back(get_setting(settings, setting.name)).c_str();
    set.push_back(made);
  }
  adamant_group group{};
  group.struct_size = sizeof(group);
  group.tensors = tensors.data();
  group.tensor_count = tensors.size();
  adamant_config config{};
  config.struct_size = sizeof(config);
  config.rule = info(form.rule).name.data();
  config.groups = &group;
  config.group_count = 1;
  config.options = options.data();
  config.option_count = options.size();
  config.settings = set.data();
  config.setting_count = set.size();
  adamant_optimizer* optimizer = nullptr;
  EXPECT_EQ(adamant_create(&config, &optimizer), ADAMANT_OK) << adamant_last_error();
  return optimizer;
}

TEST(SameBits, ForEveryRuleAndFormatOfStates) {
  for (const Form& form : forms()) {
    for (const StateFormatInfo& state : state_formats()) {
      SCOPED_TRACE(std::string(form.name) + " with " + std::string(state.name));
      const Format format = state.format == StateFormat::f64   ? Format::f64
                            : state.format == StateFormat::f32 ? Format::f32
                                                               : Format::bf16;
      Settings settings;
      settings.state = state.format;
      settings.weights = format == Format::bf16 ? WeightFormat::split8 : WeightFormat::plain;
      settings.seed = 11;
      settings.max_norm = 0.5;
      Memory ours(format), theirs(format);
      Optimizer optimizer(
          form.rule,
          {{"large", ours.large.view(), ours.large_grad.view()}, {"small", ours.small.view(), ours.small_grad.view()}},
          form.options, settings);
      adamant_optimizer* handle = make(theirs, form, settings);
      ASSERT_NE(handle, nullptr);
      for (std::uint64_t step = 0; step < 4; ++step) {
        ours.new_gradients(step);
        theirs.new_gradients(step);
        const StepReport report = optimizer.step({.grad_scale = 2.0});
        void* const grads[] = {theirs.large_grad.data(), theirs.small_grad.data()};
        adamant_step_options options{};
        options.struct_size = sizeof(options);
        options.grad_scale = 2.0;
        options.grads = grads;
        options.grad_count = 2;
        adamant_step_report c_report{};
        c_report.struct_size = sizeof(c_report);
        ASSERT_EQ(adamant_step(handle, &options, &c_report), ADAMANT_OK) << adamant_last_error();
        ASSERT_EQ(c_report.has_grad_norm, 1);
        EXPECT_EQ(c_report.grad_norm, *report.grad_norm);
        EXPECT_EQ(c_report.clip_coefficient, report.clip_coefficient);
      }
      EXPECT_EQ(ours.large, theirs.large);
      EXPECT_EQ(ours.small, theirs.small);
      EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(handle->optimizer.state_dict()));
      adamant_free(handle);
    }
  }
}

/// C ends a text at its zero byte.
TEST(Texts, OfListsEndWithAZeroByte) {
  const auto ends = [](std::string_view text) { return std::string_view(text.data()) == text; };
  EXPECT_TRUE(ends(version()));
  for (const RuleInfo& rule : rules()) {
    EXPECT_TRUE(ends(rule.name) && ends(rule.title)) << rule.name;
    for (const OptionInfo& option : rule.options) EXPECT_TRUE(ends(option.name) && ends(option.range.text));
  }
  for (const SettingInfo& setting : setting_list()) EXPECT_TRUE(ends(setting.name) && ends(setting.range));
  for (const FormatInfo& format : formats()) EXPECT_TRUE(ends(format.name));
  for (const StateFormatInfo& format : state_formats()) EXPECT_TRUE(ends(format.name));
  for (const WeightFormatInfo& format : weight_formats()) EXPECT_TRUE(ends(format.name));
  for (const std::string_view name : presets()) EXPECT_TRUE(ends(name));
  for (const MomentInfo& moment : moment_list()) {
    EXPECT_TRUE(ends(moment.name) && ends(moment.title) && ends(moment.unit) && ends(moment.question) &&
                ends(moment.formula) && ends(moment.reading))
        << moment.name;
  }
  for (const SumInfo& sum : kMomentSums) EXPECT_TRUE(ends(sum.name));
  for (const LightInfo& light : lights()) EXPECT_TRUE(ends(light.name));
  for (const CauseInfo& cause : causes()) EXPECT_TRUE(ends(cause.name) && ends(cause.advice));
  for (const Form& form : forms()) {
    Buffer w(Format::bf16, 5000);
    const Optimizer optimizer(form.rule, {{"w", w.view()}}, form.options, preset("q8-lite"));
    EXPECT_TRUE(ends(optimizer.formula()));
    for (const Plane& plane : optimizer.planes("w")) EXPECT_TRUE(plane.state.empty() || ends(plane.state));
  }
}

/// The numbers in adamant.h are those of the C++ enumerations.
TEST(Numbers, AreThoseOfCpp) {
  EXPECT_EQ(ADAMANT_INVALID_ARGUMENT, static_cast<int>(ErrorCode::invalid_argument));
  EXPECT_EQ(ADAMANT_NOT_FOUND, static_cast<int>(ErrorCode::not_found));
  EXPECT_EQ(ADAMANT_DUPLICATE, static_cast<int>(ErrorCode::duplicate));
  EXPECT_EQ(ADAMANT_MISMATCH, static_cast<int>(ErrorCode::mismatch));
  EXPECT_EQ(ADAMANT_NON_FINITE, static_cast<int>(ErrorCode::non_finite));
  EXPECT_EQ(ADAMANT_BUSY, static_cast<int>(ErrorCode::busy));
  EXPECT_EQ(ADAMANT_IO, static_cast<int>(ErrorCode::io));
  EXPECT_EQ(ADAMANT_F32, static_cast<int>(Format::f32));
  EXPECT_EQ(ADAMANT_F64, static_cast<int>(Format::f64));
  EXPECT_EQ(ADAMANT_BF16, static_cast<int>(Format::bf16));
  EXPECT_EQ(ADAMANT_F16, static_cast<int>(Format::f16));
  EXPECT_EQ(ADAMANT_VALUES, static_cast<int>(PlaneKind::values));
  EXPECT_EQ(ADAMANT_EXPONENTS, static_cast<int>(PlaneKind::exponents));
  EXPECT_EQ(ADAMANT_LOW_BITS, static_cast<int>(PlaneKind::low_bits));
  for (std::size_t i = 0; i < lights().size(); ++i) EXPECT_EQ(static_cast<std::size_t>(lights()[i].light), i);
  for (std::size_t i = 0; i < causes().size(); ++i) EXPECT_EQ(static_cast<std::size_t>(causes()[i].cause), i);
}

}  // namespace
}  // namespace adamant::testing
