// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The report of a large run: 200 tensors, 10,000 steps.
#include <gtest/gtest.h>
#include <unistd.h>

#include <adamant/adamant.hpp>
#include <adamant/run_log.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "report/report.h"

namespace adamant::report {
namespace {

TEST(LargeRun, FitsIntoFiveMegabytes) {
  constexpr std::size_t kTensors = 200;
  constexpr std::uint64_t kSteps = 10'000;
  std::vector<std::vector<float>> w(kTensors, std::vector<float>(16, 1.0F)), g = w;
  std::vector<Param> params;
  for (std::size_t t = 0; t < kTensors; ++t) params.emplace_back("tensor" + std::to_string(t), w[t], g[t]);
  Optimizer optimizer(Rule::adamw, params, {}, {.threads = 1});
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("adamant_report_deep_" + std::to_string(getpid()) + ".jsonl");
  {
    RunLog log(path.string(), optimizer);
    std::uint64_t state = 1;
    for (std::uint64_t step = 1; step <= kSteps; ++step) {
      for (auto& grad : g) {
        for (float& x : grad) {
          state = state * 6364136223846793005U + 1442695040888963407U;
          x = static_cast<float>(state >> 40) * 0x1p-23F - 1.0F;
        }
      }
      const StepReport report = optimizer.step({.statistics = log.statistics()});
      log.step(optimizer, step % 1000 == 0 ? 50.0 : 1.0 + 0.01 * static_cast<double>(step % 7), report);
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string html = report_html({.runs = {path.string()}});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::printf("log %.1f MB, page %.2f MB in %.1f s\n", static_cast<double>(std::filesystem::file_size(path)) / 1e6,
              static_cast<double>(html.size()) / 1e6, taken.count());
  EXPECT_LT(html.size(), 5'000'000U);
  EXPECT_LT(taken.count(), 60.0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace adamant::report
