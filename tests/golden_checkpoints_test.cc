// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints of earlier builds, tests/data/checkpoints: each is loaded, goes on for one step, and then has the bits it
// had when it was made. Files of a release stay for ever. ADAMANT_WRITE_GOLDEN=1 makes them anew, with their hashes.
#include <gtest/gtest.h>

#include <adamant/adamant.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "tests/support/buffers.h"
#include "tests/support/files.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(ADAMANT_TEST_DATA) / "checkpoints";

struct GoldenCase {
  const char* name;
  Rule rule;
  Options options;
  Settings settings;
  Format format;
  std::uint64_t max_file_bytes;
};

std::vector<GoldenCase> cases() {
  return {
      {"adamw_f32", Rule::adamw, {}, {.seed = 3}, Format::f32, 0},
      {"adamw_amsgrad_f64", Rule::adamw, {.amsgrad = true}, {}, Format::f64, 0},
      {"adamw_q8", Rule::adamw, {}, preset("q8"), Format::bf16, 0},
      {"adamw_q8_parts", Rule::adamw, {}, preset("q8"), Format::bf16, 10000},
      {"adam_b16_split16",
       Rule::adam,
       {},
       {.state = StateFormat::b16, .weights = WeightFormat::split16, .seed = 5},
       Format::bf16,
       0},
      {"rmsprop_f16", Rule::rmsprop, {.momentum = 0.9, .centered = true}, {.state = StateFormat::f16}, Format::f16, 0},
      {"sgd_dithered", Rule::sgd, {.momentum = 0.9}, preset("q8-lite"), Format::bf16, 0},
      {"adagrad_bf16", Rule::adagrad, {}, {.state = StateFormat::bf16}, Format::bf16, 0}};
}

/// FNV-1a, 64 bits (Fowler, Noll & Vo).
std::string hash(const std::string& bytes) {
  std::uint64_t sum = 0xCBF29CE484222325u;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(sum));
  return text;
}

/// Two tensors, one of them too small for compact states, and a group of another rule.
struct Trained {
  explicit Trained(const GoldenCase& golden)
      : w(Buffer(golden.format, 4096).fill(1)),
        b(Buffer(golden.format, 5).fill(2)),
        c(Buffer(golden.format, 3).fill(3)) {
    std::vector<ParamGroup> groups;
    groups.push_back({{{"layer.weight", w.view(), {}, {64, 64}}, {"layer.bias", b.view()}}, golden.options, {}});
    groups.push_back({{{"ünïcode", c.view()}}, {.momentum = 0.5}, Rule::sgd});
    optimizer.emplace(golden.rule, std::move(groups), Options{}, golden.settings);
  }
  void step() {
    const std::uint64_t seed = 10 * (1 + optimizer->steps());
    Buffer gw = Buffer(w.format(), w.size()).fill(seed), gb = Buffer(b.format(), b.size()).fill(seed + 1),
           gc = Buffer(c.format(), c.size()).fill(seed + 2);
    optimizer->set_grad("layer.weight", gw.view());
    optimizer->set_grad("layer.bias", gb.view());
    optimizer->set_grad("ünïcode", gc.view());
    optimizer->step();
    for (const char* name : {"layer.weight", "layer.bias", "ünïcode"}) optimizer->set_grad(name, {});
  }
  [[nodiscard]] std::string bits() const {
    std::string all = bits_of(optimizer->state_dict());
    for (const Buffer* buffer : {&w, &b, &c}) {
      all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * info(buffer->format()).bytes);
    }
    return all;
  }
  Buffer w, b, c;
  std::optional<Optimizer> optimizer;
};

std::map<std::string, std::string> hashes() {
  std::map<std::string, std::string> all;
  std::ifstream file(kFolder / "hashes.txt");
  for (std::string name, sum; file >> name >> sum;) all[name] = sum;
  return all;
}

TEST(GoldenCheckpoints, GoOnWithTheBitsTheyHad) {
  if (std::getenv("ADAMANT_WRITE_GOLDEN") != nullptr) {
    fs::remove_all(kFolder);
    fs::create_directories(kFolder);
    std::ofstream list(kFolder / "hashes.txt");
    for (const GoldenCase& golden : cases()) {
      Trained run(golden);
      for (int i = 0; i < 3; ++i) run.step();
      save(*run.optimizer, kFolder / (std::string(golden.name) + ".safetensors"),
           {.params = true, .metadata = {{"case", golden.name}}, .max_file_bytes = golden.max_file_bytes});
      run.step();
      list << golden.name << " " << hash(run.bits()) << "\n";
    }
  }
  const auto expected = hashes();
  EXPECT_EQ(expected.size(), cases().size());
  for (const GoldenCase& golden : cases()) {
    SCOPED_TRACE(golden.name);
    const fs::path path = kFolder / (std::string(golden.name) + ".safetensors");
    verify(path);
    Trained run(golden);
    const CheckpointInfo info = load(*run.optimizer, path, {.params = true});
    EXPECT_EQ(info.metadata, (Metadata{{"case", golden.name}}));
    EXPECT_EQ(run.optimizer->steps(), 3u);
    // What is written today is the same file.
    TemporaryFolder folder;
    save(*run.optimizer, folder.path() / path.filename(),
         {.params = true, .metadata = info.metadata, .max_file_bytes = golden.max_file_bytes});
    for (const fs::path& file : info.files) EXPECT_EQ(contents(folder.path() / file.filename()), contents(file));
    run.step();
    EXPECT_EQ(hash(run.bits()), expected.at(golden.name));
  }
}

}  // namespace
}  // namespace adamant::testing
