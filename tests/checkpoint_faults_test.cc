// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Whatever call of the system fails, whenever memory runs out, wherever the power is cut: there is the old checkpoint
// or the new one, whole, and an optimizer that is as it was or is refused.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "tests/support/checkpoint_ways.h"
#include "tests/support/failing_new.h"
#include "tests/support/faulty_system.h"
#include "tests/support/files.h"
#include "tests/support/memory_system.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

constexpr int kErrors[] = {ENOSPC, EIO, EDQUOT, EINTR, EACCES, EMFILE, ENOMEM};

/// A fault: the call of that kind and number fails, once or from then on.
struct Fault {
  SystemCall call;
  int number, error;
  bool for_good;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << kSystemCallNames[static_cast<int>(fault.call)] << " " << fault.number << " fails with "
             << std::generic_category().message(fault.error) << (fault.for_good ? " for good" : " once");
}

/// Runs `use` with every fault that can strike it, over a system that `prepare` makes anew each time, until the number
/// of a call is beyond the last; `use` is told which it is, and whether it has struck. Returns how many faults struck.
template <class Prepare, class Use>
std::size_t with_every_fault(const Prepare& prepare, const Use& use) {
  std::size_t count = 0;
  for (int call = 0; call < kSystemCalls; ++call) {
    for (const int error : kErrors) {
      for (const bool for_good : {false, true}) {
        // What is interrupted is tried again, and for good that would last.
        if (error == EINTR && for_good) continue;
        for (int number = 1;; ++number) {
          const Fault fault = {static_cast<SystemCall>(call), number, error, for_good};
          int calls = 0;
          bool struck = false;
          MemorySystem memory = prepare();
          FaultySystem faulty(memory);
          faulty.before = [&](SystemCall its) {
            if (its != fault.call) return 0;
            ++calls;
            if (calls != number && !(for_good && calls > number)) return 0;
            struck = true;
            return error;
          };
          const ::testing::ScopedTrace trace(__FILE__, __LINE__, ::testing::PrintToString(fault));
          use(memory, faulty, fault, struck);
          if (::testing::Test::HasFatalFailure()) return count;
          if (!struck) break;
          ++count;
        }
      }
    }
  }
  return count;
}

/// Whether it is made again where a signal interrupts it, whoever makes it.
bool is_made_again(SystemCall call) {
  constexpr SystemCall kAgain[] = {SystemCall::open_folder, SystemCall::status_at, SystemCall::allocate,
                                   SystemCall::write,       SystemCall::rename_at, SystemCall::unlink_at};
  return std::ranges::find(kAgain, call) != std::end(kAgain);
}

TEST(Faults, InSavingLeaveTheOldOrTheNew) {
  const OldAndNew states;
  std::size_t points = 0, refusals = 0;
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name);
    const MemorySystem first = states.before(way);
    SmallRun reader;
    points += with_every_fault(
        [&] { return MemorySystem(first.files); },
        [&](MemorySystem& memory, FaultySystem& faulty, const Fault& fault, const bool& struck) {
          const UseSystem use(faulty);
          const MemoryFiles before = memory.files;
          std::string refused;
          try {
            way.save(states.newer);
          } catch (const Error& error) {
            refused = error.what();
            ASSERT_EQ(error.code(), ErrorCode::io) << refused;
          }
          ASSERT_EQ(memory.open_count(), 0u);
          refusals += !refused.empty();
          // What may not last, or may not go, is told; a signal is not.
          const bool told =
              fault.call == SystemCall::sync || (fault.call == SystemCall::unlink_at && fault.error != EINTR);
          ASSERT_TRUE(!refused.empty() || !struck || !told);
          ASSERT_TRUE(refused.empty() || fault.error != EINTR || !is_made_again(fault.call)) << refused;
          ASSERT_TRUE(temporary_files(memory.files) == 0 || fault.call == SystemCall::unlink_at) << refused;
          ASSERT_EQ(states.newer.bits(), states.new_bits);
          faulty.before = [](SystemCall) { return 0; };
          // Before anything else, so that no constructor mends it.
          bool untouched = true;
          for (const auto& [folder, names] : before.folders) {
            for (const auto& [name, file] : names) {
              untouched &=
                  memory.files.contains(folder, name) &&
                  memory.files.contents.at(memory.files.folders.at(folder).at(name)) == before.contents.at(file);
            }
          }
          const std::string now = loaded(way, reader);
          ASSERT_TRUE(now == states.new_bits || (!refused.empty() && untouched && now == states.old_bits)) << refused;
          for (const auto& [folder, names] : memory.files.folders) {
            for (const auto& [name, file] : names) {
              ASSERT_TRUE(way.of_run || name != "run.safetensors" || memory.files.modes.at(file) == 0600u);
            }
          }
          // Once the fault is gone, it is saved, and nothing unfinished stays.
          way.save(states.newer);
          ASSERT_EQ(temporary_files(memory.files), 0u);
          ASSERT_EQ(loaded(way, reader), states.new_bits);
          ASSERT_EQ(memory.open_count(), 0u);
        });
  }
  EXPECT_GT(refusals, points / 2);
  std::cout << points << " faults while saving, " << refusals << " of them told\n";
}

TEST(Faults, InLoadingChangeNothing) {
  const OldAndNew states;
  std::size_t points = 0, torn = 0;
  for (const Way& way : ways()) {
    for (const bool other_formats : {false, true}) {
      SCOPED_TRACE(way.name);
      const MemorySystem first = states.before(way);
      const Settings settings =
          other_formats ? Settings{.weights = WeightFormat::plain} : Settings{.weights = WeightFormat::split16};
      SmallRun expected(200, settings);
      {
        MemorySystem memory(first.files);
        const UseSystem use(memory);
        load(*expected.optimizer, way.of_run ? std::string(kRun + "/step-000000000002.safetensors") : kPath,
             {.params = true, .round = true});
      }
      const std::string after = expected.bits();
      points += with_every_fault([&] { return MemorySystem(first.files); },
                                 [&](MemorySystem& memory, FaultySystem& faulty, const Fault&, const bool&) {
                                   const UseSystem use(faulty);
                                   SmallRun run(200, settings);
                                   const std::string before = run.step(4).bits();
                                   const auto take = [&] {
                                     if (!way.of_run)
                                       return void(load(*run.optimizer, kPath, {.params = true, .round = true}));
                                     Checkpoints(kRun).load_newest(*run.optimizer, {.params = true, .round = true});
                                   };
                                   try {
                                     take();
                                     ASSERT_EQ(run.bits(), after);
                                   } catch (const Error& error) {
                                     ASSERT_EQ(error.code(), ErrorCode::io) << error.what();
                                     const std::string said = error.what();
                                     const std::string step = refusal([&] { run.optimizer->step(); });
                                     if (step != "accepted") {
                                       ++torn;
                                       ASSERT_NE(step.find("after a load that broke off"), std::string::npos) << step;
                                       ASSERT_NE(said.find("mixed"), std::string::npos) << said;
                                     } else {
                                       // It went on as if the load had not been tried.
                                       SmallRun other(200, settings);
                                       other.step(4);
                                       ASSERT_EQ(before, other.bits());
                                       other.optimizer->step();
                                       ASSERT_EQ(run.bits(), other.bits()) << said;
                                     }
                                   }
                                   ASSERT_EQ(memory.open_count(), 0u);
                                   faulty.before = [](SystemCall) { return 0; };
                                   take();
                                   ASSERT_EQ(run.bits(), after);
                                 });
    }
  }
  EXPECT_GT(torn, 0u);
  std::cout << points << " faults while loading, " << torn << " of them in the second reading, which the error says\n";
}

TEST(Faults, OfShortReadsAndWritesDoNotMatter) {
  const OldAndNew states;
  for (const Way& way : ways()) {
    for (std::uint64_t seed = 0; seed < 20 * repeats(); ++seed) {
      MemorySystem memory = states.before(way);
      FaultySystem faulty(memory);
      std::uint64_t calls = 0;
      // One byte at a time, or any number.
      faulty.most = [&](std::size_t bytes) {
        return seed == 0 ? std::size_t{1} : 1 + random_bits(seed << 32 | calls++) % bytes;
      };
      const UseSystem use(faulty);
      way.save(states.newer);
      SmallRun reader;
      EXPECT_EQ(loaded(way, reader), states.new_bits) << way.name;
    }
  }
}

// Some can neither reserve memory for a file nor lock it.
TEST(Faults, OfFileSystemsThatCannotDoNotMatter) {
  struct Missing {
    SystemCall call;
    int error;
  };
  constexpr Missing kMissing[] = {{SystemCall::allocate, EOPNOTSUPP}, {SystemCall::allocate, ENOSYS},
                                  {SystemCall::allocate, EINVAL},     {SystemCall::lock, ENOLCK},
                                  {SystemCall::lock, EOPNOTSUPP},     {SystemCall::lock, ENOSYS}};
  const OldAndNew states;
  SmallRun reader;
  for (const Way& way : ways()) {
    for (const Missing& missing : kMissing) {
      MemorySystem memory(kFolder);
      FaultySystem faulty(memory);
      faulty.before = [&](SystemCall call) { return call == missing.call ? missing.error : 0; };
      const UseSystem use(faulty);
      way.save(states.newer);
      EXPECT_EQ(loaded(way, reader), states.new_bits) << way.name << ", error " << missing.error;
    }
  }
}

// Who looks for orphans finds a new file before it is locked, and removes it: another one is made.
TEST(Faults, OfAFileThatIsRemovedBeforeItIsLockedDoNotMatter) {
  const OldAndNew states;
  SmallRun reader;
  for (const Way& way : ways()) {
    MemorySystem memory(kFolder);
    FaultySystem faulty(memory);
    bool removed = false;
    faulty.before = [&](SystemCall call) {
      if (call != SystemCall::lock || removed) return 0;
      for (auto& [folder, names] : memory.files.folders) {
        removed = std::erase_if(names, [](const auto& name) { return name.first.ends_with(".tmp"); }) > 0 || removed;
      }
      return 0;
    };
    const UseSystem use(faulty);
    way.save(states.newer);
    EXPECT_TRUE(removed) << way.name;
    EXPECT_EQ(loaded(way, reader), states.new_bits) << way.name;
  }
}

TEST(Faults, OfAFileThatShrinksAreFound) {
  const OldAndNew states;
  for (const Way& way : ways()) {
    const MemorySystem first = states.before(way);
    std::size_t read = 0;
    for (int shrink = 1;; ++shrink, ++read) {
      MemorySystem memory(first.files);
      FaultySystem faulty(memory);
      int calls = 0;
      faulty.before = [&](SystemCall call) {
        if (call == SystemCall::read && ++calls == shrink) {
          for (auto& [file, bytes] : memory.files.contents) bytes.resize(bytes.size() / 2);
        }
        return 0;
      };
      const UseSystem use(faulty);
      SmallRun run;
      const std::string said = refusal([&] { static_cast<void>(loaded(way, run)); });
      if (calls < shrink) break;
      // The last may lie in the half that is still there.
      EXPECT_TRUE(said == "accepted" || said.starts_with("io: ")) << said;
      EXPECT_TRUE(said != "accepted" || run.bits() == states.old_bits);
    }
    EXPECT_GT(read, 5u);
  }
}

// The size that the process may write stands for a disk that is full.
TEST(Faults, OfALimitedFileSizeLeaveTheOld) {
  TemporaryFolder folder;
  const auto path = folder.path() / "run.safetensors";
  const OldAndNew states;
  save(*states.older.optimizer, path, {.params = true});
  const std::string old = contents(path);
  rlimit whole{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &whole), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t bytes = 0; bytes <= old.size() + 64; bytes += 64) {
    const rlimit less = {bytes, whole.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &less), 0);
    const std::string said = refusal([&] { save(*states.newer.optimizer, path, {.params = true}); });
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &whole), 0);
    if (said == "accepted") {
      ASSERT_GE(bytes, contents(path).size());
      save(*states.older.optimizer, path, {.params = true});
    } else {
      ASSERT_NE(said.find("File too large"), std::string::npos) << said;
      ASSERT_EQ(contents(path), old);
    }
    ASSERT_EQ(names_in(folder.path()).size(), 1u);
  }
  std::signal(SIGXFSZ, handler);
}

// The real system needs no memory of the process to make a file.
class FileMakingSystem final : public MemorySystem {
 public:
  using MemorySystem::MemorySystem;
  int open_at(int folder, const char* name, int flags, mode_t mode) override {
    const long own = std::exchange(left, kEnough);
    const int number = MemorySystem::open_at(folder, name, flags, mode);
    left = own;
    return number;
  }
};

// In this thread: what a background thread allocates does not fail here.
TEST(Faults, OfMemoryChangeNothing) {
  const OldAndNew states;
  std::size_t points = 0;
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name);
    const MemorySystem first = states.before(way);
    for (const bool saving : {true, false}) {
      for (const bool other_formats : {false, true}) {
        if (saving && other_formats) continue;
        const Settings settings =
            other_formats ? Settings{.weights = WeightFormat::plain} : Settings{.weights = WeightFormat::split16};
        SmallRun run(200, settings);
        const std::string before = run.step(3).bits();
        SmallRun reader;
        for (long failures = 0;; ++failures) {
          FileMakingSystem memory(first.files);
          const UseSystem use(memory);
          bool done = false;
          left = failures;
          try {
            if (saving) {
              way.save(run);
            } else if (way.of_run) {
              Checkpoints(kRun).load_newest(*run.optimizer, {.params = true, .round = true});
            } else {
              load(*run.optimizer, kPath, {.params = true, .round = true});
            }
            done = true;
          } catch (const std::bad_alloc&) {
          }
          left = kEnough;
          ASSERT_EQ(memory.open_count(), 0u);
          ASSERT_EQ(temporary_files(memory.files), 0u) << "allocation " << failures;
          if (done) break;
          ++points;
          ASSERT_EQ(run.bits(), before) << "allocation " << failures;
          const std::string now = loaded(way, reader);
          ASSERT_TRUE(now == states.old_bits || (saving && now == states.new_bits)) << "allocation " << failures;
          if (saving) {
            way.save(run);
            ASSERT_EQ(temporary_files(memory.files), 0u);
            ASSERT_EQ(loaded(way, reader), states.new_bits);
          }
        }
      }
    }
  }
  std::cout << points << " failed allocations\n";
}

}  // namespace
}  // namespace adamant::testing
