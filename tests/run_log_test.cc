// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Run logs: what is read is what was written; nothing else is taken for a run log.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adamant/health.hpp>
#include <adamant/tensorboard.hpp>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/text.h"
#include "insight/run_format.h"
#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

using run_format::Json;

/// A file of this test, gone with it.
class File {
 public:
  File()
      : path_(std::filesystem::temp_directory_path() / ("adamant-log-" + std::to_string(getpid()) + "-" + unique())) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string text() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  void write(const std::string& text) const { std::ofstream(path_) << text; }

 private:
  static std::string unique() {
    static int count = 0;
    return std::to_string(++count) + ".jsonl";
  }
  std::filesystem::path path_;
};

std::string text_of(const RunInfo& run) {
  std::string text = run.version + run.target;
  for (const RunInfo::Group& group : run.groups) {
    text += "\n" + std::string(info(group.rule).name);
    for (const OptionInfo& option : info(group.rule).options) {
      text += " " + to_text(get_option(group.options, option.name).value());
    }
  }
  for (const RunInfo::Tensor& tensor : run.tensors) {
    text += "\n" + tensor.name + " " + std::to_string(tensor.size) + " " + std::to_string(tensor.group);
    for (const std::size_t side : tensor.shape) text += " " + std::to_string(side);
  }
  return text;
}

/// Two groups, three tensors.
struct Model {
  static constexpr std::size_t kSizes[] = {3000, 40, 500};
  explicit Model(const Settings& settings = {}) {
    for (std::size_t i = 0; i < 3; ++i) {
      w[i] = Buffer(Format::f32, kSizes[i]).fill(i + 1);
      g[i] = Buffer(Format::f32, kSizes[i]);
    }
    std::vector<ParamGroup> groups;
    groups.push_back({.params = {{"a \"quoted\" ü", w[0].view(), g[0].view(), {30, 100}}}, .options = {.lr = 0.01}});
    groups.push_back({.params = {{"b", w[1].view(), g[1].view()}, {"c", w[2].view(), g[2].view()}},
                      .options = {.weight_decay = 0.0}});
    optimizer = std::make_unique<AdamW>(std::move(groups), Options{.lr = 0.02, .betas = {0.9, 0.99}}, settings);
  }
  StepReport step(RunLog& log, double loss) {
    ++t;
    for (std::size_t i = 0; i < 3; ++i) g[i].fill(10 * t + i);
    Statistics* statistics = log.statistics();
    if (statistics != nullptr) statistics->observe_every = 1;
    const StepReport report = optimizer->step({.statistics = statistics});
    seen.push_back(statistics != nullptr ? *statistics : Statistics{});
    log.step(*optimizer, loss, report);
    return report;
  }

  Buffer w[3] = {{Format::f32, 0}, {Format::f32, 0}, {Format::f32, 0}};
  Buffer g[3] = {{Format::f32, 0}, {Format::f32, 0}, {Format::f32, 0}};
  std::unique_ptr<Optimizer> optimizer;
  std::vector<Statistics> seen;
  std::uint64_t t = 0;
};

std::vector<RunStep> steps_of(RunLogReader& reader) {
  std::vector<RunStep> steps;
  for (RunStep step; reader.next(step);) steps.push_back(step);
  return steps;
}

void expect_close(double value, double expected, const std::string& what) {
  EXPECT_NEAR(value, expected, 0x1p-15 * std::abs(expected) + 1e-30) << what;
}

TEST(RunLogs, SayWhatWasSeen) {
  const File file;
  Model model({.report_norm = true});
  {
    RunLog log(file.path(), *model.optimizer, {.title = "a run", .notes = {{"batch_size", 32.0}, {"data", "digits"}}});
    for (int t = 1; t <= 5; ++t) {
      model.optimizer->set_lr(0.01 * t);
      model.step(log, 1.0 / t);
    }
    log.end({{"outcome", "finished"}, {"accuracy", 0.5}});
  }
  RunLogReader reader(file.path());
  const RunInfo& info = reader.info();
  EXPECT_EQ(info.title, "a run");
  EXPECT_EQ(info.target, current_target());
  EXPECT_EQ(info.version, version());
  EXPECT_EQ(info.notes, (Notes{{"batch_size", 32.0}, {"data", "digits"}}));
  ASSERT_EQ(info.groups.size(), 2U);
  EXPECT_EQ(info.groups[1].rule, Rule::adamw);
  EXPECT_EQ((*info.groups[1].options.betas)[1], 0.99);
  EXPECT_EQ(*info.groups[1].options.weight_decay, 0.0);
  ASSERT_EQ(info.tensors.size(), 3U);
  EXPECT_EQ(info.tensors[0].name, "a \"quoted\" ü");
  EXPECT_EQ(info.tensors[0].shape, (std::vector<std::size_t>{30, 100}));
  EXPECT_EQ(info.tensors[2].size, 500U);
  EXPECT_EQ(info.tensors[2].group, 1U);
  EXPECT_EQ(info.probes.size(), 30U);

  const std::vector<RunStep> steps = steps_of(reader);
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(reader.end(), (Notes{{"outcome", "finished"}, {"accuracy", 0.5}}));
  for (std::size_t k = 0; k < 5; ++k) {
    SCOPED_TRACE("step " + std::to_string(k + 1));
    const RunStep& step = steps[k];
    EXPECT_EQ(step.step, k + 1);
    EXPECT_EQ(step.loss, 1.0 / static_cast<double>(k + 1));
    EXPECT_EQ(step.lr, std::vector<double>(2, 0.01 * static_cast<double>(k + 1)));
    EXPECT_TRUE(step.applied && step.grad_norm && !step.nonfinite && step.clip_coefficient == 1.0);
    const Statistics& seen = model.seen[k];
    std::size_t probes = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const TensorStatistics &read = step.tensors[i], &written = seen.tensors[i];
      EXPECT_EQ(read.tensor, i);
      EXPECT_EQ(read.step, written.step);
      EXPECT_EQ(read.elements, written.elements);
      for (const double MomentSums::* sum :
           {&MomentSums::gg, &MomentSums::mm, &MomentSums::mg, &MomentSums::uu, &MomentSums::max_u, &MomentSums::gu,
            &MomentSums::mu, &MomentSums::ww, &MomentSums::wu, &MomentSums::grgr, &MomentSums::r}) {
        expect_close(read.sums.*sum, written.sums.*sum, "a sum");
      }
      EXPECT_EQ(read.scales.elements > 0, written.scales.elements > 0);
      if (written.scales.scaled > 0) {
        expect_close(read.scales.log_sum / static_cast<double>(read.scales.scaled),
                     written.scales.log_sum / static_cast<double>(written.scales.scaled), "mean of the logarithms");
      }
      ASSERT_EQ(read.probes.size(), written.probes.size());
      for (std::size_t p = 0; p < read.probes.size(); ++p, ++probes) {
        EXPECT_EQ(info.probes[probes].tensor, i);
        EXPECT_EQ(info.probes[probes].element, written.probes[p].element);
        EXPECT_EQ(read.probes[p].element, written.probes[p].element);
        for (const float Probe::* number : {&Probe::g, &Probe::m, &Probe::v, &Probe::u, &Probe::w}) {
          expect_close(static_cast<double>(read.probes[p].*number), static_cast<double>(written.probes[p].*number),
                       "a probe");
        }
      }
    }
  }
  EXPECT_EQ(*info.groups[0].options.lr, 0.05);  // as in the step last read
}

TEST(RunLogs, HaveARuleForEachGroup) {
  const File file;
  std::vector<float> w(300, 1.0F), g(300, 0.5F), u(20, 1.0F), h(20, 0.5F);
  std::vector<ParamGroup> groups(2);
  groups[0] = {.params = {{"w", w, g}}};
  groups[1] = {.params = {{"u", u, h}}, .options = {.lr = 0.5, .momentum = 0.75}, .rule = Rule::sgd};
  Optimizer optimizer(Rule::adamw, std::move(groups));
  {
    RunLog log(file.path(), optimizer);
    const StepReport report = optimizer.step({.statistics = log.statistics()});
    log.step(optimizer, 1.0, report);
  }
  RunLogReader reader(file.path());
  const std::vector<RunInfo::Group>& read = reader.info().groups;
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].rule, Rule::adamw);
  EXPECT_EQ(read[1].rule, Rule::sgd);
  EXPECT_EQ(*read[1].options.momentum, 0.75);
  EXPECT_FALSE(read[1].options.betas);
  // Lights are those of the group's rule.
  Health health;
  RunStep step;
  ASSERT_TRUE(reader.next(step));
  health.record(step);
  EXPECT_TRUE(health.findings().empty());
}

std::vector<std::uint64_t> numbers_of(const std::string& path) {
  RunLogReader reader(path);
  std::vector<std::uint64_t> numbers;
  for (const RunStep& step : steps_of(reader)) numbers.push_back(step.step);
  return numbers;
}

TEST(RunLogs, OfARunThatGoesOnGoOnCounting) {
  const File first, second;
  using Numbers = std::vector<std::uint64_t>;
  Model model;
  {
    RunLog log(first.path(), *model.optimizer);
    std::vector<float> bad(Model::kSizes[1], NAN);
    model.optimizer->set_grad("b", bad);
    for (int t = 0; t < 3; ++t) EXPECT_FALSE(model.step(log, 1.0).applied);  // as with loss scaling
    model.optimizer->set_grad("b", model.g[1].view());
    for (int t = 0; t < 2; ++t) model.step(log, 1.0);
  }
  EXPECT_EQ(numbers_of(first.path()), (Numbers{1, 2, 3, 4, 5}));
  const StateDict kept = model.optimizer->state_dict();
  Model other;
  other.optimizer->load_state_dict(kept);
  RunLog log(second.path(), *other.optimizer);
  for (int t = 0; t < 3; ++t) other.step(log, 1.0);
  log.flush();
  EXPECT_EQ(numbers_of(second.path()), (Numbers{6, 7, 8}));
  // What it was set back to does not count.
  other.optimizer->load_state_dict(kept);
  for (int t = 0; t < 2; ++t) other.step(log, 1.0);
  log.flush();
  EXPECT_EQ(numbers_of(second.path()), (Numbers{6, 7, 8, 9, 10}));
  RunLogReader reader(second.path());
  EXPECT_EQ(steps_of(reader).back().tensors[0].step, 4U);
}

/// A log without what differs between two runs of the same: `id` and `seconds`.
std::string comparable(const std::string& text) {
  std::string lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    Json json = Json::parse(line);
    json.erase("id");
    json.erase("seconds");
    lines += json.dump() + "\n";
  }
  return lines;
}

/// Steps of a run in which options change, one of which is not logged, and in which a tensor stays behind.
void go_on(Model& model, RunLog& log, std::uint64_t until) {
  while (model.t < until) {
    if (model.t == 100) model.optimizer->set_options(1, {.weight_decay = 0.5});
    if (model.t == 20) model.optimizer->set_grad("b", {});
    if (model.t == 21) model.optimizer->set_grad("b", model.g[1].view());
    model.step(log, 1.0 / static_cast<double>(model.t + 1));
  }
}

TEST(RunLogs, GoOnWhereTheyWereAsIfTheRunHadNeverStopped) {
  constexpr std::uint64_t kSteps = 420;
  const File straight;
  Model whole;
  {
    RunLog log(straight.path(), *whole.optimizer, {.title = "t", .notes = {{"n", 1.0}}, .every = 3});
    go_on(whole, log, kSteps);
    log.end({{"outcome", "finished"}});
  }
  for (const std::uint64_t stop :
       std::initializer_list<std::uint64_t>{0, 1, 2, 21, 22, 100, 101, 102, 383, 384, 385, 419}) {
    const File file;
    Model first;
    std::string position;
    StateDict kept;
    Buffer w[3] = {{Format::f32, 0}, {Format::f32, 0}, {Format::f32, 0}};
    {
      RunLog log(file.path(), *first.optimizer, {.title = "t", .notes = {{"n", 1.0}}, .every = 3});
      go_on(first, log, stop);
      position = log.position();
      kept = first.optimizer->state_dict();
      std::ranges::copy(first.w, w);
      if (stop % 2 == 0) go_on(first, log, stop + 30);  // lost: the process dies
    }
    Model second;
    std::ranges::copy(w, second.w);
    for (std::size_t i = 0; i < 3; ++i) second.optimizer->set_param(i, second.w[i].view());
    second.optimizer->load_state_dict(kept);
    second.t = stop;
    {
      RunLog log(file.path(), *second.optimizer, {.every = 3, .resume = position});
      go_on(second, log, kSteps);
      log.end({{"outcome", "finished"}});
    }
    EXPECT_EQ(comparable(file.text()), comparable(straight.text())) << stop;
    RunLogReader reader(file.path());
    double before = 0.0;
    for (const RunStep& step : steps_of(reader)) {
      EXPECT_GE(step.seconds, before);
      before = step.seconds;
    }
  }
}

TEST(RunLogs, GoOnOnlyWhereTheyAreThatLogOfThatRun) {
  const File file, other;
  Model model;
  auto log = std::make_unique<RunLog>(file.path(), *model.optimizer);
  for (int t = 0; t < 5; ++t) model.step(*log, 1.0);
  const std::string position = log->position();
  for (int t = 0; t < 5; ++t) model.step(*log, 1.0);
  log.reset();
  const std::string text = file.text();
  const auto go_on_at = [&](const std::string& path, const std::string& from) {
    return refusal([&] { RunLog(path, *model.optimizer, {.resume = from}); });
  };
  {
    RunLog another(other.path(), *model.optimizer);
    for (int t = 0; t < 50; ++t) model.step(another, 1.0);
  }
  EXPECT_NE(go_on_at(other.path(), position).find("io: '" + other.path() + "' cannot go on: it is another log"),
            std::string::npos);
  EXPECT_NE(go_on_at("/nowhere/log", position).find("io: '/nowhere/log' cannot be read"), std::string::npos);
  file.write(text.substr(0, text.size() / 3));
  EXPECT_NE(go_on_at(file.path(), position).find(" bytes, and had "), std::string::npos);
  EXPECT_EQ(file.text(), text.substr(0, text.size() / 3)) << "nothing is cut off where it is refused";
  std::string shifted = text;
  shifted.insert(text.rfind("\"event\":\"step\",\"step\":2") - 1, " ");
  file.write(shifted);
  EXPECT_NE(go_on_at(file.path(), position).find("ended a line, and does not any more"), std::string::npos);
  file.write(text);

  for (const std::string& from :
       std::vector<std::string>{"x", "[]", "{}", R"({"log":"adamant-run-1"})", std::string(100000, '[')}) {
    EXPECT_NE(go_on_at(file.path(), from).find("invalid_argument: resume is no position of a run log: it "),
              std::string::npos);
  }
  // Each field, missing or of another kind.
  const Json whole = Json::parse(position);
  for (const auto& [name, value] : whole.items()) {
    for (const Json& wrong : std::vector<Json>{Json(), -1, "x", Json::array({Json::object()}), 1e300}) {
      Json json = whole;
      json[name] = wrong;
      EXPECT_NE(go_on_at(file.path(), json.dump()), "") << json.dump();
    }
    Json json = whole;
    json.erase(name);
    EXPECT_NE(go_on_at(file.path(), json.dump()).find("lacks"), std::string::npos) << name;
  }

  std::vector<float> w(3), g(3);
  Optimizer lone(Rule::adamw, {{"w", w, g}});
  EXPECT_EQ(refusal([&] { RunLog(file.path(), lone, {.resume = position}); }),
            "mismatch: the step is of another run than its log: there are fewer groups than before");
  EXPECT_EQ(file.text(), text);
  RunLog ended(file.path(), *model.optimizer, {.resume = position});
  EXPECT_EQ(numbers_of(file.path()), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  ended.end();
  EXPECT_EQ(refusal([&] { static_cast<void>(ended.position()); }),
            "invalid_argument: the run log '" + file.path() + "' has ended: it does not go on");
}

TEST(RunLogs, GoOnOnlyWhereTheyBeganWithWhatThePositionHas) {
  const File file;
  Model model;
  std::vector<float> w(10), g(10, 1.0F);
  Json position;
  {
    RunLog log(file.path(), *model.optimizer);
    model.step(log, 1.0);
    model.optimizer->add_param_group({.params = {{"d", w, g}}});
    model.step(log, 1.0);
    position = Json::parse(log.position());
  }
  const std::string text = file.text();
  const std::size_t line = text.find('\n');
  const auto go_on = [&](const Json& first, Json from) {
    const std::string changed = first.dump() + text.substr(line);
    file.write(changed);
    from["bytes"] = changed.size();
    return refusal([&] {
      RunLog log(file.path(), *model.optimizer, {.resume = from.dump()});
      for (int t = 0; t < 3; ++t) model.step(log, 1.0);
    });
  };
  const std::string another = "io: '" + file.path() + "' cannot go on: it is another log than that of the position: ";
  const Json first = Json::parse(text.substr(0, line));
  ASSERT_EQ(first["tensors"].size(), 3U);
  ASSERT_EQ(position["tensors"].size(), 4U);
  EXPECT_EQ(go_on(first, position), "accepted");
  Json wrong = first;
  for (int i = 0; i < 200; ++i) {
    wrong["tensors"].push_back({{"name", "x" + std::to_string(i)}, {"size", 1}, {"shape", {1}}, {"group", 0}});
  }
  EXPECT_EQ(go_on(wrong, position), another + "there are fewer tensors than before");
  wrong = first;
  wrong["tensors"][1]["size"] = 4000;
  wrong["tensors"][1]["shape"] = {4000};
  EXPECT_EQ(go_on(wrong, position), another + "the tensor 'b' has 40 elements, and had 4000");
  wrong = first;
  wrong["groups"][0] = {{"rule", "sgd"}, {"options", {{"lr", 0.5}}}};
  EXPECT_EQ(go_on(wrong, position), another + "group 0 changes its rule");
  // A position that knows less than the log began with.
  for (const char* each : {"tensors", "behind", "scales"}) {
    while (position[each].size() > 2) position[each].erase(2);
  }
  EXPECT_EQ(go_on(first, position), another + "there are fewer tensors than before");
}

TEST(RunLogs, AreNotToldOfStepsByAForkWhereTheyLogNone) {
  const File file;
  Model model({.threads = 1});
  RunLog log(file.path(), *model.optimizer, {.every = 1000});
  model.step(log, 1.0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string why = refusal([&] { model.step(log, 1.0); });
    _exit(why.ends_with("of which this one is a fork") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(RunLogs, AreNotWrittenByAFork) {
  const File file;
  Model model({.threads = 1});
  auto log = std::make_unique<RunLog>(file.path(), *model.optimizer, RunLogOptions{.flush_seconds = 1000.0});
  for (int t = 0; t < 5; ++t) model.step(*log, 1.0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string expected = "io: '" + file.path() + "' cannot be written: it belongs to the process " +
                                 std::to_string(getppid()) + ", of which this one is a fork";
    bool right = true;
    for (const auto& call :
         {std::function<void()>([&] { model.step(*log, 1.0); }), {[&] { log->flush(); }}, {[&] { log->end(); }}}) {
      right = right && refusal(call) == expected;
    }
    log.reset();
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(numbers_of(file.path()).size(), 0U);
  for (int t = 0; t < 5; ++t) model.step(*log, 1.0);
  log->end();
  EXPECT_EQ(numbers_of(file.path()).size(), 10U);
}

// About 16 blocks of 256 elements in a step, but one in 256 at least.
TEST(RunLogs, SampleAsMuchOfEveryModel) {
  const File file;
  const auto every = [&](std::size_t blocks) {
    Buffer w(Format::f32, (blocks - 1) * 256);
    const Optimizer optimizer(Rule::sgd, {{"w", w.view()}});
    return RunLog(file.path(), optimizer).statistics()->sample_every;
  };
  EXPECT_EQ(every(2), 1U);
  EXPECT_EQ(every(31), 1U);
  EXPECT_EQ(every(32), 2U);
  EXPECT_EQ(every(48), 3U);
  EXPECT_EQ(every(256 * 16 - 1), 255U);
  EXPECT_EQ(every(256 * 16), 256U);
  EXPECT_EQ(every(300 * 16), 256U);
}

TEST(RunLogs, TellWhoFollowsOfAnotherRunInTheirPlace) {
  const auto train = [](const std::string& path, int steps, bool ends) {
    Model model;
    RunLog log(path, *model.optimizer);
    for (int t = 0; t < steps; ++t) model.step(log, 1.0);
    if (ends) log.end();
  };
  const File file, other;
  const std::string replaced = "io: '" + file.path() + "' cannot be read: another file has taken its place";
  RunStep step;
  {  // A new log of the same name.
    train(file.path(), 3, false);
    RunLogReader reader(file.path());
    ASSERT_TRUE(reader.next(step));
    train(file.path(), 5, false);
    // What there was is read to its end.
    EXPECT_TRUE(reader.next(step) && reader.next(step));
    for (int again = 0; again < 2; ++again) EXPECT_EQ(refusal([&] { reader.next(step); }), replaced);
  }
  {  // One that has ended has nothing to come.
    train(file.path(), 1, true);
    RunLogReader reader(file.path());
    steps_of(reader);
    train(file.path(), 5, false);
    EXPECT_FALSE(reader.next(step));
  }
  for (const int steps : {1, 3, 5}) {  // Shorter, as long, or longer, and the same file.
    SCOPED_TRACE(steps);
    train(file.path(), 3, false);
    RunLogReader reader(file.path());
    EXPECT_EQ(steps_of(reader).size(), 3U);
    train(other.path(), steps, false);
    file.write(other.text());
    for (int again = 0; again < 2; ++again) EXPECT_EQ(refusal([&] { reader.next(step); }), replaced);
  }
  {  // One that was removed.
    train(file.path(), 3, false);
    RunLogReader reader(file.path());
    std::filesystem::remove(file.path());
    EXPECT_EQ(steps_of(reader).size(), 3U);
    EXPECT_FALSE(reader.next(step));
  }
}

TEST(RunLogs, ReplaceOnlyWhatIsAFileThatMayBeWritten) {
  const File file, link;
  Model model;
  RunLog(file.path(), *model.optimizer).end();
  std::filesystem::create_symlink(file.path(), link.path());
  RunLog(link.path(), *model.optimizer).end();
  EXPECT_TRUE(std::filesystem::is_symlink(link.path()));
  const std::string id = RunLogReader(file.path()).info().id;
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(RunLogReader(link.path()).info().id, id);
  RunLog(file.path(), *model.optimizer).end();
  EXPECT_NE(RunLogReader(file.path()).info().id, id);
}

/// A folder of this test, gone with it.
class Folder {
 public:
  Folder() { std::filesystem::create_directory(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  const File name_;
  const std::string path_ = name_.path();
};

/// A limit of this process for as long as this lives.
class Limit {
 public:
  Limit(int of, rlim_t most) : of_(of) {
    getrlimit(of_, &before_);
    const rlimit now{most, before_.rlim_max};
    setrlimit(of_, &now);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit() { setrlimit(of_, &before_); }

 private:
  int of_;
  rlimit before_{};
};

/// Another working folder for as long as this lives.
class WorkingIn {
 public:
  explicit WorkingIn(const std::string& folder) { std::filesystem::current_path(folder); }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;
  ~WorkingIn() { std::filesystem::current_path(before_); }

 private:
  const std::filesystem::path before_ = std::filesystem::current_path();
};

TEST(RunLogs, StayInTheirFolderWhenAnotherIsWorkedIn) {
  const Folder folder, elsewhere;
  std::filesystem::create_directory(folder.path() + "/sub");
  Model model;
  const WorkingIn here(folder.path());
  const auto make = [&](const std::string& path) { return RunLog(path, *model.optimizer); };
  RunLog deep = make("sub/run.jsonl"), flat = make("run.jsonl");
  RunLogReader reader("run.jsonl");
  const WorkingIn there(elsewhere.path());
  make("run.jsonl").end();  // another of this name
  EXPECT_EQ(steps_of(reader).size(), 0U);
  for (RunLog* log : {&deep, &flat}) {
    model.step(*log, 1.0);
    const std::string position = log->position();
    model.step(*log, 1.0);
    log->end();
    EXPECT_EQ(Json::parse(position)["last"], model.t - 1);
  }
  EXPECT_EQ(steps_of(reader).size(), 2U);
  EXPECT_EQ(numbers_of(folder.path() + "/sub/run.jsonl").size(), 2U);
  EXPECT_EQ(elsewhere.names(), std::vector<std::string>{"run.jsonl"});
}

TEST(RunLogs, GoOnWhereTheirFolderCannotBeOpened) {
  const Folder folder;
  const std::string path = folder.path() + "/sub/run.jsonl";
  std::filesystem::create_directory(folder.path() + "/sub");
  Model model;
  RunLog log(path, *model.optimizer);
  model.step(log, 1.0);
  const auto moved = [&](const char* from, const char* to) {
    std::filesystem::rename(folder.path() + from, folder.path() + to);
  };
  moved("/sub", "/away");
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(refusal([&] { static_cast<void>(log.position()); }),
              "io: '" + path + "' may not outlast a power cut: its folder cannot be opened: No such file or directory");
    model.step(log, 1.0);
  }
  moved("/away", "/sub");
  EXPECT_EQ(Json::parse(log.position())["last"], 3);
  model.step(log, 1.0);
  log.end();
  EXPECT_EQ(numbers_of(path).size(), 4U);
}

TEST(RunLogs, StayWhereNoNewOneCanTakeTheirPlace) {
  const Folder folder;
  const std::string path = folder.path() + "/run.jsonl";
  Model model;
  {
    RunLog log(path, *model.optimizer);
    model.step(log, 1.0);
  }
  const std::string id = RunLogReader(path).info().id;
  const auto refused = [&] { return refusal([&] { RunLog(path, *model.optimizer); }); };
  const auto expect_the_old_one = [&] {
    EXPECT_EQ(folder.names(), std::vector<std::string>{"run.jsonl"});
    RunLogReader reader(path);
    EXPECT_EQ(reader.info().id, id);
    EXPECT_EQ(steps_of(reader).size(), 1U);
  };
  RunLogReader follower(path);
  EXPECT_EQ(steps_of(follower).size(), 1U);
  {
    const Limit files(RLIMIT_NOFILE, 0);
    EXPECT_EQ(refused(), "io: '" + path + "' cannot be written: Too many open files");
  }
  expect_the_old_one();
  signal(SIGXFSZ, SIG_IGN);
  {  // A disk that has no room for the first line.
    const Limit full(RLIMIT_FSIZE, 100);
    EXPECT_EQ(refused(), "io: '" + path + "' cannot be written: File too large");
  }
  expect_the_old_one();
  RunStep step;
  EXPECT_FALSE(follower.next(step)) << "nothing has taken its place";

  RunLog(path, *model.optimizer).end();
  EXPECT_NE(RunLogReader(path).info().id, id);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"run.jsonl"});
  EXPECT_NE(refusal([&] { follower.next(step); }).find("another file has taken its place"), std::string::npos);
}

/// Writes a log over one in a folder where its owner may write files, but not make them, or not rename them.
void write_in(const Folder& folder, mode_t mode, uid_t user) {
  const std::string path = folder.path() + "/run.jsonl";
  Model model;
  RunLog(path, *model.optimizer).end();
  const std::string id = RunLogReader(path).info().id;
  struct stat before{}, after{};
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), mode), 0);
  ASSERT_EQ(seteuid(user), 0);
  // Not where the folder of temporary files is its owner's alone.
  const bool reached = faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  std::string said = refusal([&] { RunLog(path, *model.optimizer).end(); });
  ASSERT_EQ(seteuid(getuid()), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0700), 0);
  if (!reached) GTEST_SKIP() << "user " << user << " may not enter " << folder.path();
  EXPECT_EQ(said, "accepted");
  EXPECT_NE(RunLogReader(path).info().id, id);
  ASSERT_EQ(stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"run.jsonl"});
}

TEST(RunLogs, AreWrittenOverWhereTheirFolderKeepsItsNames) {
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  const Folder closed, shared;
  write_in(closed, 0555, root ? kNobody : geteuid());
  if (root) write_in(shared, 01777, kNobody);  // as /tmp
}

TEST(RunLogs, KnowTensorsOfOneElementWithoutASample) {
  const File file;
  std::vector<float> w(1, 1.0F), g(1, 1.0F);
  AdamW adamw({{"w", w, g}});
  {
    RunLog log(file.path(), adamw);
    log.statistics()->sample_every = 0;
    log.step(adamw, 1.0, adamw.step({.statistics = log.statistics()}));
  }
  RunLogReader reader(file.path());
  RunStep step;
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(step.tensors.at(0).elements, 1U);
  EXPECT_EQ(step.tensors.at(0).step, 1U);
}

TEST(RunLogs, AndTheOthersTakeTheSameRecordInAnyOrder) {
  const File file, same, again;
  const std::filesystem::path folder = file.path() + ".events";
  Model model;
  {
    RunLog log(file.path(), *model.optimizer), copy(same.path(), *model.optimizer);
    TensorBoard board(folder.string(), *model.optimizer);
    Health health, other;
    for (std::uint64_t t = 1; t <= 4; ++t) {
      for (std::size_t i = 0; i < 3; ++i) model.g[i].fill(10 * t + i);
      Statistics* statistics = log.statistics();
      const StepReport report = model.optimizer->step({.statistics = statistics});
      const RunStep seen = run_step(*model.optimizer, 1.0, report, statistics);
      EXPECT_EQ(seen.step, t);
      if (t % 2 == 0) log.step(*model.optimizer, 1.0, report);
      board.record(seen);
      health.record(seen);
      std::vector<Moments> moments;
      for (const TensorStatistics& tensor : seen.tensors) {
        const RunInfo::Group& group = seen.info->groups[seen.info->tensors[tensor.tensor].group];
        moments.push_back(moments_of(tensor, group.rule, group.options));
      }
      other.record(seen, moments);
      EXPECT_EQ(refusal([&] { other.record(seen, {}); }), "mismatch: the step has 3 tensors and 0 statistics of them");
      copy.record(seen);
      if (t % 2 == 1) log.record(seen);
    }
    EXPECT_EQ(health.findings().size(), other.findings().size());
  }
  std::filesystem::remove_all(folder);
  const auto seen_by = [](const std::string& path) {
    RunLogReader reader(path);
    std::vector<double> sums;
    for (const RunStep& step : steps_of(reader)) {
      for (const TensorStatistics& tensor : step.tensors) sums.push_back(tensor.sums.gg);
      for (const TensorStatistics& tensor : step.tensors) sums.push_back(static_cast<double>(tensor.probes.size()));
    }
    return sums;
  };
  const std::vector<double> sums = seen_by(file.path());
  EXPECT_EQ(sums.size(), 24U);
  EXPECT_EQ(seen_by(same.path()), sums);

  // What is read can be recorded again.
  {
    RunLogReader reader(file.path());
    RunLog log(again.path(), *model.optimizer);
    for (RunStep step; reader.next(step);) {
      EXPECT_EQ(step.info->tensors.size(), 3U);
      log.record(step);
    }
  }
  EXPECT_EQ(seen_by(again.path()), sums);
}

// What does not change is not made anew in every step; what does, is.
TEST(RunSteps, ShareTheirInfoUntilTheRunChanges) {
  Model model;
  Optimizer& optimizer = *model.optimizer;
  Statistics statistics;
  for (Buffer& g : model.g) g.fill(1);
  const StepReport report = optimizer.step({.statistics = &statistics});
  const RunStep first = run_step(optimizer, 1.0, report, &statistics);
  RunStep next = run_step(optimizer, 2.0, {}, nullptr, first);
  EXPECT_EQ(next.info, first.info);
  EXPECT_EQ(next.loss, 2.0);
  ASSERT_EQ(next.tensors.size(), 3U);
  for (const TensorStatistics& tensor : next.tensors) {
    EXPECT_EQ(tensor.elements, 0U);
    EXPECT_EQ(tensor.probes.size(), 0U);
    EXPECT_EQ(&next.tensors[tensor.tensor], &tensor);
  }

  std::vector<float> w(10);
  const std::function<void()> changes[] = {
      [&] { optimizer.set_lr(0.5); },
      [&] { optimizer.set_options(1, {.weight_decay = 0.25}); },
      [&] { optimizer.set_options(0, {.betas = {0.5, 0.75}, .amsgrad = false}); },
      [&] { optimizer.add_param_group({.params = {{"d", w}}, .options = {.momentum = 0.5}, .rule = Rule::sgd}); },
  };
  for (const std::function<void()>& change : changes) {
    const std::shared_ptr<const RunInfo> before = next.info;
    const std::string was = text_of(*before);
    change();
    next = run_step(optimizer, 1.0, {}, nullptr, std::move(next));
    EXPECT_NE(text_of(*next.info), was);
    EXPECT_EQ(text_of(*next.info), text_of(run_info(optimizer)));
    EXPECT_EQ(text_of(*before), was) << "a step that someone keeps has changed";
    EXPECT_EQ(next.lr.size(), next.info->groups.size());
    EXPECT_EQ(next.tensors.size(), next.info->tensors.size());
    const std::shared_ptr<const RunInfo> after = next.info;
    next = run_step(optimizer, 1.0, {}, nullptr, std::move(next));
    EXPECT_EQ(next.info, after);
  }
}

TEST(RunLogs, RefuseStepsThatAreNotTheirs) {
  const File file;
  Model model;
  RunLog log(file.path(), *model.optimizer);
  Health health;
  EXPECT_EQ(refusal([&] { log.record({}); }),
            "invalid_argument: the step has no info of its run: run_step() makes it whole");
  EXPECT_EQ(refusal([&] { health.record({}); }), refusal([&] { log.record({}); }));
  RunStep step = run_step(*model.optimizer, 1.0, {});
  step.tensors.pop_back();
  EXPECT_EQ(refusal([&] { log.record(step); }), "mismatch: the step has 2 tensors, its run 3");
  std::vector<float> w(10), g(10);
  AdamW small({{"w", w, g}});
  EXPECT_EQ(refusal([&] { log.record(run_step(small, 1.0, {})); }),
            "mismatch: the step is of another run than its log: there are fewer groups than before");
  EXPECT_EQ(refusal([&] { log.step(small, 1.0, {}); }), refusal([&] { log.record(run_step(small, 1.0, {})); }));
  step = run_step(*model.optimizer, 1.0, {});
  RunInfo info = *step.info;
  info.tensors[2].group = 2;
  step.info = std::make_shared<const RunInfo>(info);
  for (const auto& call : {std::function<void()>([&] { log.record(step); }), {[&] { health.record(step); }}}) {
    EXPECT_EQ(refusal(call), "mismatch: the tensor 'c' is in group 2, but its run has 2 groups");
  }
  log.flush();
  EXPECT_EQ(numbers_of(file.path()).size(), 0U);
}

// The step that was meant is logged afterwards as if nothing had happened.
TEST(RunLogs, DoNotCountWhatTheyRefuse) {
  const File file;
  Model model;
  std::vector<float> w(10), g(10, 1.0F);
  AdamW other({{"w", w, g}});
  {
    RunLog log(file.path(), *model.optimizer);
    model.step(log, 1.0);
    const StepReport report = model.optimizer->step({.statistics = log.statistics()});
    EXPECT_NE(refusal([&] { log.step(other, 1.0, {}); }), "accepted");
    log.step(*model.optimizer, 1.0, report);
  }
  EXPECT_EQ(numbers_of(file.path()), (std::vector<std::uint64_t>{1, 2}));
  RunLogReader reader(file.path());
  const std::vector<RunStep> steps = steps_of(reader);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[1].tensors[2].step, 2U) << "its moments are missing";
}

TEST(RunLogs, RefuseARunWhoseTensorsWereRemoved) {
  const File file;
  Model model;
  std::vector<float> w(500), g(500, 1.0F), other_w(40);
  const std::string another = "mismatch: the step is of another run than its log: ";
  {
    RunLog log(file.path(), *model.optimizer, {.every = 2});
    model.step(log, 1.0);
    model.optimizer->remove_tensor("c");
    for (int t = 0; t < 2; ++t) {
      const StepReport report = model.optimizer->step({.statistics = log.statistics()});
      EXPECT_EQ(refusal([&] { log.step(*model.optimizer, 1.0, report); }),
                another + "there are fewer tensors than before");
    }
    // As many as before: another, or the same in another group.
    model.optimizer->add_param_group({.params = {{"d", w, g}}});
    model.optimizer->step();
    EXPECT_EQ(refusal([&] { log.step(*model.optimizer, 1.0, {}); }), another + "tensor 2 is 'd', and was 'c'");
    model.optimizer->remove_tensor("d");
    model.optimizer->add_param_group({.params = {{"c", other_w}}});
    EXPECT_EQ(refusal([&] { log.step(*model.optimizer, 1.0, {}); }),
              another + "the tensor 'c' has 40 elements, and had 500");
    model.optimizer->remove_tensor("c");
    model.optimizer->add_param_group({.params = {{"c", w, g}}});
    for (int t = 0; t < 2; ++t) {
      const StepReport report = model.optimizer->step({.statistics = log.statistics()});
      log.step(*model.optimizer, 1.0, report);
    }
  }
  RunLogReader reader(file.path());
  EXPECT_GE(steps_of(reader).size(), 2U);
  EXPECT_EQ(reader.info().tensors[2].group, 4U);
}

TEST(RunLogs, RefuseAnOptimizerWithoutTensors) {
  const File file;
  file.write("kept");
  std::vector<float> w(10);
  AdamW optimizer({{"w", w}});
  optimizer.remove_tensor("w");
  EXPECT_EQ(refusal([&] { const RunLog log(file.path(), optimizer); }),
            "invalid_argument: the optimizer has no tensor: a run log needs at least 1");
  EXPECT_EQ(file.text(), "kept");
}

TEST(RunSteps, RefuseStatisticsOfAnotherOptimizer) {
  const File file;
  Model model;
  std::vector<float> w(10), g(10);
  AdamW small({{"w", w, g}});
  RunLog log(file.path(), small);
  for (Buffer& grad : model.g) grad.fill(1);
  Statistics* statistics = log.statistics();
  model.optimizer->step({.statistics = statistics});
  const std::string expected =
      "mismatch: the statistics are of another optimizer's step: they have a tensor 1, and this optimizer has 1 "
      "tensor";
  EXPECT_EQ(refusal([&] { static_cast<void>(run_step(small, 1.0, {}, statistics)); }), expected);
  EXPECT_EQ(refusal([&] { log.step(small, 1.0, {}); }), expected);
}

TEST(RunLogs, PackNumbersToNearest) {
  for (const auto& [number, packed] : {std::pair{1.0, 1.0},
                                       {0.0, 0.0},
                                       {-3.0e-5, -3.0e-5},
                                       {1.0 + 0x1p-16, 1.0},  // halfway: to even
                                       {1.0 + 0x3p-16, 1.0 + 0x1p-14},
                                       {1.0 + 0x1.8p-16, 1.0 + 0x1p-15},
                                       {1e300, INFINITY},
                                       {-INFINITY, -INFINITY}}) {
    std::string text;
    run_format::pack(text, number);
    float read = 0.0F;
    ASSERT_EQ(text.size(), 4U);
    ASSERT_TRUE(run_format::unpack(text, {&read, 1}));
    if (std::abs(number) >= 1.0) {
      EXPECT_EQ(static_cast<double>(read), packed) << number;
    } else {
      EXPECT_NEAR(static_cast<double>(read), packed, 0x1p-16 * std::abs(number)) << number;
    }
  }
  std::string text;
  run_format::pack(text, NAN);
  float read = 0.0F;
  EXPECT_TRUE(run_format::unpack(text, {&read, 1}) && std::isnan(read));
  EXPECT_FALSE(run_format::unpack("AAA", {&read, 1}));
  EXPECT_FALSE(run_format::unpack("AAAA AAA", {&read, 1}));
  EXPECT_FALSE(run_format::unpack("AA=A", {&read, 1}));
}

TEST(RunLogs, LeaveOutWhatTheyAreToldTo) {
  const File file;
  Model model;
  {
    RunLog log(file.path(), *model.optimizer, {.every = 3});
    for (int t = 1; t <= 10; ++t) model.step(log, 1.0);
  }
  RunLogReader reader(file.path());
  std::vector<std::uint64_t> logged;
  for (const RunStep& step : steps_of(reader)) {
    logged.push_back(step.step);
    EXPECT_EQ(step.tensors[0].elements, 3000U);
    EXPECT_EQ(step.tensors[0].step, step.step);
  }
  EXPECT_EQ(logged, (std::vector<std::uint64_t>{1, 3, 6, 9}));
  EXPECT_FALSE(reader.end());

  // What goes on counts on.
  RunLog log(file.path(), *model.optimizer, {.every = 5});
  for (int t = 11; t <= 16; ++t) model.step(log, 1.0);
  log.flush();
  logged.clear();
  RunLogReader again(file.path());
  for (const RunStep& step : steps_of(again)) logged.push_back(step.step);
  EXPECT_EQ(logged, (std::vector<std::uint64_t>{11, 15}));

  // A step that was not applied is always told.
  std::vector<float> bad(Model::kSizes[1], NAN);
  model.optimizer->set_grad("b", bad);
  EXPECT_FALSE(model.step(log, 1.0).applied);
  log.flush();
  RunStep step;
  ASSERT_TRUE(again.next(step));
  EXPECT_EQ(step.step, 17U);
  EXPECT_FALSE(step.applied);
  EXPECT_EQ(step.nonfinite->count, Model::kSizes[1]);
}

TEST(RunLogs, FollowWhatChanges) {
  const File file;
  Model model({.nonfinite = NonFinite::skip});
  Buffer late_w = Buffer(Format::f32, 10).fill(1), late_g = Buffer(Format::f32, 10).fill(2);
  {
    RunLog log(file.path(), *model.optimizer);
    model.step(log, 1.0);
    model.optimizer->set_grad("b", {});
    model.step(log, 1.0);  // "b" stays behind
    model.optimizer->set_grad("b", model.g[1].view());
    model.step(log, 1.0);
    model.optimizer->set_options(1, {.betas = {0.5, 0.9}});
    model.step(log, 1.0);
    model.optimizer->add_param_group({.params = {{"late", late_w.view(), late_g.view()}}, .options = {.lr = 0.5}});
    model.step(log, 1.0);
    model.g[2].fill(1);
    Buffer bad = Buffer(Format::f32, 500).fill(1);
    bad.set(7, NAN);
    model.optimizer->set_grad("c", bad.view());
    EXPECT_FALSE(model.step(log, NAN).applied);
    model.optimizer->set_grad("c", model.g[2].view());
    model.step(log, 1.0);
  }
  RunLogReader reader(file.path());
  RunStep step;
  const auto tensor_steps = [&] {
    std::vector<std::uint64_t> steps;
    for (const TensorStatistics& tensor : step.tensors) steps.push_back(tensor.step);
    return steps;
  };
  using Steps = std::vector<std::uint64_t>;
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(tensor_steps(), (Steps{1, 1, 1}));
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(tensor_steps(), (Steps{2, 0, 2}));
  EXPECT_EQ(step.tensors[1].elements, 0U);
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(tensor_steps(), (Steps{3, 2, 3}));
  EXPECT_EQ((*reader.info().groups[1].options.betas)[0], 0.9);
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ((*reader.info().groups[1].options.betas)[0], 0.5);
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(tensor_steps(), (Steps{5, 4, 5, 1}));
  ASSERT_EQ(reader.info().tensors.size(), 4U);
  EXPECT_EQ(reader.info().tensors[3].name, "late");
  EXPECT_EQ(step.lr, (std::vector<double>{0.01, 0.02, 0.5}));
  ASSERT_TRUE(reader.next(step));
  EXPECT_FALSE(step.applied);
  EXPECT_TRUE(std::isnan(step.loss));
  ASSERT_TRUE(step.nonfinite);
  EXPECT_EQ(step.nonfinite->tensor, "c");
  EXPECT_EQ(step.nonfinite->index, 7U);
  EXPECT_EQ(step.nonfinite->count, 1U);
  EXPECT_EQ(tensor_steps(), (Steps{0, 0, 0, 0}));
  ASSERT_TRUE(reader.next(step));
  EXPECT_EQ(tensor_steps(), (Steps{6, 5, 6, 2}));
  EXPECT_FALSE(reader.next(step));
}

TEST(RunLogs, HoldHistograms) {
  const File file;
  Model model;
  std::array<std::uint32_t, ScaleSample::kBins> bins{};
  {
    RunLog log(file.path(), *model.optimizer);
    for (std::uint64_t t = 1; t <= run_format::kScalesEvery + 3; ++t) model.step(log, 1.0);
  }
  for (std::size_t t = 0; t < run_format::kScalesEvery; ++t) {
    for (std::size_t bin = 0; bin < bins.size(); ++bin) bins[bin] += model.seen[t].tensors[2].scales.bins[bin];
  }
  RunLogReader reader(file.path());
  steps_of(reader);
  ASSERT_TRUE(reader.scales());
  EXPECT_EQ(reader.scales()->first_step, 1U);
  EXPECT_EQ(reader.scales()->last_step, run_format::kScalesEvery);
  ASSERT_EQ(reader.scales()->bins.size(), 3U);
  EXPECT_EQ(reader.scales()->bins[2], bins);
}

// GPT-2 124M: 148 tensors. Their sides are divided by 16 here; only the numbers in the text depend on it.
TEST(RunLogs, OfGpt2TakeTenKilobytesAStep) {
  constexpr std::size_t kWidth = 768 / 16;
  std::vector<std::vector<std::size_t>> shapes = {{50257 / 16, kWidth}, {1024 / 16, kWidth}};
  for (int layer = 0; layer < 12; ++layer) {
    for (const std::vector<std::size_t>& shape : std::vector<std::vector<std::size_t>>{{kWidth},
                                                                                       {kWidth},
                                                                                       {kWidth, 3 * kWidth},
                                                                                       {3 * kWidth},
                                                                                       {kWidth, kWidth},
                                                                                       {kWidth},
                                                                                       {kWidth},
                                                                                       {kWidth},
                                                                                       {kWidth, 4 * kWidth},
                                                                                       {4 * kWidth},
                                                                                       {4 * kWidth, kWidth},
                                                                                       {kWidth}}) {
      shapes.push_back(shape);
    }
  }
  shapes.push_back({kWidth});
  shapes.push_back({kWidth});
  ASSERT_EQ(shapes.size(), 148U);
  std::vector<std::vector<float>> w, g;
  std::vector<ParamGroup> groups(2);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::size_t size = 1;
    for (const std::size_t side : shapes[i]) size *= side;
    w.emplace_back(size, 0.02F);
    g.emplace_back(size);
    // Scales over some octaves.
    for (std::size_t k = 0; k < size; ++k) {
      const double x = random_normal(k % 4096 + 4096 * i);
      g[i][k] = static_cast<float>(1e-3 * x * x * x * random_number(k));
    }
    groups[shapes[i].size() - 1].params.push_back(
        {"transformer.h.11.attn.c_attn.weight" + std::to_string(i), w[i], g[i]});
  }
  AdamW adamw(std::move(groups), {.lr = 6e-4, .betas = {0.9, 0.95}}, {.max_norm = 1.0});
  const File file;
  constexpr std::uint64_t kSteps = run_format::kScalesEvery;
  {
    RunLog log(file.path(), adamw);
    for (std::uint64_t t = 1; t <= kSteps; ++t) {
      adamw.set_lr(6e-4 / static_cast<double>(t));
      if (Statistics* statistics = log.statistics()) statistics->sample_every = 2;  // histograms as full as they get
      log.step(adamw, 10.0 / static_cast<double>(t) + 0.1, adamw.step({.statistics = log.statistics()}));
    }
  }
  const double header = static_cast<double>(file.text().find('\n') + 1);
  const double bytes = (static_cast<double>(std::filesystem::file_size(file.path())) - header) / kSteps;
  std::printf("%.0f bytes a step, %.0f for the first line\n", bytes, header);
  EXPECT_LT(bytes, 10000.0);
  RunLogReader reader(file.path());
  EXPECT_EQ(reader.info().probes.size(), run_format::kProbes);
  EXPECT_EQ(steps_of(reader).size(), kSteps);
}

TEST(RunLogs, AreReadWhileTheyGrow) {
  const File file;
  Model model;
  RunLog log(file.path(), *model.optimizer, {.flush_seconds = 0.0});
  RunLogReader reader(file.path());
  RunStep step;
  EXPECT_FALSE(reader.next(step));
  for (std::uint64_t t = 1; t <= 3; ++t) {
    model.step(log, 1.0);
    ASSERT_TRUE(reader.next(step));
    EXPECT_EQ(step.step, t);
    EXPECT_FALSE(reader.next(step));
  }
  log.end();
  EXPECT_FALSE(reader.next(step));
  EXPECT_TRUE(reader.end());

  // A torn last line is none, until it is complete.
  const std::string text = file.text();
  const std::size_t last = text.rfind("{\"event\":\"end\"");
  for (const std::size_t length : {last, last - 1, last - 100, last + 5, text.size() - 1}) {
    file.write(text.substr(0, length));
    RunLogReader torn(file.path());
    EXPECT_EQ(steps_of(torn).size(), length >= last ? 3U : 2U) << length;
    EXPECT_FALSE(torn.end());
    std::ofstream(file.path(), std::ios::app) << text.substr(length);
    EXPECT_EQ(steps_of(torn).size(), length >= last ? 0U : 1U) << length;
    EXPECT_TRUE(torn.end());
  }
}

TEST(RunLogs, AreCompleteAfterAKill) {
  const File file;
  int from_child[2];
  ASSERT_EQ(pipe(from_child), 0);
  const pid_t child = fork();
  if (child == 0) {
    Model model;
    RunLog log(file.path(), *model.optimizer, {.flush_seconds = 1000.0});
    for (int t = 1; t <= 20; ++t) {
      model.step(log, 1.0);
      if (t == 12) log.flush();
    }
    if (write(from_child[1], "x", 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  close(from_child[1]);
  char said = 0;
  EXPECT_EQ(read(from_child[0], &said, 1), 1);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  close(from_child[0]);
  RunLogReader reader(file.path());
  EXPECT_EQ(steps_of(reader).size(), 12U);
  EXPECT_FALSE(reader.end());
}

TEST(RunLogs, SayWhyTheyCannotBeWritten) {
  Model model;
  const auto make = [&](const std::string& path) { return [&model, path] { RunLog(path, *model.optimizer); }; };
  EXPECT_EQ(refusal(make("/nowhere/run.jsonl")),
            "io: '/nowhere/run.jsonl' cannot be written: No such file or directory");
  EXPECT_EQ(refusal(make("/")), "io: '/' cannot be written: Is a directory");
  EXPECT_EQ(refusal(make("/dev/full")), "io: '/dev/full' cannot be written: No space left on device");
  EXPECT_EQ(refusal([&] { RunLog("/dev/null", *model.optimizer, {.every = 0}); }),
            "invalid_argument: every is 0: a run log needs at least 1");

  // A disk that fills up during the run: every later call says so, and what was written can be read.
  const File file;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  RunLog log(file.path(), *model.optimizer, {.flush_seconds = 0.0});
  model.step(log, 1.0);
  model.step(log, 1.0);
  const rlimit full{std::filesystem::file_size(file.path()) + 100, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  const std::string expected = "io: '" + file.path() + "' cannot be written: File too large";
  EXPECT_EQ(refusal([&] { model.step(log, 1.0); }), expected);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(refusal([&] { model.step(log, 1.0); }), expected);
  EXPECT_EQ(refusal([&] { log.flush(); }), expected);
  EXPECT_EQ(refusal([&] { log.end(); }), expected);
  EXPECT_EQ(log.statistics(), nullptr);
  RunLogReader reader(file.path());
  EXPECT_EQ(steps_of(reader).size(), 2U);

  RunLog ended(file.path(), *model.optimizer);
  ended.end();
  EXPECT_EQ(refusal([&] { model.step(ended, 1.0); }),
            "invalid_argument: the run log '" + file.path() + "' has ended: no step can follow");
}

/// What a command prints.
std::string printed(const std::string& command) {
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

TEST(RunLogs, AreDecodedByTheProgramInTheirDocument) {
  const File log, document, decoder;
  std::filesystem::copy_file(ADAMANT_TEST_DATA "/../../docs/run_log.md", document.path());
  const std::string page = document.text();
  const std::string begin = "```python\n";
  const std::size_t at = page.find(begin) + begin.size();
  ASSERT_GT(at, begin.size());
  decoder.write(page.substr(at, page.find("```", at) - at));

  Model model;
  {
    RunLog writer(log.path(), *model.optimizer);
    model.step(writer, 1.0);
    model.optimizer->set_grad("b", {});
    model.step(writer, NAN);
  }
  std::ofstream(log.path(), std::ios::app) << "{\"event\":\"st";  // torn
  std::string expected;
  RunLogReader reader(log.path());
  for (const RunStep& step : steps_of(reader)) {
    for (const TensorStatistics& tensor : step.tensors) {
      const auto rms = [&](double sum) {
        return tensor.elements > 0 ? std::sqrt(sum / static_cast<double>(tensor.elements)) : NAN;
      };
      char line[200];
      std::snprintf(line, sizeof(line), "%d %s: g %.4g m %.4g u %.4g lag %.4g\n", static_cast<int>(step.step),
                    reader.info().tensors[tensor.tensor].name.c_str(), rms(tensor.sums.gg), rms(tensor.sums.mm),
                    rms(tensor.sums.uu), rms(tensor.sums.grgr));
      expected += line;
    }
  }
  EXPECT_EQ(printed("PYTHONIOENCODING=utf-8 python3 '" + decoder.path() + "' '" + log.path() + "'"), expected);
}

TEST(RunLogs, RefuseEveryCallWhereTheyWereMovedFrom) {
  const File file;
  Model model;
  RunLog log(file.path(), *model.optimizer);
  RunLog moved = std::move(log);
  model.step(moved, 1.0);
  moved.end();
  RunLogReader reader(file.path());
  RunLogReader other = std::move(reader);
  RunStep step;
  EXPECT_TRUE(other.next(step));
  Health health;
  const Health taken = std::move(health);
  const std::pair<const char*, std::function<void()>> calls[] = {
      {"run log", [&] { static_cast<void>(log.statistics()); }},
      {"run log", [&] { log.step(*model.optimizer, 1.0, {}); }},
      {"run log", [&] { log.end(); }},
      {"run log", [&] { log.flush(); }},
      {"run log", [&] { static_cast<void>(log.position()); }},
      {"run log", [&] { static_cast<void>(log.path()); }},
      {"run log reader", [&] { static_cast<void>(reader.info()); }},
      {"run log reader", [&] { reader.next(step); }},
      {"run log reader", [&] { static_cast<void>(reader.scales()); }},
      {"run log reader", [&] { static_cast<void>(reader.end()); }},
      {"Health", [&] { health.record(step); }},
      {"run log", [&] { log.record(step); }},
      {"Health", [&] { static_cast<void>(health.findings()); }},
      {"Health", [&] { static_cast<void>(health.state(Light::m)); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_EQ(refusal(call), std::string("invalid_argument: ") + name + " was moved from: it holds nothing");
  }
}

// Reads all of it.
std::string reading(const std::string& path) {
  return refusal([&] {
    RunLogReader reader(path);
    steps_of(reader);
  });
}

TEST(RunLogs, AreRefusedWithPathAndLineWhereTheyAreDamaged) {
  const File file;
  Model model;
  {
    RunLog log(file.path(), *model.optimizer);
    model.step(log, 1.0);
    model.step(log, 1.0);
    log.end({{"outcome", "finished"}});
  }
  std::vector<Json> lines;
  std::istringstream text(file.text());
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 4U);

  EXPECT_EQ(reading("/nowhere/run.jsonl"), "io: '/nowhere/run.jsonl' cannot be read: No such file or directory");
  EXPECT_EQ(reading("/"), "io: '/' cannot be read: Is a directory");
  const auto said = [&](std::size_t line, const std::string& why) {
    return "io: " + file.path() + ":" + std::to_string(line) + ": " + why;
  };
  for (const char* whole : {"", "{\"event\":\"run\""}) {
    file.write(whole);
    EXPECT_EQ(reading(file.path()), said(1, "has no complete line: not a run log, or one that has only begun"));
  }
  file.write("hello\n");
  EXPECT_EQ(reading(file.path()), said(1, "is not JSON"));
  file.write("[1]\n");
  EXPECT_EQ(reading(file.path()), said(1, "is not a JSON object"));
  file.write("{\"event\":\"step\"}\n");
  EXPECT_EQ(reading(file.path()), said(1, "is not the first line of a run log"));
  file.write("{\"event\":\"run\",\"log\":\"other\"}\n");
  EXPECT_EQ(reading(file.path()), said(1, "is not the first line of a run log (log: adamant-run-2)"));
  file.write(std::string(1000000, '[') + "\n");
  EXPECT_EQ(reading(file.path()), said(1, "is nested deeper than any line of a run log"));
  file.write("{\"title\":\"[[[[[[[[[[ \\\" [[[[[[[[[\",\"a\":[[[[[[[]]]]]]],\"event\":\"run\"}\n");
  EXPECT_EQ(reading(file.path()), said(1, "is not the first line of a run log (log: adamant-run-2)"));
  // Brackets in texts do not count; those behind texts do, wherever these have quotes and backslashes.
  const std::string brackets(10, '[');
  for (const char* text : {"", "a", "ab", "\\\\", "a\\\"b", "\\\"", "[[[["}) {
    file.write("{\"" + std::string(text) + "\":" + brackets + "\n");
    EXPECT_EQ(reading(file.path()), said(1, "is nested deeper than any line of a run log")) << text;
    file.write("{\"" + std::string(text) + brackets + "\":1\n");
    EXPECT_EQ(reading(file.path()), said(1, "is not JSON")) << text;
  }

  // One thing changed in one line.
  const auto with = [&](std::size_t line, const std::string& pointer, const Json& value) {
    std::string damaged;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      Json json = lines[i];
      if (i + 1 == line) json[Json::json_pointer(pointer)] = value;
      damaged += json.dump() + "\n";
    }
    file.write(damaged);
    const std::string why = reading(file.path());
    const std::string place = said(line, "");
    EXPECT_EQ(why.substr(0, place.size()), place) << pointer << ": " << value << ": " << why;
    return why.substr(std::min(why.size(), place.size()));
  };
  EXPECT_EQ(with(1, "/groups/1/rule", "adamantium"),
            "unknown rule 'adamantium': must be one of adamw, adam, sgd, rmsprop, adagrad");
  EXPECT_EQ(with(1, "/groups/0/options/betas", Json{0.9, 1.5}),
            "Invalid beta parameter at index 1: 1.5 (betas must be in [0, 1), also after rounding to f32)");
  EXPECT_EQ(with(1, "/groups/0/options/banana", 1), "a group has an option that no rule has");
  EXPECT_EQ(with(1, "/groups/0/options", 1), "'options' is not an object");
  EXPECT_EQ(with(1, "/groups/0", Json{{"rule", "sgd"}}), "lacks 'options'");
  EXPECT_EQ(with(1, "/groups/0", 1), "a group is not an object");
  EXPECT_EQ(with(1, "/groups", Json::array()), "has no group");
  EXPECT_EQ(with(1, "/tensors", Json::array()), "has no tensor");
  EXPECT_EQ(with(1, "/tensors/1/group", 2), "the tensor 'b' is in a group that is not there");
  EXPECT_EQ(with(1, "/tensors/1/size", 41), "the tensor 'b' has 41 elements, which is not the product of its shape");
  EXPECT_EQ(with(1, "/tensors/1/shape", Json{1ll << 50, 1ll << 50}),
            "the tensor 'b' has 40 elements, which is not the product of its shape");
  EXPECT_EQ(with(1, "/tensors/1/size", -1), "'size' is not a whole number from 0 to 2^53");
  EXPECT_EQ(with(1, "/tensors/1/size", 1e300), "'size' is not a whole number from 0 to 2^53");
  EXPECT_EQ(with(1, "/probes/0/1", 3000), "a probe is at an element that is not there");
  EXPECT_EQ(with(1, "/probes/1", lines[0]["probes"][0]), "the probes are not in order");
  EXPECT_EQ(with(1, "/title", 5), "'title' is not a string");
  EXPECT_EQ(with(1, "/notes", 5), "'notes' is not an object");
  EXPECT_EQ(with(1, "/notes", Json{{"a", Json::array()}}), "the note 'a' is neither text nor a number");
  EXPECT_EQ(with(2, "", Json{{"event", "options"}, {"groups", Json::array({lines[0]["groups"][0]})}}),
            "there are fewer groups than before");
  const Json sgd = {{"rule", "sgd"}, {"options", {{"lr", 0.5}}}};
  EXPECT_EQ(with(2, "", Json{{"event", "options"}, {"groups", Json::array({lines[0]["groups"][0], sgd})}}),
            "group 1 changes its rule");
  Json smaller = lines[0]["tensors"];
  smaller[0]["size"] = 0;
  smaller[0]["shape"] = Json{0};
  EXPECT_EQ(with(2, "", Json{{"event", "tensors"}, {"tensors", smaller}}),
            "the tensor " + printable(std::string(lines[0]["tensors"][0]["name"])) + " has 0 elements, and had 3000");
  Json renamed = lines[0]["tensors"];
  renamed[1]["name"] = "d";
  EXPECT_EQ(with(2, "", Json{{"event", "tensors"}, {"tensors", renamed}}), "tensor 1 is 'd', and was 'b'");
  EXPECT_EQ(with(2, "/event", "pets"), "has the event 'pets', which is not known");
  EXPECT_EQ(with(2, "/event", "\033[31mred\n" + std::string(1000, 'x')),
            "has the event '\\x1b[31mred\\x0a" + std::string(55, 'x') + "...', which is not known");
  EXPECT_EQ(with(2, "/step", 0), "step 0 follows step 0");
  EXPECT_EQ(with(3, "/step", 1), "step 1 follows step 1");
  EXPECT_EQ(with(2, "/step", "1"), "'step' is not a whole number from 0 to 2^53");
  EXPECT_EQ(with(2, "/lr", Json{0.1}), "has 1 learning rate for 2 groups");
  EXPECT_EQ(with(2, "/lr/1", Json()), "a learning rate is not a finite f32 number >= 0");
  EXPECT_EQ(with(2, "/lr/1", 1e300), "a learning rate is not a finite f32 number >= 0");
  EXPECT_EQ(with(2, "/loss", "low"), "'loss' is not a number");
  EXPECT_EQ(with(2, "/applied", 1), "'applied' is neither true nor false");
  EXPECT_EQ(with(2, "/moments", "AAAA"), "'moments' are not 15 packed numbers for each of 3 tensors");
  EXPECT_EQ(with(2, "/probes", "!!!!"), "'probes' are not 5 packed numbers for each of 30 probes");
  EXPECT_EQ(with(2, "/behind", Json{0, 0}), "'behind' is not an array of one for each tensor");
  EXPECT_EQ(with(2, "/behind", Json{2, 0, 0}), "'behind' holds what is not a number of steps");
  EXPECT_EQ(with(2, "/behind", Json{~0ull, 0, 0}), "'behind' holds what is not a number of steps");
  EXPECT_EQ(with(2, "/nonfinite", 5), "'nonfinite' is not an object");
  for (const std::size_t place : {11u, 12u}) {
    for (const double beyond : {1.01, -0.01}) {
      std::string shares = lines[1]["moments"].get<std::string>(), packed;
      run_format::pack(packed, beyond);
      shares.replace(place * 4, 4, packed);
      EXPECT_EQ(with(2, "/moments", shares), "a share in 'moments' is not from 0 to 1");
    }
  }
  EXPECT_EQ(with(3, "/event", "scales"), "lacks 'first'");
  EXPECT_EQ(with(3, "",
                 Json{{"event", "scales"},
                      {"first", 1},
                      {"last", 2},
                      {"bins", Json::array({Json::array({60, 1, 1, 1, 1, 1})})}}),
            "a histogram has more than 64 bins");
  EXPECT_EQ(
      with(3, "", Json{{"event", "scales"}, {"first", 1}, {"last", 2}, {"bins", Json::array({Json::array({60, 1})})}}),
      "'bins' are not one for each tensor");
  file.write(lines[0].dump() + "\n" + lines[3].dump() + "\n" + lines[1].dump() + "\n");
  EXPECT_EQ(reading(file.path()), said(3, "comes after the end of the run"));
}

TEST(RunLogs, NeverCrashTheReader) {
  const File file;
  Model model;
  {
    RunLog log(file.path(), *model.optimizer);
    for (std::uint64_t t = 1; t <= run_format::kScalesEvery; ++t) model.step(log, 1.0);
    log.end({{"outcome", "finished"}});
  }
  const std::string whole = file.text();
  const File damaged;
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    std::string text = whole;
    // Mostly near the beginning, where the structure is.
    const std::size_t place = random_bits(3 * trial) % (trial % 2 == 0 ? text.size() : 3000);
    switch (trial % 3) {
      case 0:
        text[place] = static_cast<char>(random_bits(3 * trial + 1) % 256);
        break;
      case 1:
        text.erase(place, 1 + random_bits(3 * trial + 1) % 50);
        break;
      default:
        text.insert(place, text.substr(random_bits(3 * trial + 1) % 3000, 30));
    }
    damaged.write(text);
    const std::string said = reading(damaged.path());
    if (said == "accepted") continue;  // a digit more or less in a number
    ++refused;
    EXPECT_EQ(said.find("io: " + damaged.path() + ":"), 0U) << said;
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace adamant::testing
