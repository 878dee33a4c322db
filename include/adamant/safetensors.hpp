// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Files of named tensors in the safetensors format, as Hugging Face defines it: 8 bytes that say how long the header is
// (little endian), the header in JSON, and the tensors' elements without gaps. docs/checkpoints.md has the details.
#pragma once

#include <adamant/export.h>

#include <adamant/error.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// How one element is stored.
struct SafetensorsType {
  std::string_view name;  ///< "F32", "BF16", "U8", ...
  std::size_t bits;
};
/// All types that the format has.
[[nodiscard]] ADAMANT_EXPORT std::span<const SafetensorsType> safetensors_types() noexcept;

/// A tensor in a file.
struct SafetensorsEntry {
  std::string name;
  SafetensorsType type;
  std::vector<std::size_t> shape;  ///< empty for a single number
  std::uint64_t offset = 0;        ///< bytes from the first tensor's first
  std::uint64_t bytes = 0;
};

/// Text that describes a file, by its key.
using Metadata = std::map<std::string, std::string>;

/// An open file. Nothing in it is trusted: the header is read strictly, every number is compared with the size of the
/// file before memory is taken for it, and no code or pickle is read. Throws Error (io) naming the file and what is
/// wrong with it. Files that save_safetensors() wrote have checksums, which are compared; other programs' have none.
class ADAMANT_EXPORT SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;
  ~SafetensorsFile();

  /// In the order in which they lie in the file.
  [[nodiscard]] const std::vector<SafetensorsEntry>& entries() const;
  /// Throws Error (not_found).
  [[nodiscard]] const SafetensorsEntry& entry(std::string_view name) const;
  /// Without that of the checksums.
  [[nodiscard]] const Metadata& metadata() const;
  [[nodiscard]] std::uint64_t size() const;  ///< bytes of the file
  [[nodiscard]] bool has_checksums() const;
  /// Number of the header's checksum, which covers all others and so all of the file. Throws Error (io) where the file
  /// has none.
  [[nodiscard]] std::uint64_t checksum() const;
  /// Fills `to` with bytes of an entry of this file, from its byte `first` on. Not from two threads at once.
  void read(const SafetensorsEntry& entry, std::uint64_t first, std::span<std::byte> to);
  /// Reads all of the file and compares its checksums. Throws Error (io) where they differ or are missing.
  void verify();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A tensor to be written. The bytes are its elements, little endian.
struct SafetensorsTensor {
  std::string name;
  std::string_view type;  ///< "F32"
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes a file with checksums. The same tensors and metadata give the same bytes. Until the new file is complete and
/// on the disk, an old one of that name stays. Throws Error: io, naming the path and what the system says; duplicate,
/// mismatch or invalid_argument for tensors that are no file: names given twice, sizes that are not those of the shape,
/// names that are not UTF-8, have a control character or are "__metadata__", metadata that is not UTF-8 or has a key
/// that is "adamant" or begins with "adamant.".
ADAMANT_EXPORT void save_safetensors(const std::filesystem::path& path, std::span<const SafetensorsTensor> tensors,
                                     const Metadata& metadata = {});

}  // namespace adamant
