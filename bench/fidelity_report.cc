// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Prints docs/fidelity.md: how truly the state formats keep the moments.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "bench/fidelity.h"

using namespace adamant;

namespace {

constexpr StateFormat kStates[] = {StateFormat::q8, StateFormat::b16, StateFormat::bf16};
constexpr double kBeta2[] = {0.95, 0.99, 0.999};

void rule_of_columns(std::size_t columns) {
  for (std::size_t i = 0; i <= columns; ++i) std::printf("|---");
  std::printf("|\n");
}

std::string name(StateFormat state) { return std::string(info(state).name); }

std::string text(const fidelity::Spread& spread) {
  char line[64];
  std::snprintf(line, sizeof(line), "%.3f [%.3f, %.3f]", spread.median, spread.low, spread.high);
  return line;
}

void strides() {
  std::printf(
      "\n## Strides\n\nRows of 128 elements of a table that have a gradient in every K-th step, for each K from 1 to "
      "10,000, 52 times, and\nshould move by about half a unit of the format each time. How far elements end from "
      "where "
      "they should, in standard\ndeviations of independent random rounding: root of the mean square over the elements "
      "of all such rows, and the largest\nof all.\n\n| rounded");
  constexpr std::uint64_t kEnds[] = {2, 3, 10, 100, 1000, 10'001};
  std::vector<std::uint64_t> all(kEnds[std::size(kEnds) - 1] - 1);
  std::iota(all.begin(), all.end(), std::uint64_t{1});
  std::uint64_t begin = 1;
  for (const std::uint64_t end : kEnds) {
    std::printf(begin + 1 == end ? " | K = %llu" : " | %llu to %llu", static_cast<unsigned long long>(begin),
                static_cast<unsigned long long>(end - 1));
    begin = end;
  }
  std::printf(" | largest |\n");
  rule_of_columns(std::size(kEnds) + 1);
  for (const fidelity::Rounded what : fidelity::kRounded) {
    const std::vector<fidelity::Deviation> found = fidelity::strided(what, all);
    std::printf("| %s |", std::string(fidelity::name_of(what)).c_str());
    double most = 0.0;
    begin = 1;
    for (const std::uint64_t end : kEnds) {
      double square = 0.0;
      for (std::uint64_t stride = begin; stride < end; ++stride) {
        const auto& [rms, largest] = found[stride - 1];
        square += rms * rms / static_cast<double>(end - begin);
        most = std::max(most, largest);
      }
      std::printf(" %.2f |", std::sqrt(square));
      begin = end;
    }
    std::printf(" %.1f |\n", most);
  }
}

}  // namespace

int main() {
  std::printf(
      "# How faithfully states are kept\n\n"
      "AdamW with its states in a compact format beside AdamW with f32 states, on the same gradients: f32 weights, ε "
      "0, no\n"
      "decay, 16,384 parameters. The figures are the same on every machine. `make fidelity` writes this page.\n");

  std::printf(
      "\n## Tracking\n\n√v as kept ÷ √v in f32, five horizons after the gradients of half the coordinates fell to a "
      "tenth:\n"
      "median [5%%, 95%%] of those coordinates.\n\n| states | β2 0.95 | β2 0.99 | β2 0.999 |\n");
  rule_of_columns(3);
  for (const StateFormat state : kStates) {
    std::printf("| `%s` |", name(state).c_str());
    for (const double beta2 : kBeta2) std::printf(" %s |", text(fidelity::tracking({state, beta2})).c_str());
    std::printf("\n");
  }

  std::printf(
      "\n## Gradients that stop, and rare ones\n\nRelative error of the movement. Stopped: 2,000 steps after the "
      "gradients of "
      "half the coordinates became zero, of\nthose. Rare: 6,000 steps in which a row of 128 has a gradient once in 500 "
      "times.\n\n| states | stopped, β2 0.95 | 0.999 | rare, β2 0.95 | 0.999 |\n");
  rule_of_columns(4);
  for (const StateFormat state : kStates) {
    std::printf("| `%s` |", name(state).c_str());
    for (const double beta2 : {0.95, 0.999}) std::printf(" %.3f |", fidelity::stopped({state, beta2}));
    for (const double beta2 : {0.95, 0.999}) std::printf(" %.3f |", fidelity::rare({state, beta2}));
    std::printf("\n");
  }

  std::printf(
      "\n## One update\n\nRelative error of an update, for gradients whose sizes spread over so many decades within a "
      "group.\n\n"
      "| states, β2 | 0.3 decades | 1.5 | 3 | 1.5, times 1e-12 | times 1e3 |\n");
  rule_of_columns(5);
  for (const StateFormat state : kStates) {
    for (const double beta2 : {0.95, 0.999}) {
      std::printf("| `%s`, %g |", name(state).c_str(), beta2);
      for (const double decades : {0.3, 1.5, 3.0})
        std::printf(" %.1f%% |", 100 * fidelity::update_error({state, beta2}, decades));
      for (const double scale : {1e-12, 1e3}) {
        std::printf(" %.1f%% |", 100 * fidelity::update_error({state, beta2}, 1.5, scale));
      }
      std::printf("\n");
    }
  }

  std::printf(
      "\n## Resonance\n\nRelative error of the movement in 2,000 steps with a gradient every P-th step: a dither that "
      "moved in step with "
      "the\ngradients would show.\n\n| states, β2 |");
  constexpr std::uint64_t kPeriods[] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 377};
  for (const std::uint64_t period : kPeriods) std::printf(" P = %llu |", static_cast<unsigned long long>(period));
  std::printf("\n");
  rule_of_columns(std::size(kPeriods));
  for (const double beta2 : {0.95, 0.999}) {
    std::printf("| `q8`, %g |", beta2);
    for (const std::uint64_t period : kPeriods)
      std::printf(" %.3f |", fidelity::periodic({StateFormat::q8, beta2}, period));
    std::printf("\n");
  }

  strides();

  std::printf(
      "\n## Weights\n\nbf16 weights that should grow by 1e-5 of their size a step: movement in 2,000 steps ÷ what it "
      "should be,\n"
      "median [5%%, 95%%].\n\n| kept below bf16 | movement |\n");
  rule_of_columns(1);
  for (const WeightFormatInfo& format : weight_formats()) {
    std::printf("| `%s` | %s |\n", std::string(format.name).c_str(),
                text(fidelity::weight_movement(format.format)).c_str());
  }
}
