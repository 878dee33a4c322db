// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Checkpoints: everything that an optimizer knows, in safetensors files that are complete or not there.
// docs/checkpoints.md describes the files, docs/reliability.md what they withstand.
#pragma once

#include <adamant/export.h>

#include <adamant/format.hpp>
#include <adamant/optimizer.hpp>
#include <adamant/safetensors.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace adamant {

struct SaveOptions {
  /// Writes the parameters, too. Weights are then bits of the parameter, and low-order bits beside the states.
  bool params = false;
  /// Text of yours that goes with the state: epoch, position in the data, a schedule. Keys do not begin with "adamant".
  Metadata metadata{};
  /// Tensors beyond this go to further files, "NAME-CHECKSUM-00001-of-00002.safetensors" beside the first, which names
  /// them and is written last. A tensor is never divided. 0: one file.
  std::uint64_t max_file_bytes = 0;
};

/// Writes what the optimizer knows; not its gradients and settings, but for formats and seed. The same state gives the
/// same bytes. Planes are written from where they lie. When the call returns, the file outlasts a power cut; if it
/// throws, or if the process or the machine dies meanwhile, what the path had before is whole, or the new file is. The
/// folder must exist. Several files (max_file_bytes) must not be saved to one path by two processes at once.
/// Throws Error: io naming the path and what the system says, invalid_argument for metadata that is refused, busy.
ADAMANT_EXPORT void save(const Optimizer& optimizer, const std::filesystem::path& path,
                         const SaveOptions& options = {});

/// What a checkpoint contains.
struct CheckpointInfo {
  StateDescription state;                            ///< all but the planes
  StateFormat state_format = StateFormat::f32;       ///< of the settings; small tensors may have another
  WeightFormat weight_format = WeightFormat::plain;  ///< of the settings
  bool params = false;                               ///< does it have the parameters?
  Metadata metadata;                                 ///< what SaveOptions had
  std::vector<std::filesystem::path> files;          ///< the one of that path first
  std::vector<SafetensorsEntry> entries;             ///< of all files
  std::uint64_t bytes = 0;                           ///< of all files
};

/// Describes a checkpoint, without reading its planes. Throws Error (io) for what is no checkpoint, or is damaged as
/// far as the headers tell.
[[nodiscard]] ADAMANT_EXPORT CheckpointInfo inspect(const std::filesystem::path& path);
/// Reads all files of a checkpoint and compares their checksums. Throws Error (io).
ADAMANT_EXPORT void verify(const std::filesystem::path& path);

struct LoadOptions {
  /// Reads the parameters, too. Refused (not_found) where the file has none.
  bool params = false;
  /// States and weights of another format are converted if that is exact, to f32 states for instance. Where it rounds,
  /// the checkpoint is refused (mismatch) unless this is set.
  bool round = false;
};

/// Takes a checkpoint over. The optimizer has the same tensors, by name and shape, in the same groups with the same
/// rules; options, step counts, seed and states are those of the file afterwards, and a run that continues has the bits
/// of one that never stopped. Everything is read and checked first, then read into its place; no second copy of the
/// states is in memory, unless formats are converted. Throws Error: io for a file that is damaged or no checkpoint,
/// mismatch for one that is not of this optimizer, busy. Then nothing has changed; only if the file itself changes or
/// fails between the two readings, states (and parameters) are mixed, which the error says, and the optimizer waits for
/// a load that succeeds.
ADAMANT_EXPORT CheckpointInfo load(Optimizer& optimizer, const std::filesystem::path& path,
                                   const LoadOptions& options = {});

struct CheckpointsOptions {
  /// As many stay; older ones are removed once a newer one is on the disk. At least 1.
  std::size_t keep = 2;
  bool params = false;               ///< as in SaveOptions
  std::uint64_t max_file_bytes = 0;  ///< as in SaveOptions
};

/// Checkpoints of one run in a folder of their own, "step-000000001000.safetensors", by Optimizer::steps. One process
/// writes to it at a time; others may list and load meanwhile. Not to be called from two threads at once. In a child
/// process made by fork() while a checkpoint was being saved in the background, all calls but list() are refused (io).
class ADAMANT_EXPORT Checkpoints {
 public:
  /// Makes the folder if it is not there, and removes the temporary files of processes that died; what else they have
  /// left, the next call that writes or removes takes away. A folder that is moved later goes on to be written to.
  /// Throws Error (io).
  explicit Checkpoints(std::filesystem::path folder, const CheckpointsOptions& options = {});
  Checkpoints(Checkpoints&&) noexcept;
  Checkpoints& operator=(Checkpoints&&) noexcept;
  /// Waits for what is still being written; here errors are silent.
  ~Checkpoints();

  /// save(), then removes the oldest beyond `keep`. Throws what save() throws, and the failure of the one before if
  /// that was saved in the background. Refuses (mismatch) fewer steps than the newest has: a run that goes on from an
  /// older one removes the newer ones first, by remove_after().
  void save(const Optimizer& optimizer, const Metadata& metadata = {});
  /// Copies the state (and the parameters, if they are saved), and returns; another thread writes the copy while the
  /// run goes on. One at a time: waits until the one before is written. Throws its failure, then nothing was begun.
  void save_in_background(const Optimizer& optimizer, const Metadata& metadata = {});
  /// Waits until all is written, and throws what went wrong.
  void wait();

  struct Item {
    std::uint64_t steps;
    std::filesystem::path path;
  };
  /// Oldest first. Refuses (io), as load_newest() does, where the folder's path leads to another one by now.
  [[nodiscard]] std::vector<Item> list() const;
  /// Loads the newest, if there is one.
  std::optional<CheckpointInfo> load_newest(Optimizer& optimizer, const LoadOptions& options = {});
  /// Removes those of more steps.
  void remove_after(std::uint64_t steps);
  /// Removes all.
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adamant
