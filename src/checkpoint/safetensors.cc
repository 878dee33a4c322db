// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Reading and writing safetensors files.
#include <adamant/safetensors.hpp>
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/held.h"
#include "base/text.h"
#include "checkpoint/checksums.h"
#include "checkpoint/files.h"
#include "checkpoint/header.h"
#include "checkpoint/writing.h"

namespace adamant {

using checkpoint::chunks_of;
using checkpoint::File;
using checkpoint::Header;
using checkpoint::kChunk;
using checkpoint::kHexDigits;
using checkpoint::kLengthBytes;
using checkpoint::Wrong;

namespace {

constexpr std::string_view kChecksums = "adamant.checksums", kHeader = "adamant.header";
// This and what follows it after a dot are the library's own.
constexpr std::string_view kOwn = "adamant";
bool is_own(std::string_view key) {
  return key.starts_with(kOwn) && (key.size() == kOwn.size() || key[kOwn.size()] == '.');
}

std::uint64_t chunks_of_all(std::span<const SafetensorsEntry> entries) {
  std::uint64_t count = 0;
  for (const SafetensorsEntry& entry : entries) count += chunks_of(entry.bytes);
  return count;
}

// The digits of the header's own checksum in the header. It is made, and compared, with zeros in their place.
std::optional<std::size_t> own_digits(std::string_view text) {
  const std::string before = "\"" + std::string(kHeader) + "\":\"";
  const std::size_t found = text.find(before);
  if (found == std::string_view::npos || text.find(before, found + 1) != std::string_view::npos) return {};
  return found + before.size();
}

// Of the length and the header.
std::uint64_t header_checksum(std::string text, std::size_t digits) {
  std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(digits), kHexDigits, '0');
  const auto length = checkpoint::length_bytes(text.size());
  text.insert(0, reinterpret_cast<const char*>(length.data()), length.size());
  return checkpoint::checksum_of(std::as_bytes(std::span(text)));
}

}  // namespace

struct [[gnu::visibility("hidden")]] SafetensorsFile::Impl {
  explicit Impl(const std::filesystem::path& path) : file(path) {
    try {
      read_header();
    } catch (const Wrong& wrong) {
      fail(wrong.why);
    }
    for (const SafetensorsEntry& entry : header.entries) {
      first_chunks.push_back(count);
      count += chunks_of(entry.bytes);
    }
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::io, printable(file.path().native()) + ": " + why);
  }

  void read_header() {
    std::array<std::byte, kLengthBytes> bytes{};
    if (file.size() < bytes.size()) {
      throw Wrong{"has " + std::to_string(file.size()) + " bytes: too short for a safetensors file"};
    }
    file.read(0, bytes);
    const std::uint64_t length = checkpoint::length_from(bytes);
    const std::uint64_t most = std::min<std::uint64_t>(checkpoint::kMostHeader, file.size() - kLengthBytes);
    if (length > most) {
      throw Wrong{"claims a header of " + std::to_string(length) + " bytes, must have at most " + std::to_string(most)};
    }
    std::string text(length, '\0');
    file.read(kLengthBytes, std::as_writable_bytes(std::span(text)));
    data = kLengthBytes + length;
    header = checkpoint::parse_header(text, file.size() - data);
    read_checksums(text);
  }

  void read_checksums(const std::string& text) {
    auto sums = header.metadata.extract(std::string(kChecksums));
    auto own = header.metadata.extract(std::string(kHeader));
    for (const auto& [key, value] : header.metadata) {
      if (key != kOwn && is_own(key)) throw Wrong{"has unknown metadata " + printable(key)};
    }
    if (!sums && !own) return;
    if (!sums || !own) throw Wrong{"has only one of its checksums"};
    const std::optional<std::size_t> digits = own_digits(text);
    const std::optional<std::uint64_t> stored = checkpoint::from_hex(own.mapped());
    if (!digits || !stored || header_checksum(text, *digits) != *stored) {
      throw Wrong{"the header's checksum is wrong: the file is damaged or was changed"};
    }
    checksums = checkpoint::checksums_from(sums.mapped(), chunks_of_all(header.entries));
    if (!checksums) throw Wrong{"the checksums are not those of its tensors"};
    checksum = *stored;
  }

  /// Where the entry is in the list.
  [[nodiscard]] std::size_t index_of(const SafetensorsEntry& entry) const {
    const auto found =
        std::ranges::lower_bound(header.entries, std::tuple(entry.offset, entry.bytes), {},
                                 [](const SafetensorsEntry& other) { return std::tuple(other.offset, other.bytes); });
    for (auto at = found; at != header.entries.end() && at->offset == entry.offset; ++at) {
      if (at->name == entry.name && at->bytes == entry.bytes) {
        return static_cast<std::size_t>(at - header.entries.begin());
      }
    }
    throw Error(ErrorCode::not_found,
                "tensor " + printable(entry.name) + " is not one of " + printable(file.path().native()));
  }

  void read_chunk(const SafetensorsEntry& entry, std::size_t index, std::uint64_t chunk, std::span<std::byte> to) {
    file.read(data + entry.offset + chunk * kChunk, to);
    if (checksums && checkpoint::checksum_of(to) != (*checksums)[first_chunks[index] + chunk]) {
      fail("tensor " + printable(entry.name) + " is damaged: the checksum of its bytes from " +
           std::to_string(chunk * kChunk) + " on is wrong");
    }
  }

  /// A whole chunk, of those that were read last.
  const std::vector<std::byte>& kept_chunk(const SafetensorsEntry& entry, std::size_t index, std::uint64_t chunk) {
    for (const Kept& one : kept) {
      if (one.index == index && one.chunk == chunk && !one.bytes.empty()) return one.bytes;
    }
    Kept& one = kept[next_kept];
    next_kept = (next_kept + 1) % kept.size();
    one.bytes.resize(std::min<std::uint64_t>(kChunk, entry.bytes - chunk * kChunk));
    try {
      read_chunk(entry, index, chunk, one.bytes);
    } catch (...) {
      one.bytes.clear();
      throw;
    }
    one.index = index;
    one.chunk = chunk;
    return one.bytes;
  }

  void read(const SafetensorsEntry& entry, std::uint64_t first, std::span<std::byte> to) {
    const std::size_t index = index_of(entry);
    if (first > entry.bytes || to.size() > entry.bytes - first) {
      throw Error(ErrorCode::invalid_argument,
                  "bytes " + std::to_string(first) + " to " + std::to_string(first + to.size()) + " of tensor " +
                      printable(entry.name) + " are asked for: it has " + std::to_string(entry.bytes));
    }
    if (!checksums) return file.read(data + entry.offset + first, to);
    while (!to.empty()) {
      const std::uint64_t chunk = first / kChunk;
      const std::uint64_t size = std::min<std::uint64_t>(kChunk, entry.bytes - chunk * kChunk);
      const std::size_t skipped = first % kChunk;
      const std::size_t part = std::min<std::uint64_t>(to.size(), size - skipped);
      if (part == size) {
        read_chunk(entry, index, chunk, to.first(part));
      } else {
        std::memcpy(to.data(), kept_chunk(entry, index, chunk).data() + skipped, part);
      }
      to = to.subspan(part);
      first += part;
    }
  }

  struct Kept {
    std::size_t index = 0;
    std::uint64_t chunk = 0;
    std::vector<std::byte> bytes;
  };

  File file;
  Header header;
  std::uint64_t data = 0;  // offset of the first tensor
  std::optional<std::vector<std::uint64_t>> checksums;
  std::uint64_t checksum = 0;
  std::vector<std::uint64_t> first_chunks;  // of each entry
  std::uint64_t count = 0;
  // Who reads the planes of a tensor side by side comes back to each of them.
  std::array<Kept, 8> kept;
  std::size_t next_kept = 0;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

const std::vector<SafetensorsEntry>& SafetensorsFile::entries() const {
  return held(impl_, "safetensors file").header.entries;
}

const SafetensorsEntry& SafetensorsFile::entry(std::string_view name) const {
  const std::vector<SafetensorsEntry>& all = entries();
  const auto found = std::ranges::find(all, name, &SafetensorsEntry::name);
  if (found != all.end()) return *found;
  throw Error(ErrorCode::not_found, printable(impl_->file.path().native()) + " has no tensor " + printable(name));
}

const Metadata& SafetensorsFile::metadata() const { return held(impl_, "safetensors file").header.metadata; }
std::uint64_t SafetensorsFile::size() const { return held(impl_, "safetensors file").file.size(); }
bool SafetensorsFile::has_checksums() const { return held(impl_, "safetensors file").checksums.has_value(); }

std::uint64_t SafetensorsFile::checksum() const {
  if (!has_checksums()) impl_->fail("has no checksums");
  return impl_->checksum;
}

void SafetensorsFile::read(const SafetensorsEntry& entry, std::uint64_t first, std::span<std::byte> to) {
  held(impl_, "safetensors file").read(entry, first, to);
}

void SafetensorsFile::verify() {
  static_cast<void>(checksum());
  std::vector<std::byte> bytes(kChunk);
  for (std::size_t index = 0; index < entries().size(); ++index) {
    const SafetensorsEntry& entry = entries()[index];
    for (std::uint64_t chunk = 0; chunk < chunks_of(entry.bytes); ++chunk) {
      const std::uint64_t size = std::min<std::uint64_t>(kChunk, entry.bytes - chunk * kChunk);
      impl_->read_chunk(entry, index, chunk, std::span(bytes).first(size));
    }
  }
}

void save_safetensors(const std::filesystem::path& path, std::span<const SafetensorsTensor> tensors,
                      const Metadata& metadata) {
  checkpoint::check_metadata(metadata);
  const checkpoint::Place place = checkpoint::place_of(path);
  checkpoint::Written written = checkpoint::write_safetensors(place.folder, place.name, tensors, metadata);
  written.file.rename(place.name);
  place.folder.sync();
  place.folder.remove_orphans();
}

}  // namespace adamant

namespace adamant::checkpoint {
namespace {

// Hands small pieces over together.
class Buffered {
 public:
  Buffered(NewFile& file, std::uint64_t offset) : file_(file), offset_(offset) { waiting_.reserve(kChunk); }

  void add(std::span<const std::byte> bytes) {
    if (waiting_.size() + bytes.size() > kChunk) flush();
    if (bytes.size() < kChunk) {
      waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
      return;
    }
    put(bytes);
  }
  void flush() {
    put(waiting_);
    waiting_.clear();
  }

 private:
  void put(std::span<const std::byte> bytes) {
    file_.write(offset_, bytes);
    offset_ += bytes.size();
  }

  NewFile& file_;
  std::uint64_t offset_;
  std::vector<std::byte> waiting_;
};

// Where each tensor comes to lie: those of wide elements first, so that all of them are aligned, then by name.
Header laid_out(std::vector<const SafetensorsTensor*>& tensors) {
  std::ranges::sort(tensors, {}, [](const SafetensorsTensor* tensor) {
    return std::tuple(-static_cast<std::ptrdiff_t>(type_of(tensor->type).bits), std::string_view(tensor->name));
  });
  Header header;
  std::uint64_t offset = 0;
  std::unordered_set<std::string_view> names;
  for (const SafetensorsTensor* tensor : tensors) {
    const std::string what = "tensor " + printable(tensor->name);
    if (tensor->name == "__metadata__" || !is_utf8(tensor->name)) {
      throw Error(ErrorCode::invalid_argument, what + ": a name must be UTF-8 and not '__metadata__'");
    }
    if (checkpoint::has_control_character(tensor->name)) {
      throw Error(ErrorCode::invalid_argument, what + ": a name must not have a control character");
    }
    if (!names.insert(tensor->name).second) throw Error(ErrorCode::duplicate, what + " is given twice");
    const SafetensorsType& type = type_of(tensor->type);
    if (const std::uint64_t bytes = bytes_of_shape(tensor->shape, type); bytes != tensor->bytes.size()) {
      throw Error(ErrorCode::mismatch, what + " has " + std::to_string(tensor->bytes.size()) +
                                           " bytes but its shape has " + std::to_string(bytes));
    }
    header.entries.push_back({tensor->name, type, tensor->shape, offset, tensor->bytes.size()});
    offset += tensor->bytes.size();
  }
  return header;
}

}  // namespace

void check_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (is_own(key)) {
      throw Error(
          ErrorCode::invalid_argument,
          "metadata " + printable(key) + ": 'adamant' and keys that begin with 'adamant.' are the library's own");
    }
    if (!is_utf8(key) || !is_utf8(value)) {
      throw Error(ErrorCode::invalid_argument, "metadata " + printable(key) + " is not UTF-8");
    }
  }
}

Written write_safetensors(const Folder& folder, const std::string& name, std::span<const SafetensorsTensor> tensors,
                          const Metadata& metadata) {
  std::vector<const SafetensorsTensor*> order;
  for (const SafetensorsTensor& tensor : tensors) order.push_back(&tensor);
  Header header;
  try {
    header = laid_out(order);
  } catch (const Wrong& wrong) {
    throw Error(ErrorCode::invalid_argument, wrong.why);
  }
  header.metadata = metadata;
  // As long as it will be once the checksums are known.
  std::vector<std::uint64_t> checksums(chunks_of_all(header.entries));
  std::string& sums = header.metadata[std::string(kChecksums)] = to_text(checksums);
  header.metadata[std::string(kHeader)] = std::string(kHexDigits, '0');
  std::string text = header_text(header);
  if (text.size() > kMostHeader) {
    throw Error(ErrorCode::invalid_argument, "the header of " + printable(name) + " would have " +
                                                 std::to_string(text.size()) + " bytes, must have at most " +
                                                 std::to_string(kMostHeader));
  }
  const std::uint64_t data = kLengthBytes + text.size();
  const std::uint64_t size =
      data + (header.entries.empty() ? 0 : header.entries.back().offset + header.entries.back().bytes);

  NewFile file(folder, name, size);
  Buffered out(file, data);
  auto checksum = checksums.begin();
  for (const SafetensorsTensor* tensor : order) {
    for (std::size_t first = 0; first < tensor->bytes.size(); first += kChunk) {
      const auto chunk = tensor->bytes.subspan(first, std::min(kChunk, tensor->bytes.size() - first));
      *checksum++ = checksum_of(chunk);
      out.add(chunk);
    }
  }
  out.flush();

  sums = to_text(checksums);
  text = header_text(header);
  const std::size_t digits = own_digits(text).value();
  const std::uint64_t own = header_checksum(text, digits);
  std::string hex;
  append_hex(hex, own);
  text.replace(digits, kHexDigits, hex);
  std::vector<std::byte> head;
  std::ranges::copy(length_bytes(text.size()), std::back_inserter(head));
  std::ranges::copy(std::as_bytes(std::span(text)), std::back_inserter(head));
  file.write(0, head);
  file.sync();
  return {std::move(file), size, own};
}

}  // namespace adamant::checkpoint
