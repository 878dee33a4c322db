// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The mutator of run logs, as afl-fuzz calls it. Changes of bytes are left to afl-fuzz, which makes its own besides.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

extern "C" {

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed);

std::size_t LLVMFuzzerMutate(std::uint8_t* /*data*/, std::size_t /*size*/, std::size_t /*max_size*/) {
  return 0;  // nothing that should be run
}

struct AflMutator {
  std::minstd_rand random;
  std::vector<std::uint8_t> changed;
};

void* afl_custom_init(void* /*afl*/, unsigned int seed) {
  return std::make_unique<AflMutator>(AflMutator{std::minstd_rand(seed), {}}).release();
}

std::size_t afl_custom_fuzz(AflMutator* mutator, std::uint8_t* data, std::size_t size, std::uint8_t** changed,
                            std::uint8_t* /*other*/, std::size_t /*other_size*/, std::size_t max_size) {
  mutator->changed.resize(max_size);
  std::copy_n(data, std::min(size, max_size), mutator->changed.begin());
  *changed = mutator->changed.data();
  return LLVMFuzzerCustomMutator(*changed, std::min(size, max_size), max_size,
                                 static_cast<unsigned int>(mutator->random()));
}

void afl_custom_deinit(AflMutator* mutator) { std::unique_ptr<AflMutator>(mutator).reset(); }

}  // extern "C"
