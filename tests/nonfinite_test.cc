// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Gradients that are not finite: skipped, refused or passed on, and reported. Finite ones, however large, do no harm.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kBad[] = {kNan, kInfinity, -kInfinity};

Format param_format(Format grad) { return grad == Format::f64 ? Format::f64 : Format::f32; }

/// Three tensors in two groups after some steps, and what they were then.
struct Fixture {
  explicit Fixture(const Form& form, Format grad_format = Format::f32, const Settings& settings = {}) {
    std::uint64_t seed = 1;
    for (const std::size_t size : {300u, 1u, 5000u}) {
      params.push_back(Buffer(param_format(grad_format), size).fill(seed++));
      grads.push_back(Buffer(grad_format, size).fill(seed++));
    }
    optimizer.emplace(
        form.rule,
        std::vector<ParamGroup>{
            {{{"a", params[0].view(), grads[0].view()}}, {}},
            {{{"b", params[1].view(), grads[1].view()}, {"c", params[2].view(), grads[2].view()}}, {.lr = 1e-3}}},
        form.options, settings);
    optimizer->step();
    remember();
  }
  void remember() {
    params_before = params;
    state_before = bits_of(optimizer->state_dict());
  }
  void expect_unchanged() const {
    EXPECT_EQ(params, params_before);
    EXPECT_EQ(bits_of(optimizer->state_dict()), state_before);
  }
  std::vector<Buffer> params, grads, params_before;
  std::optional<Optimizer> optimizer;
  std::string state_before;
};

void expect_report(const StepReport& report, const std::string& tensor, std::size_t index, std::uint64_t count) {
  EXPECT_FALSE(report.applied);
  ASSERT_TRUE(report.nonfinite.has_value());
  EXPECT_EQ(report.nonfinite->tensor, tensor);
  EXPECT_EQ(report.nonfinite->index, index);
  EXPECT_EQ(report.nonfinite->count, count);
}

TEST(NonFiniteGradients, SkipTheWholeStep) {
  for (const Form& form : forms()) {
    SCOPED_TRACE(form.name);
    Fixture fixture(form);
    const Buffer good = fixture.grads[2];
    fixture.grads[2].set(4000, kNan);
    expect_report(fixture.optimizer->step(), "c", 4000, 1);
    fixture.expect_unchanged();
    // As if it had never happened.
    fixture.grads[2] = good;
    const StepReport report = fixture.optimizer->step();
    EXPECT_TRUE(report.applied);
    EXPECT_FALSE(report.nonfinite.has_value());
    Fixture other(form);
    other.optimizer->step();
    EXPECT_EQ(fixture.params, other.params);
    EXPECT_EQ(bits_of(fixture.optimizer->state_dict()), bits_of(other.optimizer->state_dict()));
  }
}

TEST(NonFiniteGradients, AreAnErrorThatChangesNothing) {
  for (const Form& form : forms()) {
    SCOPED_TRACE(form.name);
    Fixture fixture(form, Format::f32, {.nonfinite = NonFinite::error});
    fixture.grads[0].set(17, -kInfinity);
    fixture.grads[0].set(299, kNan);
    fixture.grads[2].set(0, kInfinity);
    EXPECT_EQ(refusal([&] { fixture.optimizer->step(); }),
              "non_finite: gradient of 'a' is not finite at element 17 (3 non-finite elements in all gradients)");
    fixture.expect_unchanged();
    fixture.grads[0].fill(1);
    fixture.grads[2].fill(1);
    EXPECT_TRUE(fixture.optimizer->step().applied);
  }
}

TEST(NonFiniteGradients, AreFoundAnywhereInAnyFormat) {
  for (const FormatInfo& format : formats()) {
    for (const double bad : kBad) {
      for (const std::size_t at : {0u, 1u, 15u, 16u, 63u, 127u, 255u, 256u, 257u, 511u, 4095u, 4096u, 4998u, 4999u}) {
        SCOPED_TRACE(std::string(format.name) + " " + std::to_string(bad) + " at " + std::to_string(at));
        Fixture fixture(forms()[0], format.format);
        fixture.grads[2].set(at, bad);
        expect_report(fixture.optimizer->step(), "c", at, 1);
        fixture.expect_unchanged();
      }
    }
  }
}

TEST(NonFiniteGradients, AreFoundInEveryPieceOfALargeTensor) {
  constexpr std::size_t kSize = 100000;
  Buffer w(Format::f32, kSize), g(Format::f32, kSize);
  Optimizer optimizer(Rule::sgd, {{"w", w.view(), g.view()}});
  for (std::size_t at = 0; at < kSize; at += 4999) {
    g.fill(1);
    g.set(at, kNan);
    expect_report(optimizer.step(), "w", at, 1);
  }
  EXPECT_EQ(w, Buffer(Format::f32, kSize));
}

TEST(NonFiniteGradients, AreCountedInAllTensorsAndTheFirstIsNamed) {
  Fixture fixture(forms()[0], Format::bf16);
  for (std::size_t i = 100; i < 200; ++i) fixture.grads[2].set(i, kBad[i % 3]);
  fixture.grads[1].set(0, kNan);
  expect_report(fixture.optimizer->step(), "b", 0, 101);
  // A tensor without a gradient does not count.
  fixture.optimizer->set_grad("b", {});
  expect_report(fixture.optimizer->step(), "c", 100, 100);
  fixture.expect_unchanged();
}

TEST(NonFiniteGradients, AreSeenBeforeClippingMayHideThem) {
  for (const double bad : kBad) {
    Fixture fixture(forms()[0], Format::f32, {.max_norm = 1.0, .clip_value = 0.5});
    fixture.grads[2].set(77, bad);
    const StepReport report = fixture.optimizer->step();
    expect_report(report, "c", 77, 1);
    EXPECT_FALSE(std::isfinite(*report.grad_norm));
    EXPECT_EQ(report.clip_coefficient, 1.0);
    fixture.expect_unchanged();
  }
}

TEST(NonFiniteGradients, OfRowsAreNumberedAsTheyWereGiven) {
  Buffer w = Buffer(Format::f32, 60).fill(1);
  Optimizer optimizer(Rule::adamw, {{"table", w.view(), {}, {20, 3}}});
  const Buffer before = w;
  const std::string state_before = bits_of(optimizer.state_dict());
  // Row 2 comes before row 7 in the table, but after it here.
  const std::vector<std::int64_t> rows = {7, 2, 7, 0};
  Buffer values = Buffer(Format::f32, 12).fill(2);
  values.set(1, kNan);
  values.set(5, kInfinity);
  values.set(7, -kInfinity);
  optimizer.set_lazy_row_grad("table", rows, values.view());
  expect_report(optimizer.step(), "table", 1, 3);
  EXPECT_EQ(w, before);
  EXPECT_EQ(bits_of(optimizer.state_dict()), state_before);
}

TEST(NonFiniteGradients, ArePassedOnToTheirOwnElements) {
  for (const Form& form : forms()) {
    for (const FormatInfo& format : formats()) {
      for (const double bad : kBad) {
        SCOPED_TRACE(form.name + std::string(" ") + std::string(format.name) + " " + std::to_string(bad));
        const Settings settings = {.nonfinite = NonFinite::propagate, .clip_value = 100.0};
        Fixture fixture(form, format.format, settings), other(form, format.format, settings);
        fixture.grads[2].set(4321, bad);
        const StepReport report = fixture.optimizer->step();
        other.optimizer->step();
        EXPECT_TRUE(report.applied);
        EXPECT_FALSE(report.nonfinite.has_value()) << "nobody looked";
        for (std::size_t i = 0; i < 5000; ++i) {
          if (i == 4321) {
            EXPECT_TRUE(std::isnan(fixture.params[2][i])) << "clipping must not hide it: " << fixture.params[2][i];
          } else {
            ASSERT_EQ(fixture.params[2][i], other.params[2][i]) << i;
          }
        }
        EXPECT_EQ(fixture.params[0], other.params[0]);
        EXPECT_EQ(fixture.params[1], other.params[1]);
        EXPECT_EQ(fixture.optimizer->tensor(2).step, 2u);
      }
    }
  }
}

/// What is kept of numbers in any mixture of formats.
struct Kept {
  Format param, grad;
  StateFormat state;
  WeightFormat weights;
};
void showValue(const Kept& kept, std::ostream& os) {
  os << info(kept.param).name << "/" << info(kept.grad).name << "/" << info(kept.state).name << "/"
     << info(kept.weights).name;
}
constexpr Kept kKept[] = {
    {Format::f32, Format::f32, StateFormat::f32, WeightFormat::plain},
    {Format::f64, Format::f64, StateFormat::f64, WeightFormat::plain},
    {Format::bf16, Format::bf16, StateFormat::bf16, WeightFormat::plain},
    {Format::f16, Format::f16, StateFormat::f16, WeightFormat::plain},
    {Format::f16, Format::f32, StateFormat::b16, WeightFormat::plain},
    {Format::bf16, Format::f32, StateFormat::b16, WeightFormat::split8},
    {Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::dithered},
    {Format::bf16, Format::f32, StateFormat::q8, WeightFormat::split16},
    {Format::f32, Format::f32, StateFormat::q8, WeightFormat::plain},
};

// At each lane of the widest vector, at the ends of groups, blocks and pieces, and at each lane of the tail; on one
// thread and on several.
TEST(NonFiniteGradients, ThatAreSkippedChangeNoBitInAnyFormat) {
  constexpr std::size_t kSize = 2 * 16384 + 4219, kLanes = 64;
  std::vector<std::size_t> places = {127, 128, 255, 256, 16383, 16384, 32767, 32768};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    places.push_back(lane);
    places.push_back(kSize - 1 - lane);
  }
  for (const Kept& kept : kKept) {
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(::testing::PrintToString(kept) + " on " + std::to_string(threads) + " threads");
      Settings settings = {.state = kept.state, .weights = kept.weights, .threads = threads};
      Buffer w = Buffer(kept.param, kSize).fill(1), g = Buffer(kept.grad, kSize).fill(2);
      Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, settings);
      optimizer.step();
      const Buffer before = w;
      const std::string state_before = bits_of(optimizer.state_dict());
      for (const std::size_t at : places) {
        const double good = g[at];
        g.set(at, kBad[at % std::size(kBad)]);
        expect_report(optimizer.step(), "w", at, 1);
        ASSERT_TRUE(w == before && bits_of(optimizer.state_dict()) == state_before) << "element " << at;
        g.set(at, good);
      }
      EXPECT_TRUE(optimizer.step().applied);
      EXPECT_EQ(optimizer.tensor(0).step, 2u);
    }
  }
}

// What is kept of every other element, whatever the formats; also where a step later the gradient is finite again.
template <class Spoil>
void expect_neighbours_untouched(const Form& form, const Kept& kept, std::size_t at, const Spoil& spoil) {
  constexpr std::size_t kSize = 4219;  // groups, and a tail that is none
  Settings settings = {.state = kept.state, .weights = kept.weights};
  settings.nonfinite = NonFinite::propagate;
  struct Run {
    Buffer w, g;
    std::optional<Optimizer> optimizer;
  };
  Run spoilt{Buffer(kept.param, kSize), Buffer(kept.grad, kSize), {}},
      other{Buffer(kept.param, kSize), Buffer(kept.grad, kSize), {}};
  for (Run* run : {&spoilt, &other}) {
    run->w.fill(1);
    run->g.fill(2);
    run->optimizer.emplace(form.rule, std::vector<Param>{{"w", run->w.view(), run->g.view()}}, form.options, settings);
    run->optimizer->step();
  }
  const Buffer good = spoilt.g;
  other.optimizer->import_param("w", other.optimizer->export_param("w"));
  spoilt.optimizer->import_param("w", spoilt.optimizer->export_param("w"));
  spoil(*spoilt.optimizer, spoilt.g);
  for (int step = 0; step < 3; ++step) {
    for (Run* run : {&spoilt, &other}) run->optimizer->step();
    spoilt.g = good;
    ASSERT_TRUE(std::isnan(spoilt.w[at]));
    for (std::size_t i = 0; i < kSize; ++i) {
      if (i == at) continue;
      ASSERT_EQ(spoilt.w[i], other.w[i]) << "weight " << i << ", step " << step;
    }
    const StateDict dict = spoilt.optimizer->state_dict();
    for (const auto& [name, state] : dict.tensors.at("w").states) {
      const std::vector<float> here = spoilt.optimizer->export_state("w", name),
                               there = other.optimizer->export_state("w", name);
      for (std::size_t i = 0; i < kSize; ++i) {
        if (i == at) continue;
        ASSERT_EQ(here[i], there[i]) << name << " " << i << ", step " << step;
      }
    }
  }
}

constexpr std::size_t kPlaces[] = {0, 7, 127, 128, 300, 383, 4095, 4096, 4218};

TEST(NonFiniteGradients, ReachNoNeighbourInAnyFormat) {
  for (const Form& form : forms()) {
    for (const Kept& kept : kKept) {
      for (const std::size_t at : kPlaces) {
        SCOPED_TRACE(form.name + std::string(" ") + ::testing::PrintToString(at));
        expect_neighbours_untouched(form, kept, at, [&](Optimizer&, Buffer& g) { g.set(at, kNan); });
      }
    }
  }
}

TEST(NonFiniteWeights, ReachNoNeighbourInAnyFormat) {
  for (Form form : forms()) {
    for (const Kept& kept : kKept) {
      for (const std::size_t at : kPlaces) {
        SCOPED_TRACE(form.name + std::string(" ") + ::testing::PrintToString(at));
        form.options.weight_decay = 0.01;
        expect_neighbours_untouched(form, kept, at, [&](Optimizer& optimizer, Buffer&) {
          std::vector<float> weights = optimizer.export_param("w");
          weights[at] = static_cast<float>(kNan);
          optimizer.import_param("w", weights);
        });
      }
    }
  }
}

// Low-order bits stay as they were when the user writes into the bf16 array: whatever they are, a NaN stays one, and a
// zero is a zero. Where states are q8, whole groups go through the fused loop, and the tail does not.
class WrittenWeights : public ::testing::TestWithParam<Kept> {
 protected:
  static constexpr std::size_t kSize = 4219;
  struct Run {
    explicit Run(const Kept& kept)
        : w(Buffer(kept.param, kSize).fill(1)),
          g(Buffer(kept.grad, kSize).fill(2)),
          optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {.lr = 0.01},
                    {.state = kept.state, .weights = kept.weights, .threads = 1}) {
      optimizer.step();
    }
    void write(std::size_t i, std::uint16_t code) { std::memcpy(w.data() + 2 * i, &code, 2); }
    [[nodiscard]] std::uint16_t code(std::size_t i) const {
      std::uint16_t code;
      std::memcpy(&code, w.data() + 2 * i, 2);
      return code;
    }
    Buffer w, g;
    Optimizer optimizer;
  };
};

TEST_P(WrittenWeights, ThatAreNaNStaySo) {
  for (const unsigned sign : {0x0000u, 0x8000u}) {
    Run run(GetParam());
    for (std::size_t i = 0; i < kSize; ++i) run.write(i, static_cast<std::uint16_t>(sign + 0x7F81 + i % 127));
    run.optimizer.step();
    for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(run.code(i), 0x7FC0) << i;
  }
}

TEST_P(WrittenWeights, ThatAreZeroCountAsZeroWhereLowBitsAreBelow) {
  for (const unsigned zero : {0x0000u, 0x8000u}) {
    Run written(GetParam()), imported(GetParam());
    std::vector<float> weights = imported.optimizer.export_param("w");
    const std::vector<std::byte> bits = imported.optimizer.state_dict().tensors.at("w").weight_bits;
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
      if (static_cast<std::int8_t>(bits[bits.size() / kSize * (i + 1) - 1]) >= 0) continue;
      written.write(i, static_cast<std::uint16_t>(zero));
      weights[i] = zero == 0 ? 0.0F : -0.0F;
      ++zeros;
    }
    ASSERT_GT(zeros, kSize / 4);
    imported.optimizer.import_param("w", weights);
    EXPECT_EQ(written.optimizer.export_param("w"), weights);
    for (int step = 0; step < 2; ++step) {
      written.optimizer.step();
      imported.optimizer.step();
      EXPECT_EQ(bits_of(written.optimizer.state_dict()), bits_of(imported.optimizer.state_dict()));
      EXPECT_EQ(written.w, imported.w);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, WrittenWeights,
                         ::testing::Values(Kept{Format::bf16, Format::f32, StateFormat::f32, WeightFormat::split16},
                                           Kept{Format::bf16, Format::bf16, StateFormat::b16, WeightFormat::split8},
                                           Kept{Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::split16},
                                           Kept{Format::bf16, Format::f32, StateFormat::q8, WeightFormat::split8}));

// torch's clip_grad_norm_ multiplies by a NaN norm, and by 0 where the norm is infinite.
TEST(NonFiniteGradients, ArePassedOnThroughTheNormAsInTorch) {
  for (const double bad : kBad) {
    Fixture fixture(forms()[0], Format::f32, {.nonfinite = NonFinite::propagate, .max_norm = 1.0});
    fixture.grads[2].set(4321, bad);
    const StepReport report = fixture.optimizer->step();
    EXPECT_TRUE(report.applied);
    ASSERT_TRUE(report.nonfinite.has_value()) << "the norm needed a look";
    EXPECT_EQ(report.nonfinite->index, 4321u);
    EXPECT_TRUE(std::isnan(fixture.params[2][4321]));
    EXPECT_EQ(std::isnan(fixture.params[0][0]), std::isnan(bad));
    EXPECT_EQ(std::isnan(report.clip_coefficient), std::isnan(bad));
    EXPECT_EQ(std::isinf(*report.grad_norm), std::isinf(bad));
  }
}

/// Fills with finite numbers of every exponent: denormals, zeros and the largest ones too.
Buffer& fill_finite(Buffer& numbers, std::uint64_t seed) {
  const double largest = info(numbers.format()).max_finite;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint64_t bits = random_bits(seed * 1000003 + i);
    const double value = numbers.format() == Format::f64
                             ? std::bit_cast<double>(bits)
                             : static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    numbers.set(i, std::isfinite(value) ? value : std::copysign(largest, value));
  }
  return numbers;
}

bool all_finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float x) { return std::isfinite(x); });
}

class FiniteGradients : public ::testing::TestWithParam<Form> {};

TEST_P(FiniteGradients, OfAnySizeLeaveEverythingFinite) {
  EXPECT_TRUE(rc::check(GetParam().name, [] {
    const Kept kept = *rc::gen::elementOf(std::vector<Kept>(std::begin(kKept), std::end(kKept)));
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
    const auto scale = std::ldexp(1.0, *rc::gen::inRange(-126, 127));
    Settings settings = {.state = kept.state, .weights = kept.weights};
    settings.nonfinite = *rc::gen::element(NonFinite::skip, NonFinite::error, NonFinite::propagate);
    if (*rc::gen::arbitrary<bool>()) settings.max_norm = std::ldexp(1.0, *rc::gen::inRange(-30, 30));
    if (*rc::gen::arbitrary<bool>()) settings.clip_value = std::ldexp(1.0, *rc::gen::inRange(-30, 127));

    constexpr std::size_t kSize = 4099;  // large enough for the compact formats
    Buffer w(kept.param, kSize), g(kept.grad, kSize);
    fill_finite(w, seed);
    Optimizer optimizer(GetParam().rule, {{"w", w.view(), g.view()}}, GetParam().options, settings);
    for (std::uint64_t step = 1; step <= 5; ++step) {
      fill_finite(g, seed + step);
      const StepReport report = optimizer.step({.grad_scale = scale});
      RC_ASSERT(report.applied);
      RC_ASSERT(!report.nonfinite);
      const StateDict dict = optimizer.state_dict();
      // It refuses states that are not finite.
      optimizer.load_state_dict(dict);
      for (const auto& [name, state] : dict.tensors.at("w").states) {
        if (kept.param != Format::f64) RC_ASSERT(all_finite(optimizer.export_state("w", name)));
      }
      for (const double p : w.values()) RC_ASSERT(std::isfinite(p));
    }
  }));
}

INSTANTIATE_TEST_SUITE_P(Rules, FiniteGradients, ::testing::ValuesIn(forms()),
                         [](const auto& info) { return std::string(info.param.name); });

// Rows whose sum is too large for f32, which is what they are summed in.
TEST(FiniteRows, ThatAddUpToTooMuchLeaveEverythingFinite) {
  for (const Form& form : forms()) {
    for (const NonFinite policy : {NonFinite::skip, NonFinite::propagate}) {
      SCOPED_TRACE(form.name);
      Buffer w = Buffer(Format::f32, 6).fill(1);
      Optimizer optimizer(form.rule, {{"table", w.view(), {}, {3, 2}}}, form.options, {.nonfinite = policy});
      const std::vector<std::int64_t> rows = {1, 1, 1};
      Buffer values(Format::f32, {FLT_MAX, -FLT_MAX, FLT_MAX, -FLT_MAX, -FLT_MAX, 1.0});
      optimizer.set_lazy_row_grad("table", rows, values.view());
      const StepReport report = optimizer.step();
      EXPECT_TRUE(report.applied);
      EXPECT_FALSE(report.nonfinite);
      for (const double p : w.values()) EXPECT_TRUE(std::isfinite(p));
      const StateDict dict = optimizer.state_dict();
      for (const auto& [name, state] : dict.tensors.at("table").states) {
        EXPECT_TRUE(all_finite(optimizer.export_state("table", name))) << name;
      }
    }
  }
}

TEST(NonFiniteGradients, AreCountedAmongTheStepsUnlessTheyThrow) {
  Buffer w = Buffer(Format::f32, 10).fill(1), g = Buffer(Format::f32, 10).fill(2),
         bad = Buffer(Format::f32, 10).fill(2);
  bad.set(3, NAN);
  AdamW adamw({{"w", w.view(), bad.view()}}, {}, {.nonfinite = NonFinite::skip});
  EXPECT_FALSE(adamw.step().applied);
  EXPECT_EQ(adamw.steps(), 1U);
  adamw.set_settings({.nonfinite = NonFinite::error});
  EXPECT_NE(refusal([&] { adamw.step(); }), "accepted");
  EXPECT_EQ(adamw.steps(), 1U);
  adamw.set_grad("w", g.view());
  EXPECT_TRUE(adamw.step().applied);
  adamw.begin_step();
  adamw.step_tensor("w");
  adamw.end_step();
  EXPECT_EQ(adamw.steps(), 3U);
  AdamW other({{"w", w.view(), g.view()}});
  other.load_state_dict(adamw.state_dict());
  EXPECT_EQ(other.steps(), 3U);
}

}  // namespace
}  // namespace adamant::testing
