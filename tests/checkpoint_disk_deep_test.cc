// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints on file systems of their own: one that is full, and one whose power is cut while a process saves. Needs
// root and loop devices.
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <adamant/checkpoint.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include "checkpoint/files.h"
#include "tests/support/checkpoint_ways.h"
#include "tests/support/files.h"
#include "tests/support/refusal.h"
#include "tests/support/saving_process.h"

namespace adamant::testing {
namespace {

namespace fs = std::filesystem;

bool runs(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

/// A file system in a file, mounted in a folder.
class Disk {
 public:
  Disk(const std::string& type, std::uint64_t bytes) {
    std::ofstream(image_) << "";
    fs::resize_file(image_, bytes);
    fs::create_directory(path_);
    is_made_ = runs("mkfs." + type + " -q " + image_.string()) && mount();
  }
  ~Disk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  [[nodiscard]] bool is_made() const { return is_made_; }
  [[nodiscard]] const fs::path& path() const { return path_; }

  bool mount() { return mounted_ = runs("mount -o loop " + image_.string() + " " + path_.string()); }
  /// As if the power were cut: nothing that is in memory reaches the disk any more, not even the journal.
  bool cut_power() {
    constexpr unsigned long kShutDown = _IOR('X', 125, std::uint32_t);
    std::uint32_t without_journal = 2;
    const checkpoint::Folder folder(path_);
    return ioctl(folder.number(), kShutDown, &without_journal) == 0;
  }
  bool unmount() { return !(mounted_ = ::umount(path_.c_str()) != 0); }

 private:
  TemporaryFolder folder_;
  fs::path image_ = folder_.path() / "image", path_ = folder_.path() / "mounted";
  bool mounted_ = false, is_made_ = false;
};

class Disks : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    // The least that mkfs.xfs makes.
    const std::uint64_t bytes = std::string(GetParam()) == "xfs" ? 300 << 20 : 16 << 20;
    if (geteuid() == 0) disk.emplace(GetParam(), bytes);
    if (!disk || !disk->is_made()) GTEST_SKIP() << "this machine does not mount a file of " << GetParam();
  }
  std::optional<Disk> disk;
};

TEST_P(Disks, ThatAreFullKeepTheOld) {
  SmallRun run(100'000), reader(100'000);
  const fs::path place = disk->path() / "run", filler = disk->path() / "filler";
  Checkpoints checkpoints(place, {.keep = 1, .params = true});
  checkpoints.save(*run.step().optimizer);
  const std::string old_bits = run.bits();
  std::ofstream file(filler, std::ios::binary);
  const std::string block(1 << 16, 'x');
  while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
  }
  file.close();
  run.step();
  for (int i = 0; i < 3; ++i) {
    EXPECT_REFUSED(ErrorCode::io, "No space left on device", checkpoints.save(*run.optimizer));
    EXPECT_EQ(names_in(place).size(), 1u);
    checkpoints.load_newest(*reader.optimizer, {.params = true});
    EXPECT_EQ(reader.bits(), old_bits);
  }
  fs::remove(filler);
  checkpoints.save(*run.optimizer);
  checkpoints.load_newest(*reader.optimizer, {.params = true});
  EXPECT_EQ(reader.bits(), run.bits());
  EXPECT_EQ(names_in(place).size(), 1u);
}

TEST_P(Disks, SurvivePowerCuts) {
  const std::size_t cuts = 30 * repeats();
  PassedStates states;
  std::uint64_t least = 0;
  const fs::path place = disk->path() / "run";
  std::size_t went_on = 0;
  // Where older ones are removed, their removal is made to last, and what was saved with it.
  const auto keep = [](std::size_t cut) { return cut % 3 == 0 ? std::size_t{2} : 1000; };
  for (std::size_t cut = 0; cut < cuts; ++cut) {
    std::uint64_t told = 0;
    {
      SavingProcess process(place, {.keep = keep(cut), .params = true, .max_file_bytes = cut % 2 == 0 ? 0u : 700u},
                            cut % 4 == 3);
      process.wait_for_save();
      std::this_thread::sleep_for(std::chrono::microseconds(random_bits(cut) % 30'000));
      ASSERT_TRUE(disk->cut_power());
      told = process.kill();
    }
    went_on += told > least;
    least = std::max(least, told);
    ASSERT_TRUE(disk->unmount());
    ASSERT_TRUE(disk->mount());
    least = std::max(least, states.expect_newest(place, least));
    if (HasFailure()) return;
  }
  EXPECT_GT(went_on, cuts / 2);
  std::cout << cuts << " power cuts of " << GetParam() << ", " << least << " steps\n";
}

INSTANTIATE_TEST_SUITE_P(Of, Disks, ::testing::Values("ext4", "xfs"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace adamant::testing
