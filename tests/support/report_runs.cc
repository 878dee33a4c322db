// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Writes run logs to test the report with: small models with noisy gradients of known shape, trained by the engine.
//
//     report_runs FOLDER [STEPS [BLOCKS [NAME]]]    adamw.jsonl, sgd.jsonl, rmsprop.jsonl, adagrad.jsonl, mixed.jsonl,
//     or one of them
#include <adamant/adamant.hpp>
#include <adamant/run_log.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

namespace {

class Random {
 public:
  double uniform() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (static_cast<double>(state_ >> 11) + 0.5) * 0x1p-53;
  }
  double normal() { return std::sqrt(-2.0 * std::log(uniform())) * std::cos(2.0 * std::numbers::pi * uniform()); }

 private:
  std::uint64_t state_ = 1;
};

// A bowl of its own: gradient = steepness · (w - goal) + noise.
struct Part {
  std::string name;
  std::vector<std::size_t> shape;
  double steepness = 1.0, noise = 1.0;
  bool rows = false;  ///< an embedding: row k is hit once in k+1 steps
  std::vector<float> w, g, goal;
};

std::vector<Part> model(std::size_t blocks, Random& random) {
  std::vector<Part> parts;
  parts.push_back({"embedding.weight", {64, 16}, 1.0, 0.3, true, {}, {}, {}});
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::string block = "block" + std::to_string(b);
    const double scale = std::pow(10.0, -3.0 * static_cast<double>(b) / static_cast<double>(blocks));
    parts.push_back({block + ".weight", {32, 32}, scale, 3.0 * scale, false, {}, {}, {}});
    parts.push_back({block + ".bias", {32}, 4.0 * scale, scale, false, {}, {}, {}});
  }
  parts.push_back({"head.weight", {32, 10}, 30.0, 1.0, false, {}, {}, {}});
  for (Part& part : parts) {
    std::size_t size = 1;
    for (const std::size_t n : part.shape) size *= n;
    part.g.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      part.w.push_back(static_cast<float>(0.1 * random.normal()));
      part.goal.push_back(static_cast<float>(random.normal()));
    }
  }
  return parts;
}

// The loss before the step, and the gradients. One batch is bad.
double look(std::vector<Part>& parts, std::uint64_t step, std::uint64_t steps, Random& random) {
  const double fault = step == steps * 7 / 10 ? 60.0 : 1.0;
  double loss = 0.0;
  for (Part& part : parts) {
    double sum = 0.0;
    const std::size_t width = part.shape.back();
    for (std::size_t i = 0; i < part.w.size(); ++i) {
      const double away = static_cast<double>(part.w[i]) - static_cast<double>(part.goal[i]);
      sum += 0.5 * part.steepness * away * away;
      const bool hit = !part.rows || (step + 7 * (i / width)) % (i / width + 1) == 0;
      part.g[i] = hit ? static_cast<float>(part.steepness * away + fault * part.noise * random.normal()) : 0.0F;
    }
    loss += sum / static_cast<double>(part.w.size());
  }
  return loss * (fault > 1.0 ? 3.0 : 1.0) * (1.0 + 0.02 * random.normal());
}

struct Choice {
  std::string name;
  adamant::Rule rule;
  adamant::Options options;
  std::optional<adamant::Rule> of_vectors{};  ///< in a group of their own, with its defaults
};

void train(const std::string& path, const Choice& choice, std::uint64_t steps, std::size_t blocks) {
  Random random;
  std::vector<Part> parts = model(blocks, random);
  std::vector<adamant::ParamGroup> groups(1);
  if (choice.of_vectors) {
    groups.insert(groups.begin(), adamant::ParamGroup{{}, {.lr = choice.options.lr}, choice.of_vectors});
  }
  for (Part& part : parts) {
    adamant::ParamGroup& group = part.shape.size() == 1 ? groups.front() : groups.back();
    group.params.emplace_back(part.name, part.w, part.g, part.shape);
  }
  const adamant::Options& options = choice.options;
  adamant::Optimizer optimizer(choice.rule, groups, options, {.max_norm = 400.0, .threads = 1});
  adamant::RunLog log(
      path, optimizer,
      {.title = choice.name, .notes = {{"workload", "bowls <&>"}, {"steps", static_cast<double>(steps)}}});
  for (std::uint64_t step = 1; step <= steps; ++step) {
    optimizer.set_lr(adamant::schedule::warmup_cosine(*options.lr, step - 1, steps / 20, steps, 0.05 * *options.lr));
    const double loss = look(parts, step, steps, random);
    if (step == steps / 2) parts[1].g[3] = std::nanf("");
    log.step(optimizer, loss, optimizer.step({.statistics = log.statistics()}));
  }
  log.end({{"outcome", "finished"}});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) return 2;
  const std::string folder = argv[1];
  const std::uint64_t steps = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  const std::size_t blocks = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 5;
  const std::string only = argc > 4 ? argv[4] : "";
  const Choice choices[] = {
      {"adamw", adamant::Rule::adamw, {.lr = 2e-2, .weight_decay = 0.1}},
      {"sgd", adamant::Rule::sgd, {.lr = 3e-3, .momentum = 0.9}},
      {"rmsprop", adamant::Rule::rmsprop, {.lr = 2e-2}},
      {"adagrad", adamant::Rule::adagrad, {.lr = 2e-1}},
      {"mixed", adamant::Rule::adamw, {.lr = 2e-2, .weight_decay = 0.1}, adamant::Rule::sgd},
  };
  for (const Choice& choice : choices) {
    if (only.empty() || only == choice.name) train(folder + "/" + choice.name + ".jsonl", choice, steps, blocks);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
