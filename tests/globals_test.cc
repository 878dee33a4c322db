// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers that are made before main() begins.
#include <gtest/gtest.h>

#include <adamant/adamant.hpp>
#include <filesystem>
#include <vector>

namespace adamant {
namespace {

std::vector<float> w(10, 1.0f), g(10, 0.5f);
AdamW global({{"w", w, g}}, {.lr = 0.01, .weight_decay = 0.0});

TEST(GlobalOptimizers, TrainAsOthersDo) {
  EXPECT_EQ(*global.options().lr, 0.01);
  EXPECT_EQ(*global.options().eps, 1e-8);
  global.step();
  EXPECT_NEAR(w[0], 0.99, 1e-6);
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "adamant_globals_test.jsonl";
  RunLog(path.string(), global).end();
  EXPECT_EQ(RunLogReader(path.string()).info().groups[0].rule, Rule::adamw);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace adamant
