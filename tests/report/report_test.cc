// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The report: what is kept of a run, what is said of it, and the page.
#include "report/report.h"

#include <gtest/gtest.h>

#include <adamant/error.hpp>
#include <adamant/moments.hpp>
#include <adamant/optimizer.hpp>
#include <adamant/run_log.hpp>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "report/encode.h"
#include "report/forensics.h"
#include "report/payload.h"
#include "report/run.h"
#include "report/timeline.h"
#include "report/words.h"
#include "tests/report/trial.h"

namespace adamant::report {
namespace {

TEST(Timeline, KeepsTheExtremesOfEveryBucket) {
  for (const std::uint64_t points : {1U, 2U, 31U, 32U, 33U, 1000U, 4097U}) {
    Timeline line(2, 32);
    std::vector<double> values;
    std::uint64_t state = 1;
    for (std::uint64_t i = 0; i < points; ++i) {
      values.push_back(noise(state));
      line.begin(10 * i + 5);
      line.put(0, values.back());
    }
    ASSERT_LE(line.buckets(), 32U);
    if (points > 32) {
      ASSERT_GT(line.buckets(), 16U);
    }
    for (std::size_t b = 0; b < line.buckets(); ++b) {
      double low = 1e9, high = -1e9;
      for (std::uint64_t i = (line.first_steps()[b] - 5) / 10; i <= (line.last_steps()[b] - 5) / 10; ++i) {
        low = std::min(low, values[i]);
        high = std::max(high, values[i]);
      }
      EXPECT_EQ(line.low(0)[b], static_cast<float>(low));
      EXPECT_EQ(line.high(0)[b], static_cast<float>(high));
      EXPECT_TRUE(std::isnan(line.low(1)[b]));
      if (b > 0) {
        EXPECT_EQ(line.first_steps()[b], line.last_steps()[b - 1] + 10);
      }
    }
    EXPECT_EQ(line.last_steps().back(), 10 * points - 5);
  }
}

TEST(Timeline, OneSpikeInAMillionPointsSurvives) {
  Timeline line(1, 64);
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    line.begin(i);
    line.put(0, i == 54'321 ? 1e6 : 1.0);
  }
  const auto& high = line.high(0);
  const auto at = static_cast<std::size_t>(std::max_element(high.begin(), high.end()) - high.begin());
  EXPECT_EQ(high[at], 1e6F);
  EXPECT_LE(line.first_steps()[at], 54'321U);
  EXPECT_GE(line.last_steps()[at], 54'321U);
}

TEST(Timeline, NewSeriesHaveNoPastAndWhatIsNotFiniteLeavesNoTrace) {
  Timeline line(1, 8);
  for (std::uint64_t i = 0; i < 20; ++i) {
    if (i == 10) line.add_series(1);
    line.begin(i);
    line.put(0, i % 2 == 0 ? std::nan("") : INFINITY);
    if (i >= 10) line.put(1, static_cast<double>(i));
  }
  EXPECT_TRUE(std::isnan(line.low(0).back()));
  EXPECT_TRUE(std::isnan(line.high(1).front()));
  EXPECT_EQ(line.high(1).back(), 19.0F);
}

TEST(Encode, Base64OfNumbers) {
  EXPECT_EQ(encode_f32(std::vector<float>{1.0F}), "AACAPw==");
  EXPECT_EQ(encode_f32(std::vector<float>{1.0F, -2.0F, 0.5F}), "AACAPwAAAMAAAAA/");
  EXPECT_EQ(encode_f32({}), "");
  EXPECT_EQ(encode_bf16(std::vector<float>{1.0F, -2.0F, 0.5F}), "gD8AwAA/");
  // To nearest even: 1 + 2^-8 lies between 1 and 1 + 2^-7.
  EXPECT_EQ(encode_bf16(std::vector<float>{1.00390625F}), encode_bf16(std::vector<float>{1.0F}));
  EXPECT_EQ(encode_bf16(std::vector<float>{1.01171875F}), encode_bf16(std::vector<float>{1.015625F}));
  EXPECT_EQ(encode_bf16(std::vector<float>{std::nanf("")}), "wH8=");
}

TEST(Encode, JsonIsWrittenAsItIsBuilt) {
  Json json = Json::object({{"a \"b\"", 1}, {"list", Json::array({true, "x\n", -0.5, std::nan(""), Json()})}});
  EXPECT_FALSE(json.empty());
  EXPECT_TRUE(Json::array().empty() && Json::object().empty());
  json.set("floats", std::vector<std::size_t>{1, 2}).set("none", Json::array()).set("short", Json::rounded(1.23456, 3));
  EXPECT_EQ(json.text(), R"({"a \"b\"":1,"list":[true,"x\n",-0.5,null,null],"floats":[1,2],"none":[],"short":1.23})");
  EXPECT_EQ(Json("a\xff").text(), "\"a\xef\xbf\xbd\"");
}

TEST(Encode, JsonCannotEndItsScript) {
  EXPECT_EQ(json_for_html(R"({"a":"</script><!--"})"), R"({"a":"\u003c/script>\u003c!--"})");
}

TEST(Words, Numbers) {
  EXPECT_EQ(number(0.22941), "0.229");
  EXPECT_EQ(number(12345.6), "12346");
  EXPECT_EQ(percent(0.123), "12%");
  EXPECT_EQ(percent(0.00123), "0.12%");
  EXPECT_EQ(percent(1e-6), "less than 0.01%");
  EXPECT_EQ(percent(0.0), "0%");
  EXPECT_EQ(count(1, "step"), "1 step");
  EXPECT_EQ(count(2, "step"), "2 steps");
}

using Parsed = nlohmann::json;

Parsed shown(const report::Run& run) { return Parsed::parse(run_json(run).text()); }

std::string verdict(const Parsed& run, const char* panel) { return run["panels"][panel]["verdict"]; }

// The sentence of a panel, for the names and numbers in it.
std::string answer(const Parsed& run, const char* panel) { return run["panels"][panel]["answer"]; }

void expect_says(const std::string& words, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(words.find(part), std::string::npos) << part << " in: " << words;
}

TEST(Panels, NoiseIsCalledNoise) {
  Trial trial(Rule::adamw);
  const Parsed json = shown(trial.noise_only(400));
  EXPECT_EQ(verdict(json, "m"), "noise");
  EXPECT_EQ(verdict(json, "v"), "kept_up");
  EXPECT_EQ(verdict(json, "eps"), "v_decides");
  EXPECT_EQ(verdict(json, "overview"), "no_spike");
  EXPECT_EQ(verdict(json, "forensics"), "absent");
  EXPECT_EQ(verdict(json, "table"), "all");
  expect_says(answer(json, "m"), {"0.229"});                  // √(0.1/1.9), what noise leaves
  expect_says(answer(json, "bias"), {"3.16", "6.57", "12"});  // 0.1/√0.001, and the worst step
  expect_says(answer(json, "table"), {"3 ", "1536"});
}

TEST(Panels, SteadyGradientsAreCalledSteady) {
  Trial trial(Rule::adamw);
  const Parsed json =
      shown(trial.run(200, [](auto, auto, double x) { return 1.0 + 0.1 * x; }, [](auto, auto) { return 1.0; }));
  EXPECT_EQ(verdict(json, "m"), "steady");
}

TEST(Panels, GradientsThatAreOldAreCalledOld) {
  Trial trial(Rule::adamw);
  const Parsed json = shown(trial.run(
      600, [](std::uint64_t step, auto, double x) { return step < 300 ? 100.0 * x : x; },
      [](auto, auto) { return 1.0; }));
  EXPECT_EQ(verdict(json, "v"), "too_old");
}

TEST(Panels, AlternationIsFound) {
  Trial trial(Rule::adamw);
  const report::Run run = trial.run(
      700, [](std::uint64_t step, std::size_t t, double x) { return t == 1 ? (step % 2 == 0 ? 1.0 : -1.0) : x; },
      [](auto, auto) { return 1.0; });
  // Strict alternation leaves (1-β1)/(1+β1).
  expect_says(shown(run)["panels"]["m"]["alternating"], {"second[", "100%", "0.0526"});
}

TEST(Panels, EpsInChargeIsNamed) {
  Trial trial(Rule::adamw, {.lr = 1e-3, .eps = 0.1});
  const Parsed json = shown(trial.run(
      100, [](auto, std::size_t t, double x) { return t == 2 ? 1e-3 * x : 100.0 * x; },
      [](auto, auto) { return 1.0; }));
  EXPECT_EQ(verdict(json, "eps"), "eps_decides");
  expect_says(answer(json, "eps"), {"third"});
}

TEST(Panels, RulesWithoutAMomentSaySo) {
  Trial sgd(Rule::sgd, {.lr = 1e-3}), rmsprop(Rule::rmsprop), adagrad(Rule::adagrad);
  const Parsed plain = shown(sgd.noise_only(50)), rms = shown(rmsprop.noise_only(50));
  const Parsed sums = shown(adagrad.noise_only(50));
  for (const char* panel : {"m", "v", "bias", "eps"}) EXPECT_EQ(verdict(plain, panel), "absent") << panel;
  EXPECT_EQ(verdict(rms, "m"), "absent");
  EXPECT_NE(verdict(rms, "v"), "absent");
  EXPECT_EQ(verdict(sums, "bias"), "absent");
}

// Names of the coordinates of a choice, or of the rows or points of a chart.
std::string names_in(const Parsed& panel, const char* chart) {
  std::string names;
  const Parsed& shown = panel["charts"].value(chart, Parsed::object());
  for (const char* list : {"options", "rows", "points"}) {
    for (const Parsed& entry : shown.value(list, Parsed::array())) names += entry["name"].get<std::string>() + " ";
  }
  return names;
}

// The rules whose lines are drawn with a statistic.
std::vector<std::string> rules_in(const Parsed& panel, const char* chart) {
  std::vector<std::string> rules;
  for (const Parsed& curves : panel["charts"][chart]["curves"]) rules.push_back(curves["rule"]);
  return rules;
}

// What one rule lacks is shown of the tensors of the other, whichever comes first.
TEST(Panels, OfARunThatMixesRulesShowTheTensorsThatHaveAMoment) {
  const std::pair<Rule, Options> sgd = {Rule::sgd, {.lr = 1e-3}},
                                 adamw = {Rule::adamw, {.lr = 1e-3, .betas = {0.8, 0.9}}};
  for (const bool sgd_first : {true, false}) {
    Trial trial = sgd_first ? Trial(sgd, adamw) : Trial(adamw, sgd);
    const char* has = sgd_first ? "second[" : "first[";
    const char* lacks = sgd_first ? "first[" : "second[";
    const char* share = sgd_first ? "2 of 3 tensors" : "1 of 3 tensors";
    report::Run run = trial.run(
        100, [](auto step, std::size_t t, double x) { return t == 0 || step % 2 == 0 ? x : 0.0; },
        [](auto, auto) { return 1.0; });
    run.last_scales.emplace(RunScales{1, 100, std::vector<std::array<std::uint32_t, ScaleSample::kBins>>(3, {{1, 2}})});
    const Parsed json = shown(run);
    for (const char* panel : {"m", "v", "bias", "eps"}) {
      ASSERT_NE(verdict(json, panel), "absent") << panel << sgd_first;
      expect_says(answer(json, panel), {share, "AdamW"});
    }
    expect_says(answer(json, "m"), {"0.333"});     // √(0.2/1.8), what noise leaves
    expect_says(answer(json, "bias"), {"0.632"});  // 0.2/√0.1
    const Parsed& panels = json["panels"];
    for (const auto& [panel, chart] : std::initializer_list<std::pair<const char*, const char*>>{
             {"m", "microscope"}, {"bias", "bias_probe"}, {"v", "ridge"}}) {
      const std::string names = names_in(panels[panel], chart);
      EXPECT_NE(names.find(std::string(has).substr(0, 5)), std::string::npos) << chart << ": " << names;
      EXPECT_EQ(names.find(std::string(lacks).substr(0, 5)), std::string::npos) << chart << ": " << names;
    }
    EXPECT_EQ(rules_in(panels["v"], "lag"), std::vector<std::string>{"AdamW"});
    EXPECT_EQ(rules_in(panels["movement"], "relative_step"), (std::vector<std::string>{"AdamW", "SGD"}));
    EXPECT_EQ(panels["table"]["rows"][0]["rule"], sgd_first ? "SGD" : "AdamW");
    for (const Parsed& light : panels["health"]["lights"]) EXPECT_NE(light["state"], "grey") << light["name"];
    EXPECT_EQ(run.replay.beta1, 0.8);
    EXPECT_EQ(run.replay.beta2, 0.9);
  }
}

// A sum of squares is no mean, and only a mean grows old.
TEST(Panels, OfARunThatMixesRulesJudgeEachVByItsRule) {
  for (const bool sum_first : {true, false}) {
    const std::pair<Rule, Options> sum = {Rule::adagrad, {}}, mean = {Rule::rmsprop, {}};
    Trial trial = sum_first ? Trial(sum, mean) : Trial(mean, sum);
    const Parsed json = shown(trial.noise_only(400));
    EXPECT_EQ(verdict(json, "v"), "kept_up") << answer(json, "v");
    expect_says(answer(json, "v"), {"The v of Adagrad never forgets"});
    EXPECT_EQ(rules_in(json["panels"]["v"], "lag"), (std::vector<std::string>{"RMSprop", "Adagrad"}));
  }
  Trial trial({Rule::rmsprop, {}}, {Rule::adamw, {}});
  EXPECT_EQ(answer(shown(trial.noise_only(50)), "v").find("never forgets"), std::string::npos);
}

// Where the correction differs from group to group, so does what it did.
TEST(Panels, OfGroupsWithOtherBetasTellTheirCorrectionsApart) {
  Trial trial({Rule::adamw, {}}, {Rule::adam, {.betas = {0.8, 0.9}}});
  const Parsed json = shown(trial.noise_only(20));
  expect_says(answer(json, "bias"), {"β1 = 0.9, β2 = 0.999: ", "3.16", "β1 = 0.8, β2 = 0.9: ", "0.632"});
  EXPECT_EQ(json["panels"]["bias"]["charts"]["bias_curve"]["lines"].size(), 2U);
}

// The balance of decay and updates is that of the tensors that decay.
TEST(Panels, OfARunThatMixesRulesTakeRateAndDecayFromTheGroupThatDecays) {
  for (const bool sgd_first : {true, false}) {
    const std::pair<Rule, Options> sgd = {Rule::sgd, {.lr = 0.5}},
                                   adamw = {Rule::adamw, {.lr = 1e-3, .weight_decay = 0.2}};
    Trial trial = sgd_first ? Trial(sgd, adamw) : Trial(adamw, sgd);
    const report::Run run = trial.noise_only(50);
    expect_says(answer(shown(run), "movement"), {"= 5000 steps"});
    const auto curves = shown(run)["panels"]["movement"]["charts"]["equilibrium"]["curves"];
    ASSERT_EQ(curves.size(), 1U);
    EXPECT_EQ(curves[0]["rule"], "AdamW");
  }
}

TEST(Panels, ABadBatchIsFoundAndSoIsWhoMovedFirst) {
  const auto loss = [](std::uint64_t step, double x) { return step == 300 ? 5.0 : 1.0 + 0.01 * x; };
  Trial bad(Rule::adamw), early(Rule::adamw);
  const report::Run batch =
      bad.run(340, [](std::uint64_t step, auto, double x) { return step == 300 ? 30.0 * x : x; }, loss);
  ASSERT_EQ(batch.spikes.size(), 1U);
  EXPECT_EQ(batch.spikes[0].step, 300U);
  EXPECT_EQ(batch.spikes[0].steps.size(), 41U);
  EXPECT_EQ(batch.spikes[0].pattern, Pattern::bad_batch);
  EXPECT_EQ(batch.spikes[0].movers.at(0).step, 300U);

  const report::Run mover = early.run(
      340,
      [](std::uint64_t step, std::size_t t, double x) {
        return (t == 1 && step >= 296) || (t == 0 && step >= 298) ? 30.0 * x : x;
      },
      loss);
  ASSERT_EQ(mover.spikes.size(), 1U);
  EXPECT_EQ(mover.spikes[0].movers.at(0).tensor, 1U);
  EXPECT_EQ(mover.spikes[0].movers.at(0).step, 296U);
  EXPECT_EQ(mover.spikes[0].movers.at(1).tensor, 0U);
  EXPECT_EQ(mover.spikes[0].movers.at(1).step, 298U);
  EXPECT_EQ(mover.spikes[0].pattern, Pattern::stale_v);
  const Parsed json = shown(mover);
  EXPECT_EQ(verdict(json, "overview"), "spikes");
  EXPECT_EQ(verdict(json, "forensics"), "stale_v");
  expect_says(answer(json, "forensics"), {"second", "4 steps"});
}

TEST(Replay, EachRuleMovesAsItsFormulaSays) {
  Trial trial(Rule::adamw, {.lr = 0.5});
  // Steady gradients of three sizes.
  const report::Run run = trial.run(
      100, [](auto, std::size_t t, auto) { return std::pow(10.0, -static_cast<double>(t)); },
      [](auto, auto) { return 1.0; });
  ASSERT_EQ(run.replay.probes.size(), 6U);
  double sgd = 0.0, adagrad = 0.0;
  for (int t = 1; t <= 100; ++t) {
    sgd += 0.5 * (1.0 - std::pow(0.9, t)) / 0.1;
    adagrad += 0.5 / std::sqrt(t);
  }
  for (const Replay::Probe& probe : run.replay.probes) {
    const double size = std::pow(10.0, -static_cast<double>(probe.tensor));
    EXPECT_NEAR(probe.path[0], 50.0, 50.0 * 1e-4);
    EXPECT_NEAR(probe.path[1], sgd * size, sgd * size * 1e-4);
    EXPECT_NEAR(probe.path[3], adagrad, adagrad * 1e-4);
    EXPECT_NEAR(std::sqrt(probe.mean_square), size, size * 1e-5);
  }
}

TEST(Run, MemoryDoesNotGrowWithTheSteps) {
  Trial trial(Rule::adamw);
  const report::Run run = trial.noise_only(3100);
  const Budget budget;
  EXPECT_EQ(run.logged, 3100U);
  EXPECT_LE(run.overview.buckets(), budget.overview_buckets);
  EXPECT_LE(run.moments.buckets(), budget.tensor_buckets);
  for (const ProbeTrack& track : run.probes) {
    EXPECT_EQ(track.first.size(), budget.probe_steps);
    EXPECT_EQ(track.last.size(), budget.probe_steps);
    EXPECT_EQ(track.last.front().step, 3100 - budget.probe_steps + 1);
    EXPECT_EQ(track.last.back().step, 3100U);
    EXPECT_LT(track.early.size(), 200U);
  }
}

// The start of a short run is not part of its end.
TEST(Run, ItsLossAtTheEndIsThatOfItsLastSteps) {
  Trial trial(Rule::adamw);
  const auto falling = [](std::uint64_t step, auto) { return 1000.0 * std::exp(-0.1 * static_cast<double>(step)); };
  const report::Run run = trial.run(60, [](auto, auto, double x) { return x; }, falling);
  EXPECT_LT(run.recent_loss, 2.0 * run.last_loss);
  expect_says(answer(shown(run), "overview"), {"905"});
}

TEST(Run, ShowsEveryOptionOfItsRule) {
  for (const RuleInfo& rule : rules()) {
    Trial trial(rule.rule, {});
    const std::string settings = shown(trial.noise_only(2))["settings"].dump();
    for (const OptionInfo& option : rule.options) {
      EXPECT_NE(settings.find(std::string(option.name) + " "), std::string::npos) << rule.name << ": " << settings;
    }
  }
}

TEST(Run, WithoutStatisticsIsNotCalledHealthy) {
  Trial trial(Rule::adamw);
  Collector collector(trial.info);
  for (std::uint64_t step = 1; step <= 100; ++step) {
    collector.add(trial.info, run_step(trial.optimizer, 1.0, trial.optimizer.step()));
  }
  const Parsed json = shown(collector.finish());
  EXPECT_EQ(verdict(json, "health"), "grey");
  for (const Parsed& light : json["panels"]["health"]["lights"]) {
    EXPECT_EQ(light["state"], light["name"] == "loss" ? "green" : "grey") << light["name"];
  }
  for (const char* panel : {"m", "v", "eps", "movement"}) EXPECT_EQ(verdict(json, panel), "unseen") << panel;
}

TEST(Run, StepsThatAreApartAreNotCalledAlternating) {
  Trial trial(Rule::adamw);
  Statistics statistics;
  statistics.probes = 1;
  trial.info.probes = {{0, 256}, {1, 256}, {2, 256}};
  Collector collector(trial.info);
  for (std::uint64_t step = 1; step <= 300; ++step) {
    for (float& x : trial.g[1]) x = step / 3 % 2 == 0 ? 1.0F : -1.0F;
    const StepReport report = trial.optimizer.step({.statistics = &statistics});
    if (step % 3 == 0) collector.add(trial.info, run_step(trial.optimizer, 1.0, report, &statistics));
  }
  const report::Run run = collector.finish();
  EXPECT_NEAR(run.apart(), 3.0, 1e-9);
  const Parsed json = shown(run);
  EXPECT_FALSE(json["panels"]["m"].contains("alternating"));
  EXPECT_EQ(verdict(json, "replay"), "steps_apart");
}

// A log may say that a group lost its momentum: what was an m has no model any more.
TEST(Run, WhoseMomentumEndsIsShown) {
  const std::pair with_m(Rule::sgd, Options{.lr = 1e-3, .momentum = 0.9});
  report::Run run = Trial(with_m, with_m).noise_only(300);
  run.info.groups[0].options.momentum = 0.0;
  EXPECT_EQ(verdict(shown(run), "m"), "noise");
}

// The same of decay: a balance was seen that nothing leads to any more, be it no decay or a decay of zero.
TEST(Run, WhoseDecayEndsIsShown) {
  const std::pair with_decay(Rule::adamw, Options{.lr = 1e-3, .weight_decay = 0.1});
  report::Run run = Trial(with_decay, with_decay).noise_only(300);
  expect_says(answer(shown(run), "movement"), {"1/(ηλ)"});
  for (const Rule rule : {Rule::adamw, Rule::adam}) {
    for (auto& group : run.info.groups) {
      group.rule = rule;
      group.options.weight_decay = 0.0;
    }
    expect_says(answer(shown(run), "movement"), {"updates balance."});
  }
}

// Histograms come after the step that completes them; there may be no further step.
TEST(Run, ReadsHistogramsThatAreTheLastLine) {
  const std::string path = (std::filesystem::temp_directory_path() / "adamant_last_scales.jsonl").string();
  Trial trial(Rule::adamw);
  {
    RunLog log(path, trial.optimizer);
    for (int step = 0; step < 128; ++step) {
      for (auto& g : trial.g) {
        for (float& x : g) x = static_cast<float>(noise(trial.state));
      }
      log.step(trial.optimizer, 1.0, trial.optimizer.step({.statistics = log.statistics()}));
    }
  }
  RunLogReader reader(path);
  const report::Run run = read_run(reader, path, {});
  std::filesystem::remove(path);
  EXPECT_EQ(run.logged, 128U);
  ASSERT_TRUE(run.last_scales.has_value());
  EXPECT_EQ(run.last_scales->last_step, 128U);
}

TEST(Run, TensorsAddedLaterDoNotBreakTheBudget) {
  const Budget budget = budget_for(1, 1);
  Trial trial(Rule::adamw);
  RunInfo first = trial.info;
  first.tensors.resize(1);
  Collector collector(first, budget);
  RunInfo all = trial.info;
  all.tensors.resize(4000, trial.info.tensors.back());
  RunStep step;
  step.info = std::make_shared<RunInfo>(all);
  step.lr = {1e-3};
  step.tensors.resize(all.tensors.size());
  for (step.step = 1; step.step <= 3; ++step.step) collector.add(all, step);
  const report::Run run = collector.finish();
  EXPECT_EQ(run.tensors.size(), budget.later);
  EXPECT_LT(budget.later * budget.tensor_buckets, 40000U);
  EXPECT_GE(budget_for(1, 4000).later, 1000U);
}

TEST(Run, OnlyTheLargestTensorsAreDrawn) {
  Trial trial(Rule::adamw, {}, {512, 64, 1024});
  Budget budget;
  budget.tensors = 2;
  Collector collector(trial.info, budget);
  Statistics statistics;
  const StepReport report = trial.optimizer.step({.statistics = &statistics});
  collector.add(trial.info, run_step(trial.optimizer, 1.0, report, &statistics));
  const Parsed json = shown(collector.finish());
  EXPECT_EQ(verdict(json, "table"), "largest");
  const Parsed& rows = json["panels"]["table"]["rows"];
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["name"], "first");
  EXPECT_EQ(rows[1]["name"], "third");
}

claim::Claim noise_claim() {
  claim::Claim claim{.id = "noise", .statement = "m averages <noise>"};
  claim.plots.push_back({"t", "x", "y", false, true, {{"measured", claim::Stroke::measured, {1.0, 2.0}, {0.5, 0.25}}}});
  return claim;
}

TEST(Page, IsWholeAndFetchesNothing) {
  const std::string html = report_html({.title = "a <b> & c", .claims = {noise_claim()}});
  EXPECT_NE(html.find("<title>a &lt;b&gt; &amp; c · Adamant report</title>"), std::string::npos);
  EXPECT_EQ(html.find("{{"), std::string::npos);
  EXPECT_NE(html.find("Copyright 2010-2023 Mike Bostock"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const char* fetch : {"src=\"", "<link", "@import", "url(http"})
    EXPECT_EQ(html.find(fetch), std::string::npos) << fetch;
}

TEST(Page, RefusesWhatItCannotDraw) {
  const auto refusal = [](const ReportInput& input) -> std::string {
    try {
      static_cast<void>(report_html(input));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({}), "report: there is neither a run nor a claim");
  claim::Claim bad = noise_claim();
  bad.plots[0].series[0].y.pop_back();
  EXPECT_EQ(refusal({.claims = {bad}}), "claim 'noise', plot 't': line 'measured' has 2 xs and 1 ys");
  EXPECT_NE(refusal({.runs = {"/nowhere/run.jsonl"}}).find("/nowhere/run.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace adamant::report
