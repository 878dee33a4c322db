// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The checkpoints of a run in their folder.
#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <future>
#include <memory>
#include <system_error>

#include "base/forks.h"
#include "base/held.h"
#include "base/text.h"
#include "checkpoint/files.h"
#include "checkpoint/parts.h"
#include "checkpoint/snapshot.h"

namespace adamant {

using checkpoint::Folder;
using checkpoint::Snapshot;

namespace {

constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";

std::string name_of(std::uint64_t steps) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%012llu", static_cast<unsigned long long>(steps));
  return std::string(kPrefix).append(digits).append(kSuffix);
}

// Nothing for a name that name_of() does not make.
std::optional<std::uint64_t> steps_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return {};
  const std::string_view digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t steps = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), steps);
  if (error != std::errc() || end != digits.data() + digits.size() || name_of(steps) != name) return {};
  return steps;
}

/// A copy of a state, that outlives it.
class Copy {
 public:
  explicit Copy(const Snapshot& from) : snapshot_(from) {
    for (auto& [name, entry] : snapshot_.dict.tensors) {
      keep(entry.weight_bits);
      for (auto& [state, its] : entry.states) {
        keep(its.bytes);
        keep(its.exponents);
      }
    }
    for (auto& [name, param] : snapshot_.params) {
      std::span bytes(static_cast<const std::byte*>(param.data), param.size * info(param.format).bytes);
      keep(bytes);
      param.data = const_cast<std::byte*>(bytes.data());
    }
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }

 private:
  void keep(std::span<const std::byte>& bytes) { bytes = kept_.emplace_back(bytes.begin(), bytes.end()); }

  Snapshot snapshot_;
  std::vector<std::vector<std::byte>> kept_;  // vectors keep their memory when they are moved
};

}  // namespace

struct [[gnu::visibility("hidden")]] Checkpoints::Impl {
  Impl(const std::filesystem::path& path, const CheckpointsOptions& given)
      : folder(Folder::made(absolute(path))), options(given), made_after(forks()) {
    if (options.keep == 0) throw Error(ErrorCode::invalid_argument, "Invalid keep: 0 (must be at least 1)");
    folder.remove_orphans();
  }
  // The thread that writes is gone in a process that is forked meanwhile, which would wait for it for ever.
  ~Impl() {
    if (inherited()) static_cast<void>(writing.release());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static std::filesystem::path absolute(const std::filesystem::path& path) {
    std::error_code failure;
    std::filesystem::path whole = std::filesystem::absolute(path, failure);
    if (failure) checkpoint::refuse_file(path, "cannot be made", failure.value());
    return whole;
  }

  [[nodiscard]] std::filesystem::path path_of(std::uint64_t steps) const { return folder.path() / name_of(steps); }

  [[nodiscard]] std::vector<std::uint64_t> list() const {
    std::vector<std::uint64_t> all;
    for (const std::string& name : folder.names()) {
      if (const std::optional<std::uint64_t> steps = steps_of(name)) all.push_back(*steps);
    }
    std::ranges::sort(all);
    return all;
  }

  // Of checkpoints that are not there, since a process died before it wrote the file that names them, or after it
  // removed that. Only for who writes: others cannot tell them from parts of a checkpoint that is being saved.
  void remove_stale_parts() const {
    const std::vector<std::string> names = folder.names();
    for (const std::string& name : names) {
      const std::string whole = checkpoint::whole_of(name);
      if (!whole.empty() && steps_of(whole) && std::ranges::find(names, whole) == names.end()) folder.remove(name);
    }
  }

  void remove(std::uint64_t steps) const {
    folder.remove(name_of(steps));
    folder.sync();
    checkpoint::remove_parts_but(folder, name_of(steps), {});
  }

  void check_order(std::uint64_t steps) const {
    const std::vector<std::uint64_t> all = list();
    if (all.empty() || steps >= all.back()) return;
    throw Error(ErrorCode::mismatch, "a checkpoint of " + std::to_string(steps) + " steps is to be saved in " +
                                         printable(folder.path().native()) + ", which has one of " +
                                         std::to_string(all.back()) + ": remove_after() removes newer ones");
  }

  void write(const Snapshot& snapshot) const {
    checkpoint::write(snapshot, folder, name_of(snapshot.dict.steps), options.max_file_bytes);
    std::vector<std::uint64_t> all = list();
    for (std::size_t i = 0; i + options.keep < all.size(); ++i) remove(all[i]);
    remove_stale_parts();
  }

  void wait() {
    if (inherited()) {
      throw Error(ErrorCode::io, "a checkpoint was being saved in " + printable(folder.path().native()) +
                                     " when this process was forked from the one that saves it");
    }
    if (writing->valid()) writing->get();
  }

  [[nodiscard]] bool inherited() const { return writing->valid() && forks() != made_after; }

  // The newest first: what is left is a run up to some step at every moment.
  template <class Which>
  void remove_if(const Which& which) {
    wait();
    std::vector<std::uint64_t> all = list();
    for (; !all.empty() && which(all.back()); all.pop_back()) remove(all.back());
    remove_stale_parts();
  }

  Folder folder;
  CheckpointsOptions options;
  int made_after;  // forks
  std::unique_ptr<std::future<void>> writing = std::make_unique<std::future<void>>();
};

Checkpoints::Checkpoints(std::filesystem::path folder, const CheckpointsOptions& options)
    : impl_(std::make_unique<Impl>(std::move(folder), options)) {}
Checkpoints::Checkpoints(Checkpoints&&) noexcept = default;
Checkpoints& Checkpoints::operator=(Checkpoints&&) noexcept = default;
Checkpoints::~Checkpoints() = default;

void Checkpoints::save(const Optimizer& optimizer, const Metadata& metadata) {
  Impl& self = held(impl_, "checkpoints");
  self.wait();
  checkpoint::use_snapshot(optimizer, self.options.params, metadata, [&](const Snapshot& snapshot) {
    self.check_order(snapshot.dict.steps);
    self.write(snapshot);
  });
}

void Checkpoints::save_in_background(const Optimizer& optimizer, const Metadata& metadata) {
  Impl& self = held(impl_, "checkpoints");
  self.wait();
  std::unique_ptr<Copy> copy;
  checkpoint::use_snapshot(optimizer, self.options.params, metadata, [&](const Snapshot& snapshot) {
    self.check_order(snapshot.dict.steps);
    copy = std::make_unique<Copy>(snapshot);
  });
  try {
    *self.writing = std::async(std::launch::async, [&self, copy = std::move(copy)] { self.write(copy->snapshot()); });
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::io, std::string("no thread can be had to save in the background: ") + error.what());
  }
}

void Checkpoints::wait() { held(impl_, "checkpoints").wait(); }

std::vector<Checkpoints::Item> Checkpoints::list() const {
  const Impl& self = held(impl_, "checkpoints");
  self.folder.check_path();
  std::vector<Item> items;
  for (const std::uint64_t steps : self.list()) items.push_back({steps, self.path_of(steps)});
  return items;
}

std::optional<CheckpointInfo> Checkpoints::load_newest(Optimizer& optimizer, const LoadOptions& options) {
  Impl& self = held(impl_, "checkpoints");
  self.wait();
  self.folder.check_path();
  const std::vector<std::uint64_t> all = self.list();
  if (all.empty()) return {};
  return load(optimizer, self.path_of(all.back()), options);
}

void Checkpoints::remove_after(std::uint64_t steps) {
  held(impl_, "checkpoints").remove_if([&](std::uint64_t its) { return its > steps; });
}

void Checkpoints::clear() {
  held(impl_, "checkpoints").remove_if([](std::uint64_t) { return true; });
}

}  // namespace adamant
