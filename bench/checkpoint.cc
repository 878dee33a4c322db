// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What saving and loading a checkpoint takes beside a plain write and fsync, or read, of as many bytes in the same
// folder: adamant_bench_checkpoint FOLDER [MEBI], for MEBI Mi parameters (64) in the preset q8, with the parameters.
// Prints each round, the medians of the ratios, and the memory that was needed beyond the state.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <adamant/adamant.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <vector>

namespace {

template <class Call>
double seconds(const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// KiB.
long peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// `bytes` bytes, from the beginning of the memory again and again.
void plain_write(const std::filesystem::path& path, std::span<const std::byte> memory, std::uint64_t bytes) {
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  while (bytes > 0) {
    const ssize_t put = write(file, memory.data(), std::min<std::uint64_t>(bytes, memory.size()));
    if (put <= 0) std::abort();
    bytes -= static_cast<std::uint64_t>(put);
  }
  if (fsync(file) != 0 || close(file) != 0) std::abort();
}

void plain_read(const std::filesystem::path& path, std::span<std::byte> memory) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (read(file, memory.data(), memory.size()) > 0) {
  }
  close(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [MEBI]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const std::filesystem::path ours = folder / "adamant-bench.safetensors", theirs = folder / "adamant-bench.bin";
  const std::size_t size = static_cast<std::size_t>(argc > 2 ? std::atol(argv[2]) : 64) << 20;
  std::vector<adamant::bf16> weights(size, adamant::bf16(0.5f)), grads(size, adamant::bf16(0.01f));
  adamant::AdamW optimizer({{"w", weights, grads}}, {}, adamant::preset("q8"));
  optimizer.step();
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  const long before = peak_memory();
  constexpr int kRounds = 9;
  std::vector<double> writes, reads;
  for (int round = 0; round < kRounds; ++round) {
    const double save = seconds([&] { adamant::save(optimizer, ours, {.params = true}); });
    const auto bytes = std::filesystem::file_size(ours);
    const double write = seconds([&] { plain_write(theirs, std::as_bytes(std::span(weights)), bytes); });
    const double load = seconds([&] { adamant::load(optimizer, ours, {.params = true}); });
    const double read = seconds([&] { plain_read(theirs, buffer); });
    std::filesystem::remove(theirs);
    std::printf("%.0f MB: save %.3f s, write and fsync %.3f s; load %.3f s, read %.3f s\n",
                static_cast<double>(bytes) / 1e6, save, write, load, read);
    writes.push_back(write / save);
    reads.push_back(read / load);
  }
  std::filesystem::remove(ours);
  std::printf(
      "medians: saving has %.2f of the speed of write and fsync, loading %.2f of that of reading; "
      "memory beyond the state: %ld KiB\n",
      median(writes), median(reads), peak_memory() - before);
}
