// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace adamant::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double ns_of_calls(const Contestant& contestant, int calls) {
  const auto start = Clock::now();
  for (int i = 0; i < calls; ++i) contestant.call();
  return ns_since(start);
}

// How many calls make a turn, timed and untimed.
struct Turn {
  int timed = 1;
  int untimed = 0;
};

Turn turn_of(const Contestant& contestant) {
  constexpr double kTurn = 2e6;  // ns: ten thousand times what reading the clock takes
  if (contestant.prepare) contestant.prepare();
  contestant.call();
  double once = ns_of_calls(contestant, 1);
  if (once < kTurn) once = ns_of_calls(contestant, 10) / 10.0;
  if (once >= 5 * kTurn) return {};  // more memory than any cache
  const int timed = std::max(1, static_cast<int>(std::ceil(kTurn / once)));
  return {timed, std::max(2, timed / 10)};
}

}  // namespace

double Times::min() const { return *std::min_element(ns.begin(), ns.end()); }
double Times::max() const { return *std::max_element(ns.begin(), ns.end()); }
double Times::median() const {
  std::vector<double> sorted = ns;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2.0;
}

double ratio(const Times& a, const Times& b) { return a.median() / b.median(); }

std::vector<Times> measure(const std::vector<Contestant>& contestants, const Budget& budget) {
  std::vector<Turn> turns;
  for (const Contestant& contestant : contestants) turns.push_back(turn_of(contestant));
  std::vector<Times> times(contestants.size());
  const auto start = Clock::now();
  const auto more = [&](int done) {
    if (budget.rounds > 0) return done < budget.rounds;
    return done < Budget::kMinRounds || ns_since(start) < budget.seconds * 1e9;
  };
  for (int round = 0; more(round); ++round) {
    for (std::size_t k = 0; k < contestants.size(); ++k) {
      const std::size_t i = round % 2 == 0 ? k : contestants.size() - 1 - k;
      if (contestants[i].prepare) contestants[i].prepare();
      static_cast<void>(ns_of_calls(contestants[i], turns[i].untimed));
      times[i].ns.push_back(ns_of_calls(contestants[i], turns[i].timed) / turns[i].timed);
    }
  }
  return times;
}

}  // namespace adamant::bench
