// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The lights: each seeded failure of a small model is found, first of all lights, with its cause and its tensor; and
// nothing is found where nothing is wrong.
#include <gtest/gtest.h>
#include <unistd.h>

#include <adamant/health.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>

#include "tests/support/word_model.h"

namespace adamant::testing {
namespace {

constexpr std::uint64_t kSteps = 600;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// How a model is trained. AdamW at a learning rate that is good for it, unless told otherwise.
struct Training {
  Options options{};
  WordModel::Faults data{};
  std::uint64_t bad_step = kNever;  ///< the step whose batch is spoilt
  bool growing = false;             ///< the loss gets ten times its weight between steps 500 and 2500
  std::string only{};               ///< the options are those of this tensor, not of all
  std::uint64_t steps = kSteps;
  std::uint64_t seed = 1;
};

struct Trained {
  std::vector<Finding> findings;
  double loss = 0.0;  ///< mean of the last 100 steps
};

const Options kGood{.lr = 0.01, .betas = {0.9, 0.999}, .weight_decay = 0.01};

double weight_at(std::uint64_t step) {
  return std::pow(10.0, std::clamp((static_cast<double>(step) - 500.0) / 2000.0, 0.0, 1.0));
}

Trained train(const Training& training) {
  WordModel model(training.seed);
  std::vector<ParamGroup> groups;
  for (const ParamGroup& group : model.groups()) {
    for (const Param& param : group.params) {
      const bool chosen = training.only.empty() || training.only == param.name;
      groups.push_back(
          {.params = {param}, .options = merge(merge(kGood, group.options), chosen ? training.options : Options{})});
    }
  }
  AdamW adamw(std::move(groups));
  const std::string path =
      (std::filesystem::temp_directory_path() / ("adamant-health-" + std::to_string(getpid()) + ".jsonl")).string();
  Trained trained;
  Health live;
  {
    RunLog log(path, adamw);
    for (std::uint64_t step = 1; step <= training.steps; ++step) {
      WordModel::Faults faults = training.data;
      if (step == training.bad_step) {
        faults.input_scale = 50.0;
        faults.random_labels = true;
      }
      const double loss = model.loss_and_grad(step, faults);
      if (step + 100 > training.steps) trained.loss += loss / 100.0;
      Statistics* statistics = log.statistics();
      const StepReport report =
          adamw.step({.grad_scale = training.growing ? 1.0 / weight_at(step) : 1.0, .statistics = statistics});
      live.record(run_step(adamw, loss, report, statistics));
      log.step(adamw, loss, report);
    }
  }
  trained.findings = live.findings();

  // The log tells the same.
  RunLogReader reader(path);
  Health read;
  for (RunStep step; reader.next(step);) read.record(step);
  EXPECT_EQ(read.findings().size(), live.findings().size());
  for (std::size_t i = 0; i < std::min(read.findings().size(), live.findings().size()); ++i) {
    const Finding &a = read.findings()[i], &b = live.findings()[i];
    EXPECT_EQ(std::tie(a.cause, a.severity, a.step, a.tensor), std::tie(b.cause, b.severity, b.step, b.tensor));
  }
  std::filesystem::remove(path);
  return trained;
}

std::string name_of(Cause cause) { return std::string(causes()[static_cast<std::size_t>(cause)].name); }

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings) {
    text += std::to_string(f.step) + (f.severity == Severity::red ? " red " : " yellow ") + f.sentence + "\n";
  }
  return text;
}

/// The first red light, as "cause at tensor".
std::string first_red(const std::vector<Finding>& findings, std::uint64_t* step = nullptr) {
  for (const Finding& found : findings) {
    if (found.severity != Severity::red) continue;
    EXPECT_EQ(found.light, causes()[static_cast<std::size_t>(found.cause)].light);
    EXPECT_FALSE(found.sentence.empty());
    if (step != nullptr) *step = found.step;
    return name_of(found.cause) + " at " + found.tensor;
  }
  return "nothing";
}

TEST(Health, OfAHealthyRunIsGreen) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Trained run = train({.steps = 2000, .seed = seed});
    EXPECT_EQ(first_red(run.findings), "nothing") << text_of(run.findings);
  }
}

TEST(Health, FindsALearningRateThatIsTenTimesTooHigh) {
  const Options high{.lr = 10.0 * *kGood.lr};
  const Trained run = train({.options = high});
  EXPECT_EQ(first_red(run.findings), "lr_too_high at output.weight") << text_of(run.findings);
  // It is a failure, and that is the tensor: alone at this learning rate it does the greatest harm.
  const double good = train({}).loss;
  EXPECT_GT(run.loss, good + 1.0);
  const auto alone = [&](const char* tensor) { return train({.options = high, .only = tensor}).loss; };
  const double output = alone("output.weight");
  EXPECT_GT(output, good + 0.1);
  EXPECT_GT(output, alone("hidden.weight"));
  EXPECT_GT(output, alone("embedding"));
}

TEST(Health, FindsAnEpsilonThatIsTooLarge) {
  const Trained run = train({.options = {.eps = 1e-2}});
  std::uint64_t step = 0;
  // Most words are rare: the gradients of the embedding are the smallest.
  EXPECT_EQ(first_red(run.findings, &step), "eps_too_large at embedding") << text_of(run.findings);
  EXPECT_LT(step, 50U);
  // That g·r is small is not v's fault then.
  for (const Finding& found : run.findings) EXPECT_NE(found.cause, Cause::v_too_old) << found.sentence;
}

// A slow v does harm where gradients grow; where they stay as they are it does none, and there is nothing to find.
TEST(Health, FindsASecondMomentThatIsTooSlow) {
  const Options slow{.betas = {0.9, 0.9999}};
  const Trained run = train({.options = slow, .growing = true, .steps = 3000});
  EXPECT_EQ(first_red(run.findings), "v_too_slow at embedding") << text_of(run.findings);
  const Trained usual = train({.growing = true, .steps = 3000});
  EXPECT_EQ(first_red(usual.findings), "nothing") << text_of(usual.findings);
  EXPECT_GT(run.loss, usual.loss + 0.03);
  const Trained steady = train({.options = slow, .steps = 3000});
  EXPECT_EQ(first_red(steady.findings), "nothing") << text_of(steady.findings);
}

TEST(Health, FindsRowsThatAreNeverUsed) {
  const Trained run = train({.data = {.unused_words = 24}});
  EXPECT_EQ(first_red(run.findings), "dead_elements at embedding") << text_of(run.findings);
  ASSERT_FALSE(run.findings.empty());
  EXPECT_NEAR(run.findings[0].value, 24.0 / WordModel::kWords, 0.01);
  const Trained few = train({.data = {.unused_words = 4}});
  EXPECT_EQ(first_red(few.findings), "nothing") << text_of(few.findings);
  ASSERT_FALSE(few.findings.empty());
  EXPECT_EQ(few.findings[0].cause, Cause::dead_elements);  // yellow
}

TEST(Health, FindsABadBatchBeforeTheLossSpike) {
  constexpr std::uint64_t kBad = 300;
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Trained run = train({.bad_step = kBad, .seed = seed});
    std::uint64_t step = 0;
    // The layer that the spoilt input enters.
    EXPECT_EQ(first_red(run.findings, &step), "bad_batch at hidden.weight") << text_of(run.findings);
    EXPECT_EQ(step, kBad);
    std::size_t red = 0;
    while (run.findings[red].severity != Severity::red) ++red;
    std::size_t spike = 0;
    while (spike < run.findings.size() && run.findings[spike].light != Light::loss) ++spike;
    ASSERT_LT(spike, run.findings.size());
    EXPECT_LT(red, spike);
  }
}

/// One tensor under gradients and losses that are made up.
class Scene {
 public:
  explicit Scene(const Options& options, const Settings& settings = {}, Rule rule = Rule::adamw)
      : w_(kRows * kRows, 1.0F),
        g_(kRows * kRows),
        optimizer_(rule, {{"w", w_, g_, {kRows, kRows}}}, options, settings) {
    statistics_.observe_every = statistics_.sample_every = 1;
  }
  void steps(
      int count, const std::function<double(std::uint64_t step, std::size_t element)>& gradient,
      const std::function<double(std::uint64_t step)>& loss = [](std::uint64_t) { return 1.0; }) {
    for (int k = 0; k < count; ++k) {
      ++step_;
      for (std::size_t i = 0; i < g_.size(); ++i) g_[i] = static_cast<float>(gradient(step_, i));
      const StepReport report = optimizer_.step({.statistics = &statistics_});
      health_.record(run_step(optimizer_, loss(step_), report, &statistics_));
    }
  }
  static double noise(std::uint64_t step, std::size_t element) { return random_normal(step * 4096 + element); }
  [[nodiscard]] const Health& health() const { return health_; }
  /// "step severity cause" of all.
  [[nodiscard]] std::vector<std::string> found() const {
    std::vector<std::string> all;
    for (const Finding& f : health_.findings()) {
      all.push_back(std::to_string(f.step) + (f.severity == Severity::red ? " red " : " yellow ") + name_of(f.cause));
    }
    return all;
  }

 private:
  static constexpr std::size_t kRows = 24;
  std::vector<float> w_, g_;
  Optimizer optimizer_;
  Statistics statistics_;
  Health health_;
  std::uint64_t step_ = 0;
};
using Found = std::vector<std::string>;

TEST(Health, FindsGradientsThatAreNotFinite) {
  Scene scene({.lr = 1e-4});
  scene.steps(40, Scene::noise);
  scene.steps(
      3, [](std::uint64_t, std::size_t element) { return element < 5 ? NAN : 1.0; }, [](std::uint64_t) { return NAN; });
  scene.steps(5, Scene::noise);
  EXPECT_EQ(scene.found(), Found{"41 red non_finite"});
  EXPECT_EQ(scene.health().findings()[0].sentence, "w: 5 elements of the gradient are not finite.");
  EXPECT_EQ(scene.health().findings()[0].tensor, "w");
  EXPECT_EQ(scene.health().state(Light::input), Severity::red);
  EXPECT_EQ(scene.health().state(Light::v), std::nullopt);
}

TEST(Health, CountsOneElement) {
  Scene scene({.lr = 1e-4});
  scene.steps(40, Scene::noise);
  scene.steps(
      1, [](std::uint64_t, std::size_t element) { return element < 1 ? NAN : 1.0; }, [](std::uint64_t) { return NAN; });
  EXPECT_EQ(scene.health().findings()[0].sentence, "w: 1 element of the gradient is not finite.");
}

TEST(Health, FindsClippingThatNeverEnds) {
  Scene scene({.lr = 1e-4}, {.max_norm = 6.0});  // of 24
  scene.steps(400, Scene::noise);
  EXPECT_EQ(scene.found(), Found{"200 yellow clipping"});
}

TEST(Health, FindsASecondMomentThatRemembersTooMuch) {
  Scene scene({.lr = 1e-4, .betas = {0.9, 0.9999}, .weight_decay = 0.0});
  const auto gradient = [](std::uint64_t step, std::size_t i) {
    return (step <= 50 ? 30.0 : 1.0) * Scene::noise(step, i);
  };
  scene.steps(1400, gradient);
  ASSERT_EQ(scene.found().size(), 2U) << text_of(scene.health().findings());
  EXPECT_EQ(scene.health().findings()[0].cause, Cause::v_too_old);
  EXPECT_EQ(scene.health().findings()[1].severity, Severity::red);
  EXPECT_NEAR(static_cast<double>(scene.health().findings()[1].step), 1050.0, 40.0);
  // A v that forgets has nothing to tell.
  Scene usual({.lr = 1e-4, .betas = {0.9, 0.99}, .weight_decay = 0.0});
  usual.steps(1400, gradient);
  EXPECT_EQ(first_red(usual.health().findings()), "nothing");
}

TEST(Health, JudgesLivingElementsAlone) {
  Scene scene({.lr = 1e-4, .weight_decay = 0.0});
  scene.steps(400, [](std::uint64_t step, std::size_t i) { return i % 10 == 0 ? Scene::noise(step, i) : 0.0; });
  EXPECT_EQ(scene.found(), Found{"256 red dead_elements"}) << text_of(scene.health().findings());
}

TEST(Health, FindsStepsThatTurnBack) {
  // As where each step goes beyond the minimum. No steady oscillation has less than -(1-β1)/(1+β1) = -0.053 in m.
  Scene scene({.lr = 1e-4});
  scene.steps(200, [](std::uint64_t step, std::size_t) { return step % 2 == 0 ? 1.0 : -1.0; });
  EXPECT_EQ(scene.found(), Found{"51 yellow overshoot"});
  EXPECT_NEAR(scene.health().findings()[0].value, -0.05, 0.03);
}

TEST(Health, FindsADecayThatDecides) {
  Scene scene({.lr = 1e-4, .weight_decay = 2.0});
  scene.steps(120, Scene::noise);
  EXPECT_EQ(scene.found(), Found{"100 red decay_too_strong"});
}

TEST(Health, KnowsHowFarNoiseMovesWeights) {
  // After 100 steps, those of AdaGrad are a tenth of the learning rate.
  Scene scene({.lr = 0.05}, {}, Rule::adagrad);
  scene.steps(200, Scene::noise);
  EXPECT_EQ(scene.found(), Found{}) << text_of(scene.health().findings());
}

TEST(Health, SaysByHowManyDeviationsALossStandsOut) {
  Scene scene({.lr = 1e-4});
  scene.steps(41, Scene::noise, [](std::uint64_t step) { return step <= 40 ? 1.0 : 2.0; });
  ASSERT_EQ(scene.found(), Found{"41 yellow loss_spike"});
  EXPECT_NEAR(scene.health().findings()[0].value, 1.0 / 2e-6, 1.0);
}

TEST(Health, FindsALossThatIsLost) {
  Scene scene({.lr = 1e-4});
  scene.steps(200, Scene::noise, [](std::uint64_t step) {
    const auto t = static_cast<double>(step);
    return step < 100 ? 1.0 + 0.01 * std::sin(t) : 0.05 * t;
  });
  ASSERT_FALSE(scene.found().empty());
  EXPECT_EQ(scene.found()[0], "100 yellow loss_spike");
  EXPECT_EQ(first_red(scene.health().findings()), "diverged at ");
  Scene broken({.lr = 1e-4});
  broken.steps(3, Scene::noise, [](std::uint64_t step) { return step < 3 ? 1.0 : NAN; });
  EXPECT_EQ(broken.found(), Found{"3 red diverged"});
  EXPECT_EQ(broken.health().findings()[0].sentence, "The loss is not finite.");
}

TEST(Health, ComparesALossWithThatOfTheFirst20Steps) {
  Scene scene({.lr = 1e-4});
  scene.steps(25, Scene::noise, [](std::uint64_t step) { return step < 20 ? 1.0 : step == 20 ? 10.0 : 100.0; });
  ASSERT_EQ(scene.found(), Found{"21 red diverged"});
  // Means in which a step weighs 0.95 times the next one.
  double before = 0.0, weight = 0.0;
  for (int step = 1; step <= 20; ++step) {
    before = 0.95 * before + (step < 20 ? 1.0 : 10.0);
    weight = 0.95 * weight + 1.0;
  }
  const double after = (0.95 * before + 100.0) / (0.95 * weight + 1.0);
  EXPECT_NEAR(scene.health().findings()[0].value, after / (before / weight), 1e-9);
}

TEST(Health, TellsAgainOnlyAfterARecovery) {
  Scene scene({.lr = 1e-4, .betas = {0.9, 0.99}});
  const auto leap = [](std::uint64_t step, std::size_t i) {
    return ((step >= 60 && step < 65) || step == 80 ? 40.0 : 1.0) * Scene::noise(step, i);
  };
  scene.steps(100, leap);
  EXPECT_EQ(scene.found(), (Found{"60 red bad_batch", "80 red bad_batch"})) << text_of(scene.health().findings());
}

TEST(Health, KeepsNoMoreFindingsThanItSays) {
  std::vector<float> w(4), g(4);
  AdamW adamw({{"w", w, g}});
  Health health;
  for (std::uint64_t step = 1; step <= 20010; ++step) {
    StepReport report;
    if (step % 2 == 1) report.nonfinite = {"w", 0, 1};
    RunStep seen = run_step(adamw, 1.0, report);
    seen.step = step;
    health.record(seen);
  }
  EXPECT_EQ(health.findings().size(), 10000U);
  EXPECT_EQ(health.findings().back().step, 19999U);
}

TEST(Health, SaysNothingOfWhatARuleLacks) {
  Scene scene({.lr = 1e-4, .momentum = 0.9}, {}, Rule::sgd);
  scene.steps(400, Scene::noise);
  EXPECT_EQ(scene.found(), Found{});
}

// What a record's groups leave open has the rule's default, as everywhere; a rule may also have no such option.
TEST(Health, NeedsNoOptionsThatARecordLeavesOut) {
  for (const Rule rule : {Rule::adamw, Rule::sgd}) {
    const auto info = std::make_shared<RunInfo>();
    info->groups = {{rule, {}}};
    info->tensors = {{"w", 64, {8, 8}, 0}};
    RunStep seen;
    seen.info = info;
    seen.lr = {1e-3};
    seen.tensors.resize(1);
    seen.tensors[0].elements = 64;
    seen.tensors[0].sums.gg = seen.tensors[0].sums.ww = 64.0;
    Moments moments{};
    moments.eps_tax = 0.9;
    Health health;
    for (seen.step = 1; seen.step <= 200; ++seen.step) {
      seen.tensors[0].step = seen.step;
      health.record(seen, {&moments, 1});
    }
    const auto found = std::ranges::find(health.findings(), Cause::eps_too_large, &Finding::cause);
    ASSERT_NE(found, health.findings().end());
    if (rule == Rule::adamw) {
      EXPECT_EQ(found->sentence.rfind("w: eps = 1e-08 makes up 90% of the denominator", 0), 0U) << found->sentence;
    }
  }
}

TEST(Health, HasALightForEachCause) {
  std::set<std::string_view> names;
  for (const CauseInfo& info : causes()) {
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_EQ(static_cast<std::size_t>(info.cause), names.size() - 1) << info.name;
    EXPECT_LT(static_cast<std::size_t>(info.light), lights().size());
    EXPECT_FALSE(info.measure.empty() || info.advice.empty());
  }
  for (std::size_t i = 0; i < lights().size(); ++i) EXPECT_EQ(static_cast<std::size_t>(lights()[i].light), i);
}

}  // namespace
}  // namespace adamant::testing
