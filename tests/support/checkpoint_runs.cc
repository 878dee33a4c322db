// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Trains in one process what the tests of `adamant step` repeat step by step in files.
//
//     checkpoint_runs FOLDER    for each run FOLDER/NAME/ with params.safetensors, grads-1 to grads-4; after two steps
//     params-2 and state-2, which has no parameters; after four expected.safetensors, which has them
#include <adamant/adamant.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

struct Run {
  const char* name;
  Rule rule;
  Format format, grad_format;
  Options options;
  Settings settings;
  bool groups = false;  // the bias is in one of its own, with another rule
};

const Run kRuns[] = {
    {"adamw", Rule::adamw, Format::f32, Format::f32, {.lr = 0.01, .betas = {0.9, 0.95}}, {.report_norm = true}},
    {"sgd",
     Rule::sgd,
     Format::f32,
     Format::bf16,
     {.lr = 0.1, .momentum = 0.9, .nesterov = true},
     {.max_norm = 1.0, .report_norm = true}},
    {"f64", Rule::adagrad, Format::f64, Format::f64, {}, {.report_norm = true}},
    {"q8",
     Rule::adamw,
     Format::bf16,
     Format::bf16,
     {.amsgrad = true},
     {.state = StateFormat::q8, .weights = WeightFormat::split8, .seed = 7, .max_norm = 1.0, .report_norm = true}},
    {"groups",
     Rule::adamw,
     Format::bf16,
     Format::f32,
     {},
     {.state = StateFormat::b16, .weights = WeightFormat::split16, .report_norm = true},
     true},
};

std::string type_of(Format format) {
  std::string type(info(format).name);
  for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return type;
}

SafetensorsTensor tensor(const std::string& name, const std::string& type, const Buffer& buffer,
                         std::vector<std::size_t> shape) {
  const std::span bytes(reinterpret_cast<const std::byte*>(buffer.data()), buffer.size() * info(buffer.format()).bytes);
  return {name, type, std::move(shape), bytes};
}

void write(const Run& run, const fs::path& folder) {
  fs::create_directories(folder);
  Buffer w(run.format, 6000), b(run.format, 100), wg(run.grad_format, 6000), bg(run.grad_format, 100);
  w.fill(1, 0.1);
  b.fill(2, 0.1);
  const std::string type = type_of(run.format), grad_type = type_of(run.grad_format);
  const Metadata metadata = {{"made", "here"}};
  const auto save_params = [&](const char* name) {
    save_safetensors(folder / name, std::vector{tensor("bias", type, b, {100}), tensor("weight", type, w, {60, 100})},
                     metadata);
  };
  std::vector<ParamGroup> groups(run.groups ? 2 : 1);
  groups.front().params = {{"weight", w.view(), wg.view(), {60, 100}}};
  groups.back().params.insert(groups.back().params.begin(), {"bias", b.view(), bg.view(), {100}});
  if (run.groups) {
    groups.back().rule = Rule::rmsprop;
    groups.back().options.centered = true;
  }
  Optimizer optimizer(run.rule, std::move(groups), run.options, run.settings);

  save_params("params.safetensors");
  for (std::uint64_t step = 1; step <= 4; ++step) {
    wg.fill(10 * step);
    bg.fill(10 * step + 1);
    save_safetensors(folder / ("grads-" + std::to_string(step) + ".safetensors"),
                     std::vector{tensor("bias", grad_type, bg, {100}), tensor("weight", grad_type, wg, {60, 100})});
    optimizer.step();
    if (step != 2) continue;
    save_params("params-2.safetensors");
    save(optimizer, folder / "state-2.safetensors", {.metadata = metadata});
  }
  save_params("params-4.safetensors");
  save(optimizer, folder / "expected.safetensors", {.params = true, .metadata = metadata});
}

}  // namespace
}  // namespace adamant::testing

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    for (const auto& run : adamant::testing::kRuns) {
      adamant::testing::write(run, std::filesystem::path(argv[1]) / run.name);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "checkpoint_runs: %s\n", error.what());
    return 1;
  }
}
