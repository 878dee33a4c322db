// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a step sees of its moments: against the definitions in f64, the same bits everywhere, and never felt by the
// weights.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <span>
#include <string>

#include "rule/variants.h"
#include "tests/support/buffers.h"
#include "tests/support/reference.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

Format param_format(bool wide) { return wide ? Format::f64 : Format::f32; }

void expect_near(double value, double expected, double scale, const char* what) {
  EXPECT_NEAR(value, expected, 1e-5 * scale) << what;
}

// Runs some steps and compares the last ones' sums with the definitions.
void compare(const Form& form, bool wide, std::size_t size) {
  SCOPED_TRACE(std::string(form.name) + (wide ? " f64 " : " f32 ") + std::to_string(size));
  Buffer w = Buffer(param_format(wide), size).fill(1);
  Buffer g = Buffer(param_format(wide), size);
  Optimizer optimizer(form.rule, {{"w", w.view(), g.view()}}, form.options);
  const Options& options = optimizer.options();
  const VariantInfo& variant = info(variant_of(form.rule, options));
  std::vector<ReferenceElement> elements(size);
  Statistics statistics;
  statistics.observe_every = 1;
  for (std::uint64_t t = 1; t <= 4; ++t) {
    g.fill(t + 7);
    const std::vector<double> before = w.values();
    optimizer.step({.statistics = &statistics});
    for (std::size_t i = 0; i < size; ++i) {
      elements[i].p = before[i];  // as the engine rounded it
      reference_step(form.rule, options, elements[i], g[i]);
    }
    MomentSums sums;
    for (std::size_t i = 0; i < size; ++i) {
      const ReferenceElement::Seen& x = elements[i].seen;
      sums.gg += x.g * x.g;
      sums.mm += x.m * x.m;
      sums.mg += x.m_old * x.g;
      sums.uu += x.u * x.u;
      sums.max_u = std::max(sums.max_u, std::abs(x.u));
      sums.gu += x.g * x.u;
      sums.mu += x.m * x.u;
      sums.ww += before[i] * before[i];
      sums.wu += before[i] * x.u;
      sums.grgr += x.g * x.r * x.g * x.r;
      sums.r += x.r;
    }
    ASSERT_EQ(statistics.tensors.size(), 1U);
    const TensorStatistics& seen = statistics.tensors[0];
    EXPECT_EQ(seen.tensor, 0U);
    EXPECT_EQ(seen.step, t);
    EXPECT_EQ(seen.elements, size);
    const auto product = [](double a, double b) { return std::sqrt(a) * std::sqrt(b) + 1e-30; };
    expect_near(seen.sums.gg, sums.gg, sums.gg, "gg");
    expect_near(seen.sums.mm, sums.mm, sums.mm, "mm");
    expect_near(seen.sums.mg, sums.mg, product(sums.mm, sums.gg), "mg");
    expect_near(seen.sums.uu, sums.uu, sums.uu, "uu");
    expect_near(seen.sums.max_u, sums.max_u, sums.max_u, "max_u");
    expect_near(seen.sums.gu, sums.gu, product(sums.gg, sums.uu), "gu");
    expect_near(seen.sums.mu, sums.mu, product(sums.mm, sums.uu), "mu");
    expect_near(seen.sums.ww, sums.ww, sums.ww, "ww");
    expect_near(seen.sums.wu, sums.wu, product(sums.ww, sums.uu), "wu");
    expect_near(seen.sums.grgr, sums.grgr, sums.grgr, "grgr");
    expect_near(seen.sums.r, sums.r, sums.r, "r");
    for (const Probe& probe : seen.probes) {
      const ReferenceElement::Seen& x = elements[probe.element].seen;
      const double w_before = before[probe.element];
      const auto near = [&](float value, double expected, double scale, const char* what) {
        EXPECT_NEAR(static_cast<double>(value), expected, 1e-6 * scale) << what << " of element " << probe.element;
      };
      // What the decay takes away from the gradient is lost to rounding.
      const double scale = std::abs(x.g) + std::abs(w_before);
      near(probe.g, x.g, scale, "g");
      near(probe.m, x.m, std::abs(x.m) + scale, "m");
      near(probe.w, w_before, 0.1 * std::abs(w_before), "w");
      near(probe.u, x.u, 5 * std::abs(x.u) + scale * x.r, "u");
      const double v = variant.second_moment < 0 ? 0.0 : elements[probe.element].v;
      near(probe.v, v, v, "v");
    }
  }
}

TEST(Statistics, AreWhatTheirDefinitionsSay) {
  for (const Form& form : forms()) {
    for (const bool wide : {false, true}) {
      for (const std::size_t size : {1u, 15u, 16u, 17u, 256u, 259u, 20000u}) compare(form, wide, size);
    }
  }
}

// Some steps of two tensors in a mixture of formats; everything that comes out of them.
struct Mixture {
  const char* name;
  Format param, grad;
  Settings settings;
};
const Mixture kMixtures[] = {
    {"f32", Format::f32, Format::f32, {}},
    {"f64", Format::f64, Format::f64, {}},
    {"f32 bf16 bf16", Format::f32, Format::bf16, {.state = StateFormat::bf16}},
    {"bf16 bf16 q8 split8", Format::bf16, Format::bf16, {.state = StateFormat::q8, .weights = WeightFormat::split8}},
    {"bf16 f32 b16 dithered",
     Format::bf16,
     Format::f32,
     {.state = StateFormat::b16, .weights = WeightFormat::dithered}},
};

struct Outcome {
  std::string weights, statistics;
};

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Outcome outcome_of(const Form& form, const Mixture& mixture, int threads, Statistics* statistics) {
  // For one form more than one piece of work, and than one thread takes up.
  const std::size_t large_size = &form == &forms().front() ? 100003 : 4099;
  Buffer large = Buffer(mixture.param, large_size).fill(1), small = Buffer(mixture.param, 300).fill(2);
  Buffer large_grad(mixture.grad, large_size), small_grad(mixture.grad, 300);
  Settings settings = mixture.settings;
  settings.threads = threads;
  settings.max_norm = 1.0;
  Optimizer optimizer(form.rule,
                      {{"large", large.view(), large_grad.view()}, {"small", small.view(), small_grad.view()}},
                      form.options, settings);
  Outcome outcome;
  for (std::uint64_t t = 1; t <= 3; ++t) {
    large_grad.fill(2 * t + 5);
    small_grad.fill(2 * t + 6);
    optimizer.step({.grad_scale = 3.0, .statistics = statistics});
    if (statistics == nullptr) continue;
    for (const TensorStatistics& seen : statistics->tensors) {
      append(outcome.statistics, seen.tensor);
      append(outcome.statistics, seen.step);
      append(outcome.statistics, seen.elements);
      append(outcome.statistics, seen.sums);
      append(outcome.statistics, seen.scales);
      for (const Probe& probe : seen.probes) {
        append(outcome.statistics,
               std::array{static_cast<float>(probe.element), probe.g, probe.m, probe.v, probe.u, probe.w});
      }
    }
  }
  outcome.weights.assign(reinterpret_cast<const char*>(large.data()), large_size * info(mixture.param).bytes);
  outcome.weights.append(reinterpret_cast<const char*>(small.data()), 300 * info(mixture.param).bytes);
  outcome.weights += bits_of(optimizer.state_dict());
  return outcome;
}

class StatisticsOnEveryTarget : public OnEveryTarget {};

TEST_P(StatisticsOnEveryTarget, AreTheSameBitsAndLeaveTheWeightsAlone) {
  for (const Mixture& mixture : kMixtures) {
    for (const Form& form : forms()) {
      SCOPED_TRACE(std::string(mixture.name) + " " + form.name);
      const Outcome bare = outcome_of(form, mixture, 1, nullptr);
      for (const std::uint32_t every : {0u, 1u, 3u}) {
        Statistics statistics{.observe_every = every, .sample_every = 5, .probes = 3, .tensors = {}};
        Outcome portable;
        {
          const ForcedTarget target(baseline_target());
          portable = outcome_of(form, mixture, 1, &statistics);
        }
        use_target(GetParam());
        for (const int threads : {1, 3}) {
          const Outcome here = outcome_of(form, mixture, threads, &statistics);
          EXPECT_EQ(here.weights == bare.weights, true) << "observing every " << every << ", threads " << threads;
          EXPECT_EQ(here.statistics == portable.statistics, true) << every << ", threads " << threads;
        }
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Targets, StatisticsOnEveryTarget, ::testing::ValuesIn(targets()),
                         [](const auto& target) { return target.param; });

// One tensor of AdamW.
struct Observed {
  explicit Observed(std::size_t size, const Options& options = {}) : w(size), g(size), adamw({{"w", w, g}}, options) {}
  const TensorStatistics& step() {
    adamw.step({.statistics = &statistics});
    return statistics.tensors.at(0);
  }
  std::vector<float> w, g;
  AdamW adamw;
  Statistics statistics = all_blocks();

 private:
  static Statistics all_blocks() {
    Statistics statistics;
    statistics.observe_every = 1;
    return statistics;
  }
};

TEST(Statistics, KeepTheIdentities) {
  constexpr std::size_t kSize = 5000;
  Observed run(kSize, {.eps = 0.0});
  double mm_old = 0.0, vv_old = 0.0;
  for (std::uint64_t t = 1; t <= 6; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) run.g[i] = static_cast<float>(random_number(t * kSize + i));
    const MomentSums sums = run.step().sums;
    // ‖m‖² = β1²‖m_old‖² + 2β1(1-β1)<m_old,g> + (1-β1)²‖g‖²
    const double mm = 0.81 * mm_old + 2 * 0.9 * 0.1 * sums.mg + 0.01 * sums.gg;
    EXPECT_NEAR(sums.mm, mm, 1e-5 * mm);
    mm_old = sums.mm;
    // Σ v = β2 Σ v_old + (1-β2)‖g‖²
    double vv = 0.0;
    for (const float v : run.adamw.export_state("w", "exp_avg_sq")) vv += static_cast<double>(v);
    EXPECT_NEAR(vv, 0.999 * vv_old + 0.001 * sums.gg, 1e-5 * vv);
    vv_old = vv;
    if (t > 1) continue;
    // In the first step each coordinate moves by the learning rate.
    EXPECT_NEAR(sums.grgr / kSize, 1.0, 1e-5);
    EXPECT_NEAR(sums.uu / kSize, 1.0, 1e-5);
  }
}

TEST(Statistics, OfPureNoiseAreTheFloors) {
  constexpr std::size_t kSize = 4096;
  for (const auto& [beta1, beta2, steps] : {std::tuple{0.9, 0.95, 200u}, std::tuple{0.9, 0.999, 3000u}}) {
    Observed run(kSize, {.lr = 0.0, .betas = {beta1, beta2}});
    double smoothing = 0.0, update = 0.0, lag = 0.0, known = 0.0;
    constexpr std::uint64_t kLast = 20;
    for (std::uint64_t t = 1; t <= steps; ++t) {
      for (std::size_t i = 0; i < kSize; ++i) run.g[i] = static_cast<float>(random_normal(t * kSize + i));
      const MomentSums sums = run.step().sums;
      if (t <= steps - kLast) continue;
      smoothing += std::sqrt(sums.mm / sums.gg) / kLast;
      update += std::sqrt(sums.uu / kSize) / kLast;
      lag += std::sqrt(sums.grgr / kSize) / kLast;
      known += sums.mg / sums.gg / kLast;
    }
    const double floor = std::sqrt((1 - beta1) / (1 + beta1));
    EXPECT_NEAR(smoothing, floor, 0.02 * floor);
    EXPECT_NEAR(lag, beta2 == 0.95 ? 0.978 : 1.0, 0.02);
    EXPECT_NEAR(known, 0.0, 0.01);
    if (beta2 == 0.999) {
      EXPECT_NEAR(update, floor, 0.02 * floor);
    }
  }
}

TEST(Statistics, SampleTheScales) {
  constexpr std::size_t kSize = 256 * 8;
  Observed run(kSize, {.betas = {0.9, 0.999}});
  run.statistics.sample_every = 4;
  // Gradients are powers of two: after the first step √v̂ is |g|. One in eight is zero.
  for (std::size_t i = 0; i < kSize; ++i) run.g[i] = i % 8 == 0 ? 0.0F : std::ldexp(1.0F, static_cast<int>(i % 8) - 4);
  const ScaleSample scales = run.step().scales;
  EXPECT_EQ(scales.elements, 512U);
  EXPECT_EQ(scales.zero_grads, 64U);
  EXPECT_EQ(scales.scaled, 448U);
  EXPECT_NEAR(scales.log_sum, 0.0, 0.003 * 448);  // mean of -3 ... 3
  EXPECT_NEAR(scales.log_sq_sum, 4.0 * 448, 0.02 * 448);
  EXPECT_EQ(scales.bins[0], 64U);
  std::uint32_t counted = 0;
  for (const std::uint32_t bin : scales.bins) counted += bin;
  EXPECT_EQ(counted, 512U);
  // √v̂ stands a little to one side of the power of two.
  for (int octave = -3; octave <= 3; ++octave) {
    const auto bin = static_cast<std::size_t>(octave + 54);
    EXPECT_GE(scales.bins[bin] + scales.bins[bin - 1], 64U) << octave;
  }
  EXPECT_EQ(run.step().scales.elements, 512U);
  run.statistics.sample_every = 0;
  EXPECT_EQ(run.step().scales.elements, 0U);
}

TEST(Statistics, SampleScalesBelowTheNormalNumbers) {
  Observed run(256, {.betas = {0.9, 0.5}});
  run.statistics.sample_every = 1;
  std::ranges::fill(run.g, 0x1p-70F);  // v is 2^-141
  const ScaleSample scales = run.step().scales;
  EXPECT_EQ(scales.scaled, 256U);
  EXPECT_NEAR(scales.log_sum, -70.0 * 256, 0.003 * 256);
  EXPECT_EQ(scales.bins[1], 256U);
}

TEST(Statistics, SampleEveryTensorInEveryStep) {
  std::vector<float> small(3, 1.0F), medium(256 * 20, 1.0F), large(256 * 600, 1.0F), g(large.size(), 1.0F);
  const std::span<float> all(g);
  AdamW adamw({{"small", small, all.first(3)}, {"medium", medium, all.first(medium.size())}, {"large", large, g}});
  Statistics statistics;
  for (int t = 1; t <= 300; ++t) {
    adamw.step({.statistics = &statistics});
    EXPECT_EQ(statistics.tensors[0].scales.elements, 1U);
    EXPECT_EQ(statistics.tensors[1].scales.elements, 32U);
    EXPECT_GE(statistics.tensors[2].scales.elements, 512U);
  }
}

// Of a small tensor few elements are sampled in a step, other ones in each, also where steps are evenly spaced.
TEST(Statistics, SampleEveryElementOfASmallTensorInTheLongRun) {
  constexpr std::size_t kBlocks = 8, kStride = 8;
  for (const std::size_t only : {0U, 3U + 256U * 5U, 255U + 256U * 7U}) {
    std::vector<float> w(256 * kBlocks, 1.0F), g(w.size(), 1.0F);
    g[only] = 0.0F;
    AdamW adamw({{"w", w, g}});
    Statistics statistics;
    std::uint64_t met = 0;
    for (std::uint64_t t = 1; t <= 4000; ++t) {
      const bool seen = t % kStride == 0;
      adamw.step({.statistics = seen ? &statistics : nullptr});
      if (seen) met += statistics.tensors.at(0).scales.zero_grads;
    }
    // One step in so many takes it.
    EXPECT_NEAR(static_cast<double>(met), 4000.0 / kStride / (kBlocks * kStride), 4.0) << only;
  }
}

// Together the samples of many tensors show all parts of such a tensor in one step.
TEST(Statistics, SampleOtherPartsOfOtherTensors) {
  constexpr std::size_t kBlocks = 4, kSize = 256 * kBlocks;
  std::vector<float> w(kBlocks * kSize, 1.0F), g(kSize, 1.0F);
  // As many zeros in a block tell which it is.
  for (std::size_t block = 0; block < kBlocks; ++block)
    std::fill_n(g.begin() + 256 * static_cast<long>(block), block, 0.0F);
  std::vector<Param> params;
  for (std::size_t t = 0; t < kBlocks; ++t) {
    params.emplace_back("w" + std::to_string(t), std::span(w).subspan(t * kSize, kSize), std::span(g));
  }
  AdamW adamw(std::move(params));
  Statistics statistics;
  statistics.sample_every = kBlocks;
  adamw.step({.statistics = &statistics});
  std::set<std::uint64_t> sampled;
  for (const TensorStatistics& tensor : statistics.tensors) sampled.insert(tensor.scales.zero_grads);
  EXPECT_EQ(sampled, (std::set<std::uint64_t>{0, 1, 2, 3}));
}

// Also where only every so many steps have statistics.
TEST(Statistics, TakeEveryBlockInTurn) {
  constexpr std::size_t kBlocks = 20, kSize = 256 * (kBlocks - 1) + 1;
  for (const int apart : {1, 2, 5, 10, 20}) {
    Observed run(kSize);
    run.statistics.observe_every = 10;
    run.statistics.sample_every = 10;
    run.adamw.set_lr(0.0);
    for (std::size_t block = 0; block < kBlocks; ++block) run.w[block * 256] = static_cast<float>(block + 1);
    std::set<double> blocks, sampled;  // two are seen at once: their weights tell which
    for (int seen = 0; seen < 160; ++seen) {
      for (int t = 1; t < apart; ++t) run.adamw.step();
      const TensorStatistics& statistics = run.step();
      blocks.insert(statistics.sums.ww);
      sampled.insert(static_cast<double>(statistics.scales.elements));
      if (apart == 1 && seen == 19) {
        EXPECT_EQ(blocks.size(), 10U);
      }
    }
    EXPECT_EQ(blocks.size(), 10U) << "every " << apart;
    EXPECT_EQ(sampled, (std::set<double>{257, 512})) << "every " << apart;
  }
}

TEST(Statistics, FollowTheSameElements) {
  Observed run(1000);
  run.statistics.probes = 4;
  std::vector<std::size_t> elements;
  for (const Probe& probe : run.step().probes) elements.push_back(probe.element);
  EXPECT_EQ(elements, (std::vector<std::size_t>{125, 375, 625, 875}));
  Observed few(3);
  EXPECT_EQ(few.step().probes.size(), 3U);
  few.statistics.probes = 0;
  EXPECT_TRUE(few.step().probes.empty());
}

TEST(Statistics, AreThoseOfTheTensorsThatMoved) {
  std::vector<float> a(300, 1.0F), b(300, 1.0F), c(300, 1.0F), g(300, 0.5F);
  Settings settings;
  settings.nonfinite = NonFinite::skip;
  AdamW adamw({{"a", a, g}, {"b", b}, {"c", c, g}}, {}, settings);
  Statistics statistics;
  adamw.step({.statistics = &statistics});
  ASSERT_EQ(statistics.tensors.size(), 2U);
  EXPECT_EQ(statistics.tensors[1].tensor, 2U);
  const MomentSums whole = statistics.tensors[1].sums;

  g[7] = NAN;
  EXPECT_FALSE(adamw.step({.statistics = &statistics}).applied);
  EXPECT_TRUE(statistics.tensors.empty());

  // Tensor by tensor, in any order.
  g[7] = 0.5F;
  std::vector<float> a2(300, 1.0F), c2(300, 1.0F);
  AdamW released({{"a", a2, g}, {"b", b}, {"c", c2, g}});
  released.begin_step({.statistics = &statistics});
  released.step_tensor("c");
  released.step_tensor("a");
  released.end_step();
  ASSERT_EQ(statistics.tensors.size(), 2U);
  EXPECT_EQ(statistics.tensors[0].tensor, 0U);
  EXPECT_EQ(statistics.tensors[1].tensor, 2U);
  EXPECT_EQ(std::memcmp(&statistics.tensors[1].sums, &whole, sizeof(whole)), 0);
}

TEST(Statistics, StayWhereAStepIsRefused) {
  std::vector<float> w(1000, 1.0F), g(1000, 0.5F);
  AdamW adamw({{"w", w, g}}, {}, {.nonfinite = NonFinite::error});
  Statistics statistics;
  adamw.step({.statistics = &statistics});
  const MomentSums before = statistics.tensors.at(0).sums;
  EXPECT_THROW(adamw.step({.grad_scale = 0.0, .statistics = &statistics}), Error);
  EXPECT_THROW(adamw.begin_step({.grad_scale = 0.0, .statistics = &statistics}), Error);
  g[7] = NAN;
  EXPECT_THROW(adamw.step({.statistics = &statistics}), Error);
  ASSERT_EQ(statistics.tensors.size(), 1U);
  EXPECT_EQ(std::memcmp(&statistics.tensors[0].sums, &before, sizeof(before)), 0);
  g[7] = 0.5F;
  adamw.step({.statistics = &statistics});
  EXPECT_EQ(statistics.tensors.size(), 1U);
  EXPECT_EQ(statistics.tensors[0].step, 2U);
}

// However large the table is that the rows are of.
TEST(Statistics, SeeFewRowsOfALargeTable) {
  constexpr std::size_t kRows = 5000, kWidth = 300;
  std::vector<float> w(kRows * kWidth, 1.0F), values(3 * kWidth, 2.0F);
  AdamW adamw({{"w", w, {}, {kRows, kWidth}}});
  Statistics statistics;
  std::uint64_t sampled = 0;
  for (std::int64_t t = 1; t <= 20; ++t) {
    const std::vector<std::int64_t> rows = {t, 100 * t, 4999 - t};
    adamw.set_lazy_row_grad("w", rows, values);
    adamw.step({.statistics = &statistics});
    EXPECT_EQ(statistics.tensors.at(0).elements, values.size());
    sampled += statistics.tensors.at(0).scales.elements;
  }
  EXPECT_GT(sampled, 20U * values.size() / 80);
}

TEST(Statistics, OfRowsAreOverTheRows) {
  std::vector<float> w(1000, 1.0F), values(20, 2.0F);
  AdamW adamw({{"w", w, {}, {100, 10}}});
  const std::vector<std::int64_t> rows = {70, 3};
  adamw.set_lazy_row_grad("w", rows, values);
  Statistics statistics;
  adamw.step({.statistics = &statistics});
  EXPECT_EQ(statistics.tensors.at(0).elements, 20U);
  EXPECT_EQ(statistics.tensors.at(0).sums.gg, 80.0);
  EXPECT_EQ(statistics.tensors.at(0).sums.ww, 20.0);
}

TEST(Statistics, SeeEnoughOfEveryTensor) {
  // Blocks of 256 elements, and how many of them a step observes.
  const std::vector<std::pair<std::size_t, std::uint64_t>> sizes = {{6400, 64}, {2048, 64}, {640, 20}, {64, 2},
                                                                    {10, 2},    {3, 3},     {1, 1}};
  std::vector<float> w(256 * sizes.front().first), g(w.size(), 1.0F);
  for (const auto& [blocks, observed] : sizes) {
    const std::size_t size = 256 * blocks;
    AdamW adamw({{"w", std::span(w).first(size), std::span(g).first(size)}});
    Statistics statistics;
    for (int t = 1; t <= 10; ++t) {
      adamw.step({.statistics = &statistics});
      EXPECT_EQ(statistics.tensors.at(0).elements, 256 * observed) << blocks;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
