// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What happens to a gradient before a rule sees it: unscaling, clipping by global norm, clipping by value.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cfloat>
#include <limits>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Mixture {
  Format param, grad;
};
constexpr Mixture kMixtures[] = {
    {Format::f32, Format::f32},   {Format::f32, Format::bf16}, {Format::f32, Format::f16}, {Format::bf16, Format::f32},
    {Format::bf16, Format::bf16}, {Format::f16, Format::f16},  {Format::f64, Format::f64},
};

Form adamw() { return forms()[0]; }

/// What two steps with the same gradient make of a parameter and its states.
struct Outcome {
  Outcome(const Form& form, const Buffer& before, Buffer grad, const Settings& settings, double grad_scale = 1.0)
      : param(before) {
    const Buffer given = grad;
    Optimizer optimizer(form.rule, {{"w", param.view(), grad.view()}}, form.options, settings);
    optimizer.step({.grad_scale = grad_scale});
    report = optimizer.step({.grad_scale = grad_scale});
    state = bits_of(optimizer.state_dict());
    EXPECT_EQ(grad, given) << "a step reads the gradient and leaves it alone";
  }
  friend bool operator==(const Outcome& a, const Outcome& b) { return a.param == b.param && a.state == b.state; }
  friend std::ostream& operator<<(std::ostream& os, const Outcome& o) { return os << "a parameter of " << o.param[0]; }
  Buffer param;
  std::string state;
  StepReport report;
};

// A gradient times a number, limited to ±bound, in the arithmetic of the engine, and kept in its type.
Buffer prepared(const Buffer& grad, double multiple, double bound = kInfinity) {
  Buffer result(grad.format() == Format::f64 ? Format::f64 : Format::f32, grad.size());
  const auto limited = [&](auto scaled, auto limit) { return std::clamp(scaled, -limit, limit); };
  for (std::size_t i = 0; i < grad.size(); ++i) {
    if (grad.format() == Format::f64) {
      result.set(i, limited(grad[i] * multiple, bound));
    } else {
      const float scaled = static_cast<float>(grad[i]) * static_cast<float>(multiple);
      result.set(i, static_cast<double>(limited(scaled, static_cast<float>(bound))));
    }
  }
  return result;
}

long double sum_of_squares(const Buffer& grad) {
  long double sum = 0.0L;
  for (const double g : grad.values()) sum += static_cast<long double>(g) * static_cast<long double>(g);
  return sum;
}
double norm_of(const Buffer& grad) { return static_cast<double>(std::sqrt(sum_of_squares(grad))); }

// torch's clip_grad_norm_.
double coefficient_of(double max_norm, double norm) { return std::min(1.0, max_norm / (norm + 1e-6)); }

// About 30 roundings on the way to a sum of this size, of half a unit each.
constexpr double kNormTolerance = 4e-15;

TEST(Norm, IsThatOfAllGradientsOfAllFormatsAndGroups) {
  std::vector<Buffer> params, grads;
  std::vector<ParamGroup> groups(2);
  long double sum = 0.0L;
  params.reserve(10);
  grads.reserve(10);
  for (const auto& [param, grad] : kMixtures) {
    params.push_back(Buffer(param, 300 + params.size()).fill(params.size()));
    grads.push_back(Buffer(grad, params.back().size()).fill(100 + grads.size(), 10.0));
    sum += sum_of_squares(grads.back());
    groups[params.size() % 2].params.emplace_back("w" + std::to_string(params.size()), params.back().view(),
                                                  grads.back().view());
  }
  // One without a gradient, one without elements, and one with rows, of which one is there twice.
  Buffer idle = Buffer(Format::f32, 50).fill(1), empty(Format::f32, 0), table = Buffer(Format::f32, 60).fill(2);
  groups[0].params.emplace_back("idle", idle.view());
  groups[0].params.emplace_back("empty", empty.view(), empty.view());
  groups[1].params.emplace_back("table", table.view(), Tensor(), std::vector<std::size_t>{20, 3});
  groups[1].options = {.lr = 0.5, .weight_decay = 0.0};
  const std::vector<std::int64_t> rows = {7, 2, 7};
  Buffer values(Format::f32, {1, 2, 3, 4, 5, 6, 70, 80, 90});
  sum += sum_of_squares(Buffer(Format::f32, {4, 5, 6, 71, 82, 93}));
  const auto norm = static_cast<double>(std::sqrt(sum));

  Optimizer optimizer(Rule::adamw, groups, {}, {.max_norm = 0.25 * norm});
  optimizer.set_lazy_row_grad("table", rows, values.view());
  const StepReport report = optimizer.step();
  EXPECT_NEAR(*report.grad_norm, norm, norm * kNormTolerance);
  // One factor for all groups.
  EXPECT_DOUBLE_EQ(report.clip_coefficient, coefficient_of(0.25 * norm, norm));
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Form form = {"adamw", Rule::adamw, groups[(i + 1) % 2].options};
    Buffer alone = Buffer(params[i].format(), params[i].size()).fill(i);
    Buffer clipped = prepared(grads[i], report.clip_coefficient);
    Optimizer(form.rule, {{"w", alone.view(), clipped.view()}}, form.options).step();
    EXPECT_EQ(params[i], alone) << i;
  }
}

TEST(Norm, IsReportedWhereItIsAskedFor) {
  const Buffer w = Buffer(Format::f32, 100).fill(1), g = Buffer(Format::f32, 100).fill(2);
  EXPECT_EQ(Outcome(adamw(), w, g, {}).report.grad_norm, std::nullopt);
  EXPECT_EQ(Outcome(adamw(), w, g, {.clip_value = 0.1}).report.grad_norm, std::nullopt);
  for (const NonFinite policy : {NonFinite::skip, NonFinite::error, NonFinite::propagate}) {
    const Outcome reported(adamw(), w, g, {.nonfinite = policy, .report_norm = true});
    EXPECT_NEAR(*reported.report.grad_norm, norm_of(g), norm_of(g) * kNormTolerance);
    EXPECT_EQ(reported.report.clip_coefficient, 1.0);
    EXPECT_EQ(reported, Outcome(adamw(), w, g, {}));
  }
}

TEST(Norm, IsThatOfTheUnscaledGradientsBeforeClipping) {
  const Buffer w = Buffer(Format::f32, 100).fill(1), g = Buffer(Format::f32, 100).fill(2);
  const double norm = *Outcome(adamw(), w, g, {.report_norm = true}).report.grad_norm;
  EXPECT_EQ(*Outcome(adamw(), w, g, {.max_norm = 0.01}).report.grad_norm, norm);
  EXPECT_EQ(*Outcome(adamw(), w, g, {.clip_value = 0.01, .report_norm = true}).report.grad_norm, norm);
  EXPECT_EQ(*Outcome(adamw(), w, g, {.report_norm = true}, 1024.0).report.grad_norm, norm / 1024.0);
}

TEST(Norm, OfZeroGradients) {
  const Buffer w = Buffer(Format::f32, 100).fill(1), zero(Format::f32, 100);
  for (const double max_norm : {1e-8, 1.0}) {
    const Outcome outcome(adamw(), w, zero, {.max_norm = max_norm});
    EXPECT_EQ(*outcome.report.grad_norm, 0.0);
    EXPECT_EQ(outcome.report.clip_coefficient, std::min(1.0, max_norm / 1e-6));
    EXPECT_EQ(outcome, Outcome(adamw(), w, zero, {}));
  }
}

TEST(Norm, OfGradientsWhoseSquaresOverflow) {
  for (const FormatInfo& format : formats()) {
    // More than one thread takes up, as the last one.
    for (const std::size_t size : {1u, 4u, 257u, 100000u}) {
      const bool wide = format.format == Format::f64;
      const double value = wide ? 1e300 : format.max_finite;
      Buffer w(wide ? Format::f64 : Format::f32, size);
      Buffer g(format.format, std::vector<double>(size, value));
      g.set(size / 2, -value);
      const double norm = value * std::sqrt(static_cast<double>(size));
      Optimizer optimizer(Rule::sgd, {{"w", w.view(), g.view()}}, {.lr = 1.0}, {.max_norm = 1.0});
      const StepReport report = optimizer.step();
      EXPECT_TRUE(report.applied);
      // Where f64 overflows, the sum is made again, one element after the other.
      const double tolerance = wide ? static_cast<double>(size) * 0x1p-53 : kNormTolerance;
      EXPECT_NEAR(*report.grad_norm, norm, norm * tolerance) << format.name << " " << size;
      // As f32 the factor is below the normal numbers, where it has fewer bits: 12 of 100000 largest numbers.
      const double step = 1.0 / std::sqrt(static_cast<double>(size));
      for (const std::size_t i : {std::size_t{0}, size / 2, size - 1}) {
        EXPECT_NEAR(w[i], i == size / 2 ? step : -step, step * 0x1p-12) << format.name << " " << size << " " << i;
      }
    }
  }
}

TEST(Norm, OfGradientsWhoseSquaresJustOverflow) {
  Buffer w(Format::f64, 2), g(Format::f64, {3e154, -4e154});
  Optimizer optimizer(Rule::sgd, {{"w", w.view(), g.view()}}, {}, {.max_norm = 1.0});
  EXPECT_NEAR(*optimizer.step().grad_norm, 5e154, 5e154 * 0x1p-51);
}

TEST(Norm, BeyondTheLargestNumberIsTheLargestNumber) {
  Buffer w(Format::f64, 4), g(Format::f64, std::vector<double>(4, DBL_MAX));
  Optimizer optimizer(Rule::sgd, {{"w", w.view(), g.view()}}, {.lr = 1.0}, {.max_norm = 1.0});
  const StepReport report = optimizer.step();
  EXPECT_TRUE(report.applied);
  EXPECT_EQ(*report.grad_norm, DBL_MAX);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(w[i], -1.0, 1e-15);
}

TEST(ClippingByNorm, IsAStepWithScaledGradients) {
  for (const Form& form : forms()) {
    for (const auto& [param, grad] : kMixtures) {
      const Buffer w = Buffer(param, 300).fill(1), g = Buffer(grad, 300).fill(2);
      const Outcome clipped(form, w, g, {.max_norm = 1.5});
      EXPECT_DOUBLE_EQ(clipped.report.clip_coefficient, coefficient_of(1.5, norm_of(g)));
      EXPECT_LT(clipped.report.clip_coefficient, 0.5);
      EXPECT_EQ(clipped, Outcome(form, w, prepared(g, clipped.report.clip_coefficient), {}))
          << form.name << " " << info(param).name << "/" << info(grad).name;
      EXPECT_FALSE(clipped == Outcome(form, w, g, {})) << form.name;
    }
  }
}

// Factors that no f32 holds: a huge gradient over a tiny limit.
TEST(ClippingByNorm, OfHugeGradientsToTinyLimits) {
  for (const Format format : {Format::f32, Format::bf16}) {
    for (const double max_norm : {1e-3, 1e-6, 1e-7, 1e-8, 1e-20, 1e-30}) {
      for (const std::size_t size : {1u, 5000u}) {
        Buffer w(Format::f32, size), g(format, size);
        g.set(size - 1, 1e38);
        Optimizer sgd(Rule::sgd, {{"w", w.view(), g.view()}}, {.lr = 1e-3 / max_norm}, {.max_norm = max_norm});
        Statistics seen;
        seen.observe_every = 1;
        const StepReport report = sgd.step({.statistics = &seen});
        EXPECT_NEAR(-w[size - 1] / 1e-3, 1.0, 1e-6) << max_norm;
        EXPECT_NEAR(std::sqrt(seen.tensors[0].sums.gg) / max_norm, 1.0, max_norm < 1e-18 ? 1.0 : 1e-6) << max_norm;
        EXPECT_NEAR(report.clip_coefficient * *report.grad_norm / max_norm, 1.0, 1e-12);
      }
    }
  }
}

// Norms that no f64 holds once they are unscaled.
TEST(ClippingByNorm, OfNormsBeyondTheLargestNumber) {
  Buffer w(Format::f64, 2), g(Format::f64, std::vector<double>{1e300, 1e300});
  Optimizer sgd(Rule::sgd, {{"w", w.view(), g.view()}}, {.lr = 1.0}, {.max_norm = 1.0});
  const StepReport report = sgd.step({.grad_scale = 0x1p-126});
  EXPECT_TRUE(report.applied);
  EXPECT_EQ(report.grad_norm, std::numeric_limits<double>::max());
  EXPECT_NEAR(w[0], -0.7071067811865476, 1e-15);
}

TEST(ClippingByNorm, BelowTheLimitLeavesEveryBitAlone) {
  for (const auto& [param, grad] : kMixtures) {
    const Buffer w = Buffer(param, 300).fill(1), g = Buffer(grad, 300).fill(2);
    const Outcome free(adamw(), w, g, {});
    // As torch has it, the limit reaches 1e-6 further down.
    for (const double max_norm : {norm_of(g) + 1.1e-6, 10.0 * norm_of(g), static_cast<double>(FLT_MAX)}) {
      const Outcome clipped(adamw(), w, g, {.max_norm = max_norm});
      EXPECT_EQ(clipped.report.clip_coefficient, 1.0);
      EXPECT_EQ(clipped, free);
    }
    EXPECT_LT(Outcome(adamw(), w, g, {.max_norm = norm_of(g)}).report.clip_coefficient, 1.0);
  }
}

TEST(ClippingByNorm, TensorsWithoutAGradientDoNotCount) {
  Buffer w = Buffer(Format::f32, 100).fill(1), g = Buffer(Format::f32, 100).fill(2), other = w;
  Buffer huge(Format::f32, std::vector<double>(100, 1e30));
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}, {"other", other.view(), huge.view()}}, {},
                      {.max_norm = 1.0});
  optimizer.set_grad("other", {});
  EXPECT_NEAR(*optimizer.step().grad_norm, norm_of(g), norm_of(g) * kNormTolerance);
}

TEST(ClippingByNorm, CanBeSwitchedOnAndOffBetweenSteps) {
  Buffer w = Buffer(Format::f32, 100).fill(1), g = Buffer(Format::f32, 100).fill(2), same = w, clipped = g;
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  Optimizer by_hand(Rule::adamw, {{"w", same.view(), clipped.view()}});
  for (const double max_norm : {0.0, 0.5, 0.25, 0.0}) {
    Settings settings = optimizer.settings();
    settings.max_norm = max_norm > 0.0 ? std::optional(max_norm) : std::nullopt;
    optimizer.set_settings(settings);
    clipped = prepared(g, optimizer.step().clip_coefficient);
    by_hand.set_grad("w", clipped.view());
    by_hand.step();
    EXPECT_EQ(w, same) << max_norm;
  }
}

TEST(ClippingByValue, LimitsEveryElement) {
  for (const Form& form : forms()) {
    for (const auto& [param, grad] : kMixtures) {
      const Buffer w = Buffer(param, 300).fill(1);
      Buffer g = Buffer(grad, 300).fill(2);
      g.set(0, 0.0);
      g.set(1, info(grad).max_finite);
      g.set(2, -info(grad).max_finite);
      // 0.7 is not a number of any of the formats; a gradient is compared with it as the arithmetic rounds it.
      const Outcome clipped(form, w, g, {.clip_value = 0.7});
      EXPECT_EQ(clipped, Outcome(form, w, prepared(g, 1.0, 0.7), {}))
          << form.name << " " << info(param).name << "/" << info(grad).name;
      EXPECT_EQ(clipped.report.clip_coefficient, 1.0);
    }
  }
}

TEST(ClippingByValue, OfALimitThatNothingReachesLeavesEveryBitAlone) {
  for (const auto& [param, grad] : kMixtures) {
    const Buffer w = Buffer(param, 300).fill(1), g = Buffer(grad, 300).fill(2);
    EXPECT_EQ(Outcome(adamw(), w, g, {.clip_value = 100.0}), Outcome(adamw(), w, g, {}));
  }
}

TEST(Unscaling, ByAPowerOfTwoIsExact) {
  for (const Form& form : forms()) {
    const Buffer w = Buffer(Format::f32, 300).fill(1), g = Buffer(Format::f32, 300).fill(2);
    for (const double scale : {0x1p-120, 0x1p-20, 2.0, 65536.0, 0x1p124}) {
      const Buffer scaled = Buffer(Format::f32, 300).fill(2, scale);
      EXPECT_EQ(Outcome(form, w, scaled, {}, scale), Outcome(form, w, g, {})) << form.name << " " << scale;
    }
  }
}

TEST(Unscaling, IsAMultiplication) {
  for (const Form& form : forms()) {
    for (const auto& [param, grad] : kMixtures) {
      const Buffer w = Buffer(param, 300).fill(1), g = Buffer(grad, 300).fill(2);
      EXPECT_EQ(Outcome(form, w, g, {}, 3.0), Outcome(form, w, prepared(g, 1.0 / 3.0), {}))
          << form.name << " " << info(param).name << "/" << info(grad).name;
    }
  }
}

TEST(Preparation, UnscalesThenClipsTheNormThenTheValues) {
  const Buffer w = Buffer(Format::f32, 300).fill(1), g = Buffer(Format::f32, 300).fill(2, 8.0);
  const double norm = norm_of(g) / 8.0;
  const Outcome outcome(adamw(), w, g, {.max_norm = 0.5 * norm, .clip_value = 0.25}, 8.0);
  EXPECT_NEAR(*outcome.report.grad_norm, norm, norm * kNormTolerance);
  EXPECT_DOUBLE_EQ(outcome.report.clip_coefficient, coefficient_of(0.5 * norm, norm));
  const double coefficient = outcome.report.clip_coefficient;
  EXPECT_EQ(outcome, Outcome(adamw(), w, prepared(g, coefficient / 8.0, 0.25), {}));
  // Every other order would have been seen.
  const auto other = [&](const Buffer& grad) { return outcome == Outcome(adamw(), w, grad, {}); };
  EXPECT_FALSE(other(prepared(prepared(g, 1.0 / 8.0, 0.25), coefficient)));
  EXPECT_FALSE(other(prepared(prepared(g, 1.0, 0.25), coefficient / 8.0)));
  const Buffer limited = prepared(g, 1.0 / 8.0, 0.25);
  EXPECT_FALSE(other(prepared(limited, coefficient_of(0.5 * norm, norm_of(limited)))));
}

TEST(Preparation, IsTheSameOfAnyNumbers) {
  EXPECT_TRUE(rc::check("unscaled, clipped by norm and by value", [] {
    const Form& form = *rc::gen::elementOf(forms());
    const Mixture mixture = *rc::gen::elementOf(std::vector<Mixture>(std::begin(kMixtures), std::end(kMixtures)));
    const auto size = *rc::gen::inRange<std::size_t>(1, 700);
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
    const auto power = [](int range) { return std::ldexp(1.3, *rc::gen::inRange(-range, range + 1)); };
    const double scale = power(20);
    const double max_norm = power(30), clip_value = power(10);
    const bool maximize = *rc::gen::arbitrary<bool>();
    Form up = form;
    up.options.maximize = maximize;

    const Buffer w = Buffer(mixture.param, size).fill(seed), g = Buffer(mixture.grad, size).fill(seed + 1);
    const Outcome outcome(up, w, g, {.max_norm = max_norm, .clip_value = clip_value}, scale);
    const double norm = norm_of(g) / scale;
    RC_ASSERT(std::abs(*outcome.report.grad_norm - norm) <= norm * kNormTolerance);
    const double coefficient = coefficient_of(max_norm, *outcome.report.grad_norm);
    RC_ASSERT(outcome.report.clip_coefficient == coefficient);
    const double multiple = (maximize ? -coefficient : coefficient) / scale;
    RC_ASSERT(outcome == Outcome(form, w, prepared(g, multiple, clip_value), {}));
  }));
}

}  // namespace
}  // namespace adamant::testing
