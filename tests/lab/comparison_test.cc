// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The sentence below a table of the lab, on made-up losses.
#include "lab/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

namespace adamant::lab {
namespace {

std::string sentence(const std::vector<ComparedRule>& rules) { return comparison_sentence(rules); }

TEST(Comparison, NamesTheBestAndTheBestOfTheOtherKind) {
  EXPECT_EQ(sentence({{"sgd", false, {5.5, 5.7}},
                      {"momentum", false, {5.4, 5.6}},
                      {"adam", true, {5.2, 5.3}},
                      {"adamw", true, {5.1, 5.2}}}),
            "adamw has the lowest loss, 5.15; the best that does not divide by a second moment, momentum, is clearly "
            "above it: by 0.35, with a standard error of 0.05.");
  EXPECT_EQ(sentence({{"adam", true, {2.0, 2.5, 3.0}}, {"sgd", false, {1.0, 1.0, 1.0}}}),
            "sgd has the lowest loss, 1; the best that divides by a second moment, adam, is clearly above it: by 1.5, "
            "with a standard error of 0.29.");
}

TEST(Comparison, CallsNoDifferenceClearThatSeedsMayExplain) {
  EXPECT_EQ(
      sentence({{"sgd", false, {1.0, 3.0}}, {"adam", true, {2.0, 1.0}}}),
      "adam has the lowest loss, 1.5; the best that does not divide by a second moment, sgd, is level with it: by "
      "0.5, with a standard error of 1.5.");
  EXPECT_NE(sentence({{"sgd", false, {1.0, 3.0}}, {"adam", true, {1.0, 3.0}}}).find("level with it: by 0,"),
            std::string::npos)
      << "a tie";
  // The same seeds: what both have in common is not counted as spread.
  EXPECT_NE(sentence({{"sgd", false, {1.1, 9.1}}, {"adam", true, {1.0, 9.0}}}).find("clearly"), std::string::npos);
}

TEST(Comparison, OfOneKindIsWithTheSecond) {
  EXPECT_EQ(sentence({{"adam", true, {1.5, 1.5}}, {"adamw", true, {1.0, 1.0}}, {"rmsprop", true, {2.0, 2.0}}}),
            "adamw has the lowest loss, 1; the best of the others, adam, is clearly above it: by 0.5, with a standard "
            "error of 0.");
}

TEST(Comparison, OfASingleSeedSaysSo) {
  EXPECT_EQ(sentence({{"sgd", false, {1.5}}, {"adam", true, {1.0}}}),
            "adam has the lowest loss, 1; the best that does not divide by a second moment, sgd, is 0.5 above it, on a "
            "single seed.");
}

TEST(Comparison, LeavesOutWhatDidNotFinish) {
  const double none = std::nan("");
  EXPECT_EQ(sentence({{"sgd", false, {0.1, none}}, {"adam", true, {1.0, 2.0}}}), "");
  EXPECT_EQ(sentence({{"sgd", false, {none, none}}, {"adam", true, {2.0, 2.0}}, {"adamw", true, {1.0, 1.0}}})
                .find("adamw has the lowest loss, 1; the best of the others, adam,"),
            0u);
  EXPECT_EQ(sentence({{"sgd", false, {1.0, 2.0}}, {"adam", true, {0.5}}}), "") << "fewer seeds";
  EXPECT_EQ(sentence({}), "");
}

}  // namespace
}  // namespace adamant::lab
