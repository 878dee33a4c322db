// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A run that is stopped at any step and resumed from its checkpoint, on another instruction set and thread count, has
// the bits of a run that never stopped: with groups of several rules, sparse gradients, gradient release and steps that
// are skipped. ADAMANT_SOAK=N tries N times as many.
#include <gtest/gtest.h>

#include <adamant/adamant.hpp>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>

#include "checkpoint/system.h"
#include "tests/support/buffers.h"
#include "tests/support/files.h"

namespace adamant::testing {
namespace {

constexpr int kSteps = 50;

struct Mixture {
  Format param;
  Settings settings;
};

std::vector<Mixture> mixtures() {
  Settings dithered{.state = StateFormat::b16, .weights = WeightFormat::dithered, .seed = 11};
  return {{Format::f32, {}},
          {Format::bf16, preset("q8")},
          {Format::bf16, preset("b16")},
          {Format::bf16, dithered},
          {Format::f16, {.state = StateFormat::f16}},
          {Format::f64, {}}};
}

/// What every step does is decided by its number and by the number of the run.
class Training {
 public:
  Training(const Mixture& mixture, int threads, std::uint64_t run, std::uint64_t weights = 1)
      : run_(run),
        w_(Buffer(mixture.param, 4500).fill(weights)),
        table_(Buffer(mixture.param, kRows * kWidth).fill(weights + 1)),
        b_(Buffer(mixture.param, 77).fill(weights + 2)) {
    Settings settings = mixture.settings;
    settings.threads = threads;
    settings.max_norm = 30.0;
    std::vector<ParamGroup> groups;
    groups.push_back({{{"w", w_.view()}, {"table", table_.view(), {}, {kRows, kWidth}}}, {}, {}});
    groups.push_back({{{"b", b_.view()}}, {.momentum = 0.9}, Rule::sgd});
    optimizer_.emplace(Rule::adamw, std::move(groups), Options{}, settings);
  }

  void step() {
    const std::uint64_t t = optimizer_->steps(), seed = 1000 * run_ + 10 * t;
    Buffer w = Buffer(w_.format(), w_.size()).fill(seed), b = Buffer(b_.format(), b_.size()).fill(seed + 1),
           rows = Buffer(table_.format(), 2 * kWidth).fill(seed + 2);
    const std::vector<std::int64_t> places = {static_cast<std::int64_t>(t % kRows),
                                              static_cast<std::int64_t>((3 * t + 1) % kRows)};
    if (t % 7 == 3) b.set(5, std::numeric_limits<double>::quiet_NaN());  // is skipped
    optimizer_->set_options(0, {.lr = 1e-3 / static_cast<double>(1 + t)});
    optimizer_->set_grad("w", w.view());
    optimizer_->set_grad("b", t % 5 == 1 ? Tensor() : b.view());
    optimizer_->set_lazy_row_grad("table", places, rows.view());
    if (t % 3 == 2) {
      optimizer_->begin_step();
      for (const char* name : {"b", "table", "w"}) optimizer_->step_tensor(name);
      optimizer_->end_step();
    } else {
      optimizer_->step();
    }
    for (const char* name : {"w", "table", "b"}) optimizer_->set_grad(name, {});
  }

  [[nodiscard]] std::string bits() const {
    std::string all = bits_of(optimizer_->state_dict()) + std::to_string(optimizer_->steps());
    for (const Buffer* buffer : {&w_, &table_, &b_}) {
      all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * info(buffer->format()).bytes);
    }
    return all;
  }

  Optimizer& optimizer() { return *optimizer_; }

 private:
  static constexpr std::size_t kRows = 9, kWidth = 512;
  std::uint64_t run_;
  Buffer w_, table_, b_;
  std::optional<Optimizer> optimizer_;
};

/// Waits for no disk.
struct Hasty : checkpoint::System {
  int sync(int) override { return 0; }
};

TEST(Resume, AtEveryStepHasTheBitsOfARunThatNeverStopped) {
  const char* soak = std::getenv("ADAMANT_SOAK");
  const std::uint64_t runs = soak == nullptr ? 1 : std::strtoull(soak, nullptr, 10);
  const TemporaryFolder folder;
  Hasty hasty;
  checkpoint::use_system(&hasty);
  const std::filesystem::path path = folder.path() / "run.safetensors";
  std::size_t stops = 0, combinations = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    for (const Mixture& mixture : mixtures()) {
      use_target(targets().front());
      Training straight(mixture, 1, run);
      for (int t = 0; t < kSteps; ++t) straight.step();
      const std::string expected = straight.bits();
      for (const std::string_view target : targets()) {
        for (const int threads : {1, 3}) {
          ++combinations;
          // The run that is stopped and the one that goes on change places, and instruction sets, at every stop.
          std::optional<Training> now(std::in_place, mixture, 4 - threads, run);
          for (int t = 0; t < kSteps; ++t) {
            use_target(t % 2 == 0 ? target : targets().front());
            now->step();
            save(now->optimizer(), path, {.params = true});
            now.emplace(mixture, t % 2 == 0 ? threads : 1, run, 1000);  // with weights that the file's replace
            load(now->optimizer(), path, {.params = true});
            ++stops;
          }
          ASSERT_TRUE(now->bits() == expected) << info(mixture.settings.state).name << " on " << target;
        }
      }
    }
  }
  use_target({});
  checkpoint::use_system(nullptr);
  std::cout << stops << " stops in " << combinations << " combinations of formats, instruction sets and threads\n";
}

}  // namespace
}  // namespace adamant::testing
