// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Writes the run logs that fuzz/make_corpus starts from: one for each rule, small, and with a line of each kind.
//
//     fuzz_logs FOLDER
#include <adamant/adamant.hpp>
#include <adamant/run_log.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace adamant;

constexpr std::uint64_t kSteps = 131;  // histograms are written after 128

struct Buffers {
  explicit Buffers(std::size_t size) : w(size, 0.5F), g(size) {}
  std::vector<float> w, g;
};

void train(const std::string& path, Rule rule, Rule other) {
  Buffers matrix(8), bias(3), later(2);
  const auto options = [](Rule of) { return of == Rule::sgd ? Options{.momentum = 0.9} : Options{}; };
  std::vector<ParamGroup> groups;
  groups.push_back({{{"matrix", matrix.w, matrix.g, {2, 4}}}, options(rule), rule});
  groups.push_back({{{"bias", bias.w, bias.g}}, options(other), other});
  Optimizer optimizer(rule, std::move(groups), {}, {.max_norm = 1.0, .threads = 1});
  RunLog log(path, optimizer, {.title = "<" + std::string(info(rule).name) + ">", .notes = {{"batch_size", 8.0}}});
  for (std::uint64_t step = 1; step <= kSteps; ++step) {
    if (step == 130) optimizer.set_options(0, {.maximize = true});
    if (step == 131) optimizer.add_param_group({{{"later", later.w, later.g}}});
    double sign = 1.0;
    for (Buffers* memory : {&matrix, &bias, &later}) {
      for (float& g : memory->g) {
        sign = -sign;
        g = static_cast<float>(sign * std::sin(0.1 * static_cast<double>(step)));
      }
    }
    if (step == 2) bias.g[1] = std::numeric_limits<float>::quiet_NaN();
    log.step(optimizer, 1.0 / static_cast<double>(step), optimizer.step({.statistics = log.statistics()}));
  }
  log.end({{"outcome", "finished"}});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const auto list = rules();
  for (std::size_t i = 0; i < list.size(); ++i) {
    train(std::string(argv[1]) + "/" + std::string(list[i].name) + ".jsonl", list[i].rule,
          list[(i + 1) % list.size()].rule);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
