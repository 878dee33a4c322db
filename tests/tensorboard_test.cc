// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// TensorBoard event files: what is in them, and when it is there.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adamant/moments.hpp>
#include <adamant/tensorboard.hpp>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <tuple>

#include "insight/crc32c.h"
#include "tests/support/buffers.h"
#include "tests/support/event_file.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

class TensorBoardTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder); }
  void TearDown() override { fs::remove_all(folder); }

  const fs::path folder = fs::temp_directory_path() / ("adamant-tensorboard-" + std::to_string(getpid()));
};

constexpr std::size_t kSize = 1000;

// Tensors t0, t1, ... in groups of their own learning rates; everything is observed and sampled.
struct Training {
  Training(std::size_t tensors, std::size_t groups = 1, const Settings& settings = {})
      : w(tensors, std::vector<float>(kSize, 0.5F)),
        g(tensors, std::vector<float>(kSize)),
        optimizer(Rule::adamw, split(groups), {}, settings) {
    seen.observe_every = seen.sample_every = 1;
  }
  StepReport step() {
    ++t;
    for (std::size_t k = 0; k < g.size(); ++k) {
      for (std::size_t i = 0; i < kSize; ++i) {
        g[k][i] = static_cast<float>(random_normal((t * g.size() + k) * kSize + i) * std::pow(2.0, k % 7));
      }
    }
    return optimizer.step({.statistics = &seen});
  }
  std::vector<ParamGroup> split(std::size_t count) {
    std::vector<ParamGroup> groups(count);
    for (std::size_t k = 0; k < w.size(); ++k) {
      groups[k % count].params.push_back({"t" + std::to_string(k), w[k], g[k]});
      groups[k % count].options.lr = 1e-3 * static_cast<double>(1 + k % count);
    }
    return groups;
  }

  std::vector<std::vector<float>> w, g;
  Optimizer optimizer;
  Statistics seen;
  std::size_t t = 0;
};

std::set<std::string> tags_of(const std::vector<ReadEvent>& events) {
  std::set<std::string> tags;
  for (const ReadEvent& event : events) {
    for (const auto& [tag, value] : event.scalars) tags.insert(tag);
    for (const auto& [tag, value] : event.histograms) tags.insert(tag);
  }
  return tags;
}

TEST(Crc32c, VectorsOfRfc3720) {
  std::string up, down;
  for (char i = 0; i < 32; ++i) up += i, down += static_cast<char>(31 - i);
  const unsigned char command[48] = {0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                                     0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                                     0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(up), 0x46DD794Eu);
  EXPECT_EQ(crc32c(down), 0x113FDB5Cu);
  EXPECT_EQ(crc32c({reinterpret_cast<const char*>(command), sizeof(command)}), 0xD9963A56u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST_F(TensorBoardTest, OneRecordAStepAfterTheVersion) {
  Settings settings;
  settings.report_norm = true;
  settings.max_norm = 1.0;
  Training run(2, 1, settings);
  TensorBoard board((folder / "deep" / "er").string(), run.optimizer);
  EXPECT_EQ(fs::path(board.path()).parent_path(), folder / "deep" / "er");
  EXPECT_NE(board.path().find("tfevents"), std::string::npos);
  for (int t = 1; t <= 3; ++t) {
    run.optimizer.set_lr(0.5 * t);
    const StepReport report = run.step();
    board.step(run.optimizer, 10.0 / t, report, &run.seen);
    board.flush();
    const std::vector<ReadEvent> events = read_event_file(board.path());
    ASSERT_EQ(events.size(), static_cast<std::size_t>(t) + 1);
    EXPECT_EQ(events[0].version, "brain.Event:2");
    EXPECT_TRUE(events[0].scalars.empty());
    const ReadEvent& event = events.back();
    EXPECT_EQ(event.step, static_cast<std::uint64_t>(t));
    EXPECT_NEAR(event.wall_time, static_cast<double>(time(nullptr)), 10.0);
    EXPECT_EQ(event.scalars.at("loss"), static_cast<float>(10.0 / t));
    EXPECT_EQ(event.scalars.at("lr/0"), 0.5F * static_cast<float>(t));
    EXPECT_EQ(event.scalars.at("grad_norm"), static_cast<float>(*report.grad_norm));
    EXPECT_EQ(event.scalars.at("clip"), static_cast<float>(report.clip_coefficient));
    EXPECT_LT(event.scalars.at("clip"), 1.0F);
  }
}

TEST_F(TensorBoardTest, EveryStatisticOfEveryTensor) {
  Training run(2);
  TensorBoard board(folder.string(), run.optimizer);
  for (int t = 0; t < 3; ++t) board.step(run.optimizer, 1.0, run.step(), &run.seen);
  board.flush();
  const std::map<std::string, float> scalars = read_event_file(board.path()).back().scalars;
  std::size_t compared = 0;
  for (const MomentInfo& info : moment_list()) {
    double least = INFINITY, greatest = -INFINITY;
    for (std::size_t k = 0; k < 2; ++k) {
      const Moments moments = moments_of(run.seen.tensors[k], Rule::adamw, run.optimizer.options());
      const double value = moments.*info.value;
      const std::string tag = std::string(info.name) + "/t" + std::to_string(k);
      ASSERT_EQ(scalars.count(tag), std::isnan(value) ? 0U : 1U) << tag;
      if (std::isnan(value)) continue;
      EXPECT_FLOAT_EQ(scalars.at(tag), static_cast<float>(value)) << tag;
      least = std::min(least, value);
      greatest = std::max(greatest, value);
      ++compared;
    }
    EXPECT_FLOAT_EQ(scalars.at(std::string(info.name) + "/of tensors/least"), static_cast<float>(least));
    EXPECT_FLOAT_EQ(scalars.at(std::string(info.name) + "/of tensors/greatest"), static_cast<float>(greatest));
  }
  EXPECT_EQ(compared, 2 * moment_list().size()) << "AdamW has them all";
}

// What a group is said to do is what one tensor with all of its elements does.
TEST_F(TensorBoardTest, AGroupIsAsOneTensor) {
  const std::size_t sizes[] = {256, 512, 256};
  std::vector<float> w(1024, 0.5F), g(1024), whole_w = w, whole_g(1024);
  std::vector<Param> params;
  for (std::size_t k = 0, first = 0; k < 3; first += sizes[k++]) {
    params.push_back(
        {"t" + std::to_string(k), std::span(w).subspan(first, sizes[k]), std::span(g).subspan(first, sizes[k])});
  }
  AdamW adamw(std::move(params)), whole({{"w", whole_w, whole_g}});
  TensorBoardOptions options;
  options.max_tags = 1000;
  TensorBoard board(folder.string(), adamw, options);
  Statistics seen, all;
  seen.observe_every = seen.sample_every = all.observe_every = all.sample_every = 1;
  for (std::uint64_t t = 0; t < 3; ++t) {
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = whole_g[i] = static_cast<float>(random_normal(1024 * t + i));
    const StepReport report = adamw.step({.statistics = &seen});
    whole.step({.statistics = &all});
    board.step(adamw, 1.0, report, &seen);
  }
  board.flush();
  const std::map<std::string, float> scalars = read_event_file(board.path()).back().scalars;
  const Moments moments = moments_of(all.tensors.at(0), Rule::adamw, whole.options());
  for (const MomentInfo& info : moment_list()) {
    const float expected = static_cast<float>(moments.*info.value);
    EXPECT_NEAR(scalars.at(std::string(info.name) + "/groups/0"), expected, 1e-5F * std::abs(expected)) << info.name;
  }
}

// Where one block in two is observed, sums are taken as if the others were alike.
TEST_F(TensorBoardTest, WhatWasObservedStandsForAll) {
  std::vector<float> w(1024, 0.5F), g(1024, 0.25F);
  AdamW adamw({{"w", w, g}});
  TensorBoard board(folder.string(), adamw);
  Statistics seen;
  seen.observe_every = 2;
  const StepReport report = adamw.step({.statistics = &seen});
  board.step(adamw, 1.0, report, &seen);
  board.flush();
  ASSERT_EQ(seen.tensors.at(0).elements, 512U);
  // The first step is η in the direction of g: the decrease is η·Σ|g|.
  EXPECT_NEAR(read_event_file(board.path()).back().scalars.at("decrease/w"), 1e-3F * 1024 * 0.25F, 2e-6F);
}

TEST_F(TensorBoardTest, NeverMoreThanAHundredTags) {
  for (const std::size_t tensors : {1U, 2U, 3U, 5U, 6U, 7U, 148U}) {
    for (const std::size_t groups : {1U, 2U, 3U, 5U, 148U}) {
      if (groups > tensors) continue;
      SCOPED_TRACE(std::to_string(tensors) + " tensors, " + std::to_string(groups) + " groups");
      Settings settings;
      settings.report_norm = true;
      Training run(tensors, groups, settings);
      TensorBoardOptions options;
      options.histogram_every = 2;
      TensorBoard board(folder.string(), run.optimizer, options);
      for (int t = 0; t < 2; ++t) board.step(run.optimizer, 1.0, run.step(), &run.seen);
      board.flush();
      const std::set<std::string> tags = tags_of(read_event_file(board.path()));
      EXPECT_LE(tags.size(), 100U);
      for (const char* always : {"loss", "grad_norm", "clip", "scales"}) EXPECT_TRUE(tags.contains(always)) << always;
      EXPECT_EQ(tags.contains("lr/0"), groups < 100);
      EXPECT_EQ(tags.contains("lag/t0"), tensors <= 5);
      EXPECT_EQ(tags.contains("lag/of tensors/greatest"), tensors > 5 || tensors == 2 || tensors == 3);
      EXPECT_TRUE(tags.contains("lag/t0") || tags.contains("lag/of tensors/least"));
      if (tensors > 5) {
        EXPECT_EQ(tags.contains("lag/groups/0"), groups <= 3);
      }
    }
  }
}

TEST_F(TensorBoardTest, ChosenTensors) {
  Training run(20);
  TensorBoardOptions options;
  options.tensors = {"t3", "t19"};
  TensorBoard board(folder.string(), run.optimizer, options);
  board.step(run.optimizer, 1.0, run.step(), &run.seen);
  board.flush();
  const std::set<std::string> tags = tags_of(read_event_file(board.path()));
  for (std::size_t k = 0; k < 20; ++k) {
    EXPECT_EQ(tags.contains("update/t" + std::to_string(k)), k == 3 || k == 19) << k;
  }
  EXPECT_TRUE(tags.contains("update/of tensors/least"));
  EXPECT_TRUE(tags.contains("update/groups/0"));
  EXPECT_LE(tags.size(), 100U);
}

TEST_F(TensorBoardTest, HistogramOfTheScales) {
  std::vector<float> w(4096), g(4096);
  AdamW adamw({{"w", w, g}}, {.eps = 0.0});
  TensorBoardOptions options;
  options.histogram_every = 3;
  TensorBoard board(folder.string(), adamw, options);
  Statistics seen;
  seen.sample_every = 1;
  // Three quarters of 2^-3·1.5, a quarter of 2^2·1.5; some never have a gradient.
  for (std::size_t i = 96; i < g.size(); ++i) g[i] = i % 4 == 0 ? 6.0F : 0.1875F;
  for (int t = 0; t < 7; ++t) board.step(adamw, 1.0, adamw.step({.statistics = &seen}), &seen);
  board.flush();
  const std::vector<ReadEvent> events = read_event_file(board.path());
  ASSERT_EQ(events.size(), 8U);
  for (std::size_t t = 1; t <= 7; ++t) {
    ASSERT_EQ(events[t].histograms.size(), t % 3 == 0 ? 1U : 0U) << t;
    if (t % 3 != 0) continue;
    const EventHistogram& histogram = events[t].histograms.at("scales");
    EXPECT_EQ(histogram.limits, (std::vector<double>{-3, -2, -1, 0, 1, 2, 3}));
    EXPECT_EQ(histogram.counts, (std::vector<double>{0, 9000, 0, 0, 0, 0, 3000}));
    EXPECT_EQ(histogram.num, 12000.0);
    EXPECT_EQ(histogram.min, -3.0);
    EXPECT_EQ(histogram.max, 3.0);
    const double low = std::log2(0.1875), high = std::log2(6.0);
    EXPECT_NEAR(histogram.sum, 9000 * low + 3000 * high, 40.0);
    EXPECT_NEAR(histogram.sum_squares, 9000 * low * low + 3000 * high * high, 200.0);
  }
}

TEST_F(TensorBoardTest, StepsThatSawNothing) {
  Training run(1);
  TensorBoard board(folder.string(), run.optimizer);
  board.step(run.optimizer, 1.0, run.step(), &run.seen);
  run.g[0][7] = NAN;
  const StepReport skipped = run.optimizer.step({.statistics = &run.seen});
  ASSERT_FALSE(skipped.applied);
  board.step(run.optimizer, NAN, skipped, &run.seen);
  board.step(run.optimizer, 0.5, run.step());
  board.flush();
  const std::vector<ReadEvent> events = read_event_file(board.path());
  ASSERT_EQ(events.size(), 4U);
  EXPECT_GT(events[1].scalars.size(), 10U);
  for (const std::size_t t : {2U, 3U}) {
    EXPECT_EQ(tags_of({events[t]}), (std::set<std::string>{"clip", "loss", "lr/0"}));
    EXPECT_EQ(events[t].step, t) << "a step that was not applied counts";
  }
  EXPECT_TRUE(std::isnan(events[2].scalars.at("loss")));
}

TEST_F(TensorBoardTest, ARunThatGoesOnHasAFileOfItsOwnAndGoesOnCounting) {
  Training run(1);
  const TensorBoard before(folder.string(), run.optimizer);
  for (int t = 0; t < 5; ++t) run.step();
  TensorBoard after(folder.string(), run.optimizer);
  EXPECT_NE(before.path(), after.path());
  after.step(run.optimizer, 1.0, run.step(), &run.seen);
  after.step(run.optimizer, 1.0, run.step(), &run.seen);
  after.flush();
  const std::vector<ReadEvent> events = read_event_file(after.path());
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[1].session, 1U) << "what earlier files have from here on is left out";
  EXPECT_EQ(events[1].step, 6U);
  EXPECT_EQ(events[2].step, 6U);
  EXPECT_EQ(events[2].session, 0U);
  EXPECT_EQ(events[3].step, 7U);
  EXPECT_EQ(read_event_file(before.path()).size(), 1U) << "a run that begins takes no one's place";
}

TEST_F(TensorBoardTest, ARunThatIsSetBackTakesThePlaceOfItsOwnSteps) {
  Training run(1);
  TensorBoard board(folder.string(), run.optimizer);
  for (int t = 0; t < 2; ++t) board.step(run.optimizer, 1.0, run.step());
  const StateDict kept = run.optimizer.state_dict();
  for (int t = 0; t < 3; ++t) board.step(run.optimizer, 1.0, run.step());
  run.optimizer.load_state_dict(kept);
  for (int t = 0; t < 2; ++t) board.step(run.optimizer, 1.0, run.step());
  board.flush();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
  for (const ReadEvent& event : read_event_file(board.path())) steps.emplace_back(event.step, event.session);
  EXPECT_EQ(steps, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                       {0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {3, 1}, {3, 0}, {4, 0}}));
}

TEST_F(TensorBoardTest, TensorsAddedLater) {
  Training run(1);
  TensorBoard board(folder.string(), run.optimizer);
  board.step(run.optimizer, 1.0, run.step(), &run.seen);
  std::vector<float> late(10, 1.0F), late_gradient(10, 0.5F);
  run.optimizer.add_param_group({.params = {{"late", late, late_gradient}}, .options = {.lr = 0.25}});
  board.step(run.optimizer, 1.0, run.step(), &run.seen);
  board.flush();
  const std::map<std::string, float> scalars = read_event_file(board.path()).back().scalars;
  EXPECT_EQ(scalars.at("lr/1"), 0.25F);
  EXPECT_EQ(scalars.count("lag/late"), 1U);
}

// A process that is killed leaves every record that was handed over.
TEST_F(TensorBoardTest, CompleteAfterAKill) {
  for (const double flush_seconds : {0.0, 1000.0}) {
    fs::remove_all(folder);
    const pid_t child = fork();
    if (child == 0) {
      Settings settings;
      settings.threads = 1;
      Training run(3, 1, settings);
      TensorBoardOptions options;
      options.flush_seconds = flush_seconds;
      TensorBoard board(folder.string(), run.optimizer, options);
      for (int t = 0; t < 20; ++t) board.step(run.optimizer, 1.0, run.step(), &run.seen);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const std::vector<ReadEvent> events = read_event_file(fs::directory_iterator(folder)->path().string());
    EXPECT_EQ(events.size(), flush_seconds == 0.0 ? 21U : 1U);
  }
}

// What waits in a parent is the parent's to write.
TEST_F(TensorBoardTest, NotWrittenByAFork) {
  Training run(1, 1, {.threads = 1});
  auto board = std::make_unique<TensorBoard>(folder.string(), run.optimizer, TensorBoardOptions{.flush_seconds = 1000});
  for (int t = 0; t < 5; ++t) board->step(run.optimizer, 1.0, run.step(), &run.seen);
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = refusal([&] { board->step(run.optimizer, 1.0, run.step(), &run.seen); });
    board.reset();
    _exit(said.find("io: ") == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const std::string path = board->path();
  EXPECT_EQ(read_event_file(path).size(), 1U);
  board.reset();
  EXPECT_EQ(read_event_file(path).size(), 6U);
}

TEST_F(TensorBoardTest, FlushedWhenItIsDestroyedAndMoved) {
  Training run(1);
  std::string path;
  {
    TensorBoard board(folder.string(), run.optimizer);
    path = board.path();
    board.step(run.optimizer, 1.0, run.step(), &run.seen);
    TensorBoard moved = std::move(board);
    moved.step(run.optimizer, 1.0, run.step(), &run.seen);
    for (const auto& call :
         std::vector<std::function<void()>>{[&] { board.step(run.optimizer, 1.0, {}, &run.seen); },
                                            [&] { board.flush(); }, [&] { static_cast<void>(board.path()); }}) {
      EXPECT_EQ(refusal(call), "invalid_argument: TensorBoard log was moved from: it holds nothing");
    }
    EXPECT_EQ(read_event_file(path).size(), 1U) << "a second has not passed";
  }
  EXPECT_EQ(read_event_file(path).size(), 3U);
}

TEST_F(TensorBoardTest, Refusals) {
  Training run(20);
  const auto made = [&](const TensorBoardOptions& options) {
    return refusal([&] { TensorBoard(folder.string(), run.optimizer, options); });
  };
  EXPECT_EQ(made({.max_tags = 3}), "invalid_argument: max_tags of 3 must be at least 4");
  EXPECT_EQ(made({.tensors = {"t1", "t77"}}), refusal([&] { std::ignore = run.optimizer.tensor_index("t77"); }));
  EXPECT_EQ(made({.tensors = {"t1", "t2", "t3", "t4", "t5", "t6"}}),
            "invalid_argument: 6 tensors of 17 tags do not fit into max_tags of 100");
  EXPECT_EQ(made({.flush_seconds = -1.0}), "invalid_argument: flush_seconds of -1 must be at least 0");
  EXPECT_FALSE(fs::exists(folder)) << "nothing is made for what is refused";
  std::ofstream(folder.string()) << "a file";
  EXPECT_EQ(made({}), "io: the folder '" + folder.string() + "' cannot be made: Not a directory");
}

// A disk that is full: the error comes once, and again.
TEST_F(TensorBoardTest, WhereNothingMoreCanBeWritten) {
  Training run(1);
  TensorBoard board(folder.string(), run.optimizer, {.flush_seconds = 0.0});
  board.step(run.optimizer, 1.0, run.step(), &run.seen);
  const auto size = fs::file_size(board.path());
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{size + 10, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const StepReport report = run.step();
  const std::string said = refusal([&] { board.step(run.optimizer, 1.0, report, &run.seen); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(said, "io: '" + board.path() + "' cannot be written: File too large");
  EXPECT_EQ(refusal([&] { board.step(run.optimizer, 1.0, report, &run.seen); }), said);
  EXPECT_EQ(refusal([&] { board.flush(); }), said);
  EXPECT_EQ(read_event_file(board.path()).size(), 2U);
}

}  // namespace
}  // namespace adamant::testing
