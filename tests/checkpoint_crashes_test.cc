// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Wherever the power is cut while a checkpoint is saved over an older one, and whatever part of what was not yet made
// to last is lost: there is the old checkpoint or the new one, and the new one once save() has returned.
#include <gtest/gtest.h>

#include <adamant/checkpoint.hpp>
#include <array>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tests/support/checkpoint_ways.h"
#include "tests/support/memory_system.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

/// Every bit of all files that have a name.
std::size_t hash_of(const MemoryFiles& files) {
  std::string all;
  for (const auto& [folder, names] : files.folders) {
    all += folder + "\n";
    for (const auto& [name, file] : names) {
      const std::string& bytes = files.contents.at(file);
      all += name + "\n" + std::to_string(bytes.size()) + "\n" + bytes;
    }
  }
  return std::hash<std::string_view>()(all);
}

/// A run that saves after each step, over what was there before, and all that it changed on the way.
struct Saves {
  Saves(const Way& way, MemorySystem&& system, SmallRun&& run, std::size_t saves) : before(system.files) {
    states.push_back(run.optimizer->steps() == 0 ? "" : run.bits());
    system.changes = &changes;
    const UseSystem use(system);
    for (std::size_t i = 0; i < saves; ++i) {
      states.push_back(run.step().bits());
      way.save(run);
      returned.push_back(changes.size());
    }
  }

  MemoryFiles before;
  std::vector<MemoryChange> changes;
  std::vector<std::string> states;    // the one before, and those that were saved; empty where there was none
  std::vector<std::size_t> returned;  // how many changes there were when each save had returned
};

/// What there is after power cuts while `saves` are made by this way: after each change all that may be left, or, where
/// that is too much, `at_random` of it.
void expect_old_or_new(const Way& way, const Saves& saves, std::size_t at_random, SmallRun& reader) {
  std::size_t states = 0, older = 0;
  std::unordered_set<std::size_t> seen;
  for (std::size_t count = 0; count <= saves.changes.size(); ++count) {
    const auto done = std::ranges::upper_bound(saves.returned, count);
    const auto saved = static_cast<std::size_t>(done - saves.returned.begin());
    // The next save has begun with the change after that.
    const bool between = saved > 0 && saves.returned[saved - 1] == count;
    const PowerCut cut(saves.before, saves.changes, count);
    const bool few = cut.choices() < 20 && std::size_t{1} << cut.choices() <= at_random;
    const std::size_t all = few ? std::size_t{1} << cut.choices() : at_random;
    for (std::size_t state = 0; state < all; ++state, ++states) {
      // At random in three ways: a few things happened, half of them, or all but a few; of writes whole pages of 4 KiB,
      // or single sectors.
      const std::uint64_t seed = random_bits(count) + state;
      const auto likely = std::array{1u, 4u, 7u}[random_bits(seed) % 3];
      const bool pages = (random_bits(seed) >> 8 & 1) != 0;
      MemorySystem left(cut.left([&](std::size_t choice, std::size_t change) {
        if (few) return (state >> choice & 1) != 0;
        const std::size_t unit = pages && saves.changes[change].kind == MemoryChange::write ? choice / 8 : choice;
        return random_bits(seed ^ random_bits(change * 4096 + unit)) % 8 < likely;
      }));
      if (!seen.insert(hash_of(left.files) + saved).second) continue;
      const UseSystem use(left);
      std::string bits;
      const std::string said = refusal([&] { bits = loaded(way, reader); });
      const bool is_old = bits == saves.states[saved];
      ASSERT_TRUE(said == "accepted" || (said.starts_with("io: ") && saves.states[saved].empty() && !way.of_run))
          << said;
      ASSERT_TRUE(is_old || (!between && bits == saves.states.at(saved + 1)))
          << "after " << count << " of " << saves.changes.size() << " changes, when " << saved << " saves had returned";
      older += is_old && !between;
      // Older ones, too, are whole or not there.
      if (way.of_run) {
        for (const auto& item : Checkpoints(kRun).list()) ASSERT_NO_THROW(static_cast<void>(inspect(item.path)));
      }
      ASSERT_TRUE(!way.of_run || temporary_files(left.files) == 0) << "which a new process removes";
    }
  }
  EXPECT_GT(older, 100u);
  std::cout << seen.size() << " different states after power cuts, of " << states << " looked at, saving " << way.name
            << "\n";
}

class Saving : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Saving, SurvivesPowerCuts) {
  const Way& way = ways()[GetParam()];
  SmallRun older(600), reader(600);
  older.step(2);
  MemorySystem system(kFolder);
  {
    const UseSystem use(system);
    way.save(older);
  }
  expect_old_or_new(way, {way, MemorySystem(system.files), std::move(older), 3}, 800 * repeats(), reader);
}

// Folders that are new may be gone, but not once the first save has returned.
TEST_P(Saving, OfTheFirstSurvivesPowerCuts) {
  const Way& way = ways()[GetParam()];
  SmallRun reader(600);
  expect_old_or_new(way, {way, MemorySystem(kFolder), SmallRun(600), 2}, 200 * repeats(), reader);
}

INSTANTIATE_TEST_SUITE_P(Ways, Saving, ::testing::Range<std::size_t>(0, 5));

}  // namespace
}  // namespace adamant::testing
