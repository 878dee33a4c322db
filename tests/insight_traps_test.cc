// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Programs that trap floating-point exceptions are not interrupted by what watches their runs.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <adamant/adamant.hpp>
#include <cfenv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

/// Whether a call comes to its end in a child process that traps what is not exact for reasons of range.
::testing::AssertionResult goes_on(const std::function<void()>& call) {
  const pid_t child = fork();
  if (child == 0) {
    feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW);
    call();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "ended by signal " << (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

class Traps : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  /// A step with what makes arithmetic hard: gradients that are 0, tiny or huge, one matrix, one tensor without any.
  RunStep hard_step(Optimizer& optimizer, double loss) {
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = i % 3 == 0 ? 0.0F : i % 3 == 1 ? 1e-38F : 1e30F;
    const StepReport report = optimizer.step({.statistics = &seen});
    return run_step(optimizer, loss, report, &seen);
  }
  Optimizer make(Rule rule) {
    return {rule, std::vector<Param>{{"w", w, g, {50, 100}}, {"zero", z, zg}, {"none", n}}, {}, {.threads = 1}};
  }

  const fs::path folder = fs::temp_directory_path() / ("adamant-traps-" + std::to_string(getpid()));
  std::vector<float> w = std::vector<float>(5000, 1.0F), g = std::vector<float>(5000), z = std::vector<float>(10),
                     zg = std::vector<float>(10), n = std::vector<float>(10);
  Statistics seen;
};

constexpr double kLosses[] = {
    1.0, 0.0, -1.0, 1e300, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};

#if defined(__SSE2__)  // AArch64 need not trap anything
// Without this the other tests would pass where nothing is trapped.
TEST_F(Traps, AreSet) {
  EXPECT_FALSE(goes_on([] {
    volatile double zero = 0.0;
    volatile double infinity = 1.0 / zero;
    static_cast<void>(infinity);
  }));
}
#endif

TEST_F(Traps, DoNotEndHealth) {
  for (const RuleInfo& rule : rules()) {
    EXPECT_TRUE(goes_on([&] {
      Optimizer optimizer = make(rule.rule);
      Health health;
      for (std::size_t t = 0; t < 300; ++t) health.record(hard_step(optimizer, kLosses[t % std::size(kLosses)]));
      static_cast<void>(health.findings());
      for (const LightInfo& light : lights()) static_cast<void>(health.state(light.light));
      static_cast<void>(causes());
    })) << rule.name;
  }
}

TEST_F(Traps, DoNotEndTensorBoard) {
  EXPECT_TRUE(goes_on([&] {
    Optimizer optimizer = make(Rule::adamw);
    TensorBoard board(folder.string(), optimizer, {.histogram_every = 2});
    for (const double loss : kLosses) board.record(hard_step(optimizer, loss));
    board.step(optimizer, 1e300, optimizer.step());
    board.flush();
  }));
}

TEST_F(Traps, DoNotEndLogsAndTheirReaders) {
  const std::string path = (folder / "run.jsonl").string();
  EXPECT_TRUE(goes_on([&] {
    Optimizer optimizer = make(Rule::adamw);
    RunLog log(path, optimizer, {.notes = {{"nan", NAN}, {"huge", 1e308}}});
    for (std::size_t t = 0; t < 300; ++t) {
      static_cast<void>(log.statistics());
      const double loss = kLosses[t % std::size(kLosses)];
      if (t % 2 == 0) {
        log.record(hard_step(optimizer, loss));
      } else {
        log.step(optimizer, loss, optimizer.step({.statistics = log.statistics()}));
      }
    }
    log.flush();
    log.end({{"infinity", INFINITY}});
    static_cast<void>(log.path());
    RunLogReader reader(path);
    int steps = 0;
    for (RunStep step; reader.next(step);) ++steps;
    _exit(steps == 300 && reader.scales() && reader.end() && reader.info().tensors.size() == 3 ? 0 : 1);
  }));
}

TEST_F(Traps, DoNotEndStatistics) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  for (const RuleInfo& rule : rules()) {
    EXPECT_TRUE(goes_on([&] {
      Optimizer optimizer = make(rule.rule);
      const Options& options = optimizer.options();
      for (const double x : {0.0, 1.0, -1.0, 1e300, kNaN, HUGE_VAL}) {
        for (const std::uint64_t t : {0u, 1u, 2u, 1000000u}) {
          TensorStatistics one;
          one.step = t;
          one.elements = 3;
          one.sums = {x, x, x, x, x, x, x, x, x, x, x};
          one.scales.elements = one.scales.scaled = 3;
          one.scales.log_sum = one.scales.log_sq_sum = x;
          static_cast<void>(moments_of(one, rule.rule, options));
          const MomentFloors floors = floors_of(rule.rule, options, t, 3);
          for (const MomentInfo& info : moment_list()) static_cast<void>(info.guides(floors));
        }
      }
    })) << rule.name;
  }
}

}  // namespace
}  // namespace adamant::testing
