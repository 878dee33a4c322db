// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Options, settings and formats as lists that a program can go over: by name, with kinds, defaults and ranges.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <variant>

#include "kernel/kernels.h"
#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

TEST(OptionLists, HaveEveryOptionByNameAsValueAndAsText) {
  for (const RuleInfo& rule : rules()) {
    Options by_value, by_text;
    for (const OptionInfo& option : rule.options) {
      EXPECT_EQ(get_option(by_value, option.name), std::nullopt) << option.name;
      set_option(by_value, option.name, option.default_value);
      set_option(by_text, option.name, std::string_view(to_text(option.default_value)));
      EXPECT_EQ(get_option(by_value, option.name), option.default_value) << option.name;
      EXPECT_EQ(get_option(by_text, option.name), option.default_value) << option.name;
    }
    const Options expected = defaults(rule.rule);
    for_each_option([&](std::string_view name, auto) {
      EXPECT_EQ(get_option(by_value, name), get_option(expected, name)) << rule.name << " " << name;
    });
  }
  Options options;
  set_option(options, "betas", std::string_view("0.8, 0.95"));
  EXPECT_EQ(to_text(get_option(options, "betas").value()), "(0.8, 0.95)");
}

TEST(OptionLists, RefuseUnknownNamesAndOtherKinds) {
  Options options;
  const std::string known =
      "lr, betas, alpha, momentum, dampening, eps, weight_decay, lr_decay, initial_accumulator_value, nesterov, "
      "amsgrad, "
      "centered, maximize";
  EXPECT_EQ(refusal([&] { static_cast<void>(get_option(options, "beta")); }),
            "not_found: unknown option 'beta': must be one of " + known);
  EXPECT_EQ(refusal([&] { set_option(options, "LR", 1.0); }),
            "not_found: unknown option 'LR': must be one of " + known);
  EXPECT_EQ(refusal([&] { set_option(options, "lr", true); }),
            "invalid_argument: option lr must be a number, not true");
  EXPECT_EQ(refusal([&] { set_option(options, "betas", 0.9); }),
            "invalid_argument: option betas must be a pair of numbers, not 0.9");
  for (const std::string_view text : {"", "0.1x", "0,1", "one", "1e999"}) {
    EXPECT_EQ(refusal([&] { set_option(options, "lr", text); }),
              "invalid_argument: option lr must be a number, not '" + std::string(text) + "'");
  }
  for (const std::string_view text : {"0.9", "(0.9)", "0.9,0.99,0.999", "(0.9, 0.99"}) {
    EXPECT_EQ(refusal([&] { set_option(options, "betas", text); }),
              "invalid_argument: option betas must be a pair of numbers, not '" + std::string(text) + "'");
  }
  EXPECT_EQ(refusal([&] { set_option(options, "nesterov", std::string_view("yes")); }),
            "invalid_argument: option nesterov must be true or false, not 'yes'");
  for_each_option([&](std::string_view name, auto member) { EXPECT_FALSE(options.*member) << name; });
}

// A range says which numbers an optimizer takes.
TEST(OptionLists, HaveTheRangesOfTheOptimizer) {
  Buffer w = Buffer(Format::f32, 4).fill(1);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const RuleInfo& rule : rules()) {
    for (const OptionInfo& option : rule.options) {
      if (std::holds_alternative<bool>(option.default_value)) continue;
      const NumberRange& range = option.range;
      EXPECT_TRUE(!range.or_zero || range.least > 0.0) << rule.name << " " << option.name << ": 0 lies in the range";
      for (const double value :
           {range.least, std::nextafter(range.least, -kInfinity), range.most, std::nextafter(range.most, kInfinity),
            0.0, -kInfinity, kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
        Options options = {.lr = 0.0};
        if (option.name == "lr") options = {.weight_decay = 0.0};  // no decay that could turn the signs
        if (std::holds_alternative<double>(option.default_value)) {
          set_option(options, option.name, value);
        } else {
          set_option(options, option.name, std::array{value, 0.5});
        }
        const std::string refused = refusal([&] { Optimizer(rule.rule, {{"w", w.view()}}, options); });
        EXPECT_EQ(refused.find("invalid_argument: Invalid ") == 0, !range.holds(value))
            << rule.name << " " << option.name << " " << value << " " << refused;
      }
    }
  }
}

TEST(SettingLists, HaveEverySettingByName) {
  Settings settings = {.state = StateFormat::q8,
                       .weights = WeightFormat::split8,
                       .seed = std::numeric_limits<std::uint64_t>::max(),
                       .nonfinite = NonFinite::propagate,
                       .max_norm = 0.1,
                       .report_norm = true,
                       .threads = 3};
  const std::vector<std::string> texts = {"q8",   "split8", "18446744073709551615", "propagate", "0.1", "none",
                                          "true", "3"};
  ASSERT_EQ(setting_list().size(), texts.size());
  Settings copy;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view name = setting_list()[i].name;
    EXPECT_EQ(get_setting(settings, name), texts[i]) << name;
    set_setting(copy, name, texts[i]);
    EXPECT_EQ(get_setting(copy, name), texts[i]) << name;
  }
  EXPECT_EQ(copy.state, settings.state);
  EXPECT_EQ(copy.weights, settings.weights);
  EXPECT_EQ(copy.seed, settings.seed);
  EXPECT_EQ(copy.nonfinite, settings.nonfinite);
  EXPECT_EQ(copy.max_norm, settings.max_norm);
  EXPECT_EQ(copy.clip_value, settings.clip_value);
  EXPECT_EQ(copy.report_norm, settings.report_norm);
  EXPECT_EQ(copy.threads, settings.threads);
  set_setting(copy, "max_norm", "none");
  EXPECT_EQ(copy.max_norm, std::nullopt);
}

TEST(SettingLists, RefuseWhatIsNotThere) {
  Settings settings;
  EXPECT_EQ(refusal([&] { set_setting(settings, "norm", "1"); }),
            "not_found: unknown setting 'norm': must be one of state, weights, seed, nonfinite, max_norm, clip_value, "
            "report_norm, threads");
  EXPECT_EQ(refusal([&] { set_setting(settings, "max_norm", "1.0x"); }),
            "invalid_argument: setting max_norm must be none or a finite f32 number > 0, not '1.0x'");
  EXPECT_EQ(refusal([&] { set_setting(settings, "seed", "-1"); }),
            "invalid_argument: setting seed must be a whole number below 2^64, not '-1'");
  EXPECT_EQ(refusal([&] { set_setting(settings, "threads", "2.5"); }),
            "invalid_argument: setting threads must be 0, for all processors, to 1024, not '2.5'");
  EXPECT_EQ(refusal([&] { set_setting(settings, "report_norm", "maybe"); }),
            "invalid_argument: setting report_norm must be true or false, not 'maybe'");
  EXPECT_EQ(refusal([&] { set_setting(settings, "nonfinite", "ignore"); }),
            "not_found: unknown nonfinite policy 'ignore': must be one of skip, error, propagate");
  EXPECT_EQ(refusal([&] { set_setting(settings, "state", "q9"); }),
            "not_found: unknown state format 'q9': must be one of f32, f64, bf16, f16, b16, q8");
  for (const SettingInfo& setting : setting_list()) {
    EXPECT_EQ(get_setting(settings, setting.name), get_setting(Settings(), setting.name)) << setting.name;
  }
}

// What the columns of the formats say is what an optimizer does.
TEST(FormatLists, SayHowStatesAreKept) {
  EXPECT_EQ(kSmallTensor, 4096U);  // as documented
  // The tables of kernels have a place for each.
  EXPECT_EQ(formats().size(), kFormatCount);
  EXPECT_EQ(state_formats().size(), kStateFormatCount);
  EXPECT_EQ(weight_formats().size(), kWeightFormatCount);
  for (const StateFormatInfo& format : state_formats()) {
    const Format param = format.format == StateFormat::f64 ? Format::f64 : Format::f32;
    for (const std::size_t size : {kSmallTensor - 1, kSmallTensor}) {
      Buffer w = Buffer(param, size).fill(1);
      const Optimizer optimizer(Rule::adamw, {{"w", w.view()}}, {}, {.state = format.format});
      const bool kept = size >= kSmallTensor || !format.compact;
      EXPECT_EQ(optimizer.tensor(0).state_format == format.format, kept) << format.name << " " << size;
      if (!kept) continue;
      const std::string refused =
          refusal([&] { EXPECT_EQ(optimizer.state("w", "exp_avg").format, format.element) << format.name; });
      EXPECT_EQ(refused.find("mismatch: ") == 0, !format.element) << format.name << " " << refused;
      const StateDict dict = optimizer.state_dict();
      const StateDict::State& v = dict.tensors.at("w").states.at("exp_avg_sq");
      EXPECT_EQ(v.bytes.size(), size * format.bytes) << format.name;
      EXPECT_EQ(v.exponents.size(), (size + format.group - 1) / format.group * format.group_bytes) << format.name;
    }
  }
  EXPECT_EQ(info(StateFormat::q8).group, kGroup);
}

TEST(FormatLists, SayHowWeightsAreKept) {
  for (const WeightFormatInfo& format : weight_formats()) {
    for (const std::size_t size : {kSmallTensor - 1, kSmallTensor}) {
      Buffer w = Buffer(Format::bf16, size).fill(1);
      const Optimizer optimizer(Rule::adamw, {{"w", w.view()}}, {}, {.weights = format.format});
      EXPECT_EQ(optimizer.tensor(0).weight_format == format.format, size >= kSmallTensor || !format.compact)
          << format.name << " " << size;
      EXPECT_EQ(optimizer.state_dict().tensors.at("w").weight_bits.size(),
                size * info(optimizer.tensor(0).weight_format).bytes)
          << format.name;
    }
  }
}

TEST(Version, IsThatOfTheHeaders) {
  EXPECT_EQ(version(), std::to_string(ADAMANT_VERSION_MAJOR) + "." + std::to_string(ADAMANT_VERSION_MINOR) + "." +
                           std::to_string(ADAMANT_VERSION_PATCH));
}

}  // namespace
}  // namespace adamant::testing
