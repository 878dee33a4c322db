// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How much memory an optimizer takes, as the allocator counts it, for a model of the size of GPT-2 (124 million).
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <adamant/adamant.hpp>
#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>
#include <string>
#include <vector>

namespace {

// What operator new has handed out, now and at most since the last reset.
std::atomic<std::size_t> held, most;
// What mmap has; the allocator has its own.
std::atomic<std::size_t> mapped;

}  // namespace

extern "C" void* mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  const long result = syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
  if (result == -1) return MAP_FAILED;
  mapped += bytes;
  return reinterpret_cast<void*>(result);
}
extern "C" int munmap(void* at, std::size_t bytes) noexcept {
  mapped -= bytes;
  return static_cast<int>(syscall(SYS_munmap, at, bytes));
}

// Not inlined, or GCC takes malloc and operator delete for a pair that does not belong together.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = held += malloc_usable_size(memory);
  std::size_t seen = most;
  while (now > seen && !most.compare_exchange_weak(seen, now)) {
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  held -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace adamant {
namespace {

std::size_t allocated() {
  const struct mallinfo2 all = mallinfo2();
  return all.uordblks + all.hblkhd + mapped;
}

// The tensors of GPT-2 small (Radford et al. 2019): embeddings, twelve layers, the last norm.
std::vector<std::pair<std::string, std::vector<std::size_t>>> shapes() {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> all = {{"wte", {50257, 768}}, {"wpe", {1024, 768}}};
  for (int layer = 0; layer < 12; ++layer) {
    const std::string name = "h" + std::to_string(layer) + ".";
    const std::pair<const char*, std::vector<std::size_t>> kLayer[] = {
        {"ln_1.weight", {768}},           {"ln_1.bias", {768}},
        {"attn.weight", {768, 2304}},     {"attn.bias", {2304}},
        {"attn.proj.weight", {768, 768}}, {"attn.proj.bias", {768}},
        {"ln_2.weight", {768}},           {"ln_2.bias", {768}},
        {"mlp.weight", {768, 3072}},      {"mlp.bias", {3072}},
        {"mlp.proj.weight", {3072, 768}}, {"mlp.proj.bias", {768}}};
    for (const auto& [part, shape] : kLayer) all.emplace_back(name + part, shape);
  }
  all.emplace_back("ln_f.weight", std::vector<std::size_t>{768});
  all.emplace_back("ln_f.bias", std::vector<std::size_t>{768});
  return all;
}

TEST(Memory, IsWhatThePresetsPromise) {
  const std::pair<const char*, double> kPromised[] = {{"q8", 5.03}, {"q8-lite", 4.03}, {"b16", 7.08}, {"f32", 12.08}};
  for (const auto& [name, promised] : kPromised) {
    std::vector<std::vector<bf16>> weights, grads;
    std::vector<Param> params;
    std::size_t count = 0;
    for (const auto& [tensor, shape] : shapes()) {
      const std::size_t size = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies());
      count += size;
      weights.emplace_back(size);
      grads.emplace_back(size);
    }
    ASSERT_EQ(count, 124'439'808u);
    const auto all = shapes();
    for (std::size_t i = 0; i < all.size(); ++i) params.emplace_back(all[i].first, weights[i], grads[i], all[i].second);
    Settings settings = preset(name);
    settings.threads = 2;
    settings.max_norm = 1.0;

    const std::size_t before = allocated();
    Optimizer optimizer(Rule::adamw, std::move(params), {}, settings);
    const double bytes = static_cast<double>(allocated() - before) / static_cast<double>(count) + sizeof(bf16);
    EXPECT_LE(bytes, promised) << name;
    // The allocator takes up to 2 MiB more for memory that starts at a huge page, and never touches it.
    EXPECT_NEAR(optimizer.bytes_per_parameter(), bytes, 0.06) << name;
    std::printf("%s: %.4f bytes a parameter allocated\n", name, bytes);

    optimizer.step();  // starts the threads
    const std::size_t at_rest = held;
    most = at_rest;
    optimizer.step();
    EXPECT_LE(most - at_rest, static_cast<std::size_t>(settings.threads) << 16) << name;
    EXPECT_EQ(held, at_rest);
    std::printf("%s: %zu bytes during a step\n", name, most - at_rest);
  }
}

}  // namespace
}  // namespace adamant
