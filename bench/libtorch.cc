// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What changing one type gives a libtorch program: the time of a step of torch::optim::AdamW and of
// adamant::libtorch::AdamW, f32, interleaved. Prints the least times and their ratio; an argument is the largest size
// in units of 2^20 parameters (64 if there is none).
#include <torch/torch.h>

#include <adamant/torch.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

namespace {

std::vector<torch::Tensor> params(std::int64_t tensors, std::int64_t size) {
  std::vector<torch::Tensor> made;
  for (std::int64_t i = 0; i < tensors; ++i) {
    made.push_back(torch::randn({size}).requires_grad_());
    made.back().mutable_grad() = torch::randn({size});
  }
  return made;
}

double seconds(torch::optim::Optimizer& optimizer, int steps) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < steps; ++i) optimizer.step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / steps;
}

void compare(const char* what, std::int64_t tensors, std::int64_t size, int rounds, int steps) {
  torch::optim::AdamW theirs(params(tensors, size), torch::optim::AdamWOptions(1e-3));
  adamant::libtorch::AdamW ours(params(tensors, size), adamant::libtorch::AdamWOptions(1e-3));
  adamant::libtorch::AdamW unchecked(params(tensors, size), adamant::libtorch::AdamWOptions(1e-3),
                                     {.nonfinite = adamant::NonFinite::propagate});
  torch::optim::Optimizer* const optimizers[] = {&theirs, &ours, &unchecked};
  double least[3];
  std::fill(least, least + 3, std::numeric_limits<double>::max());
  for (int round = 0; round <= rounds; ++round) {
    for (int k = 0; k < 3; ++k) {
      const double time = seconds(*optimizers[k], steps);
      if (round > 0) least[k] = std::min(least[k], time);  // the first round allocates
    }
  }
  const double n = static_cast<double>(tensors * size);
  std::printf("%-14s torch %8.3f ns, adamant %7.3f ns per parameter: ratio %5.1f; without the check for NaN: %5.1f\n",
              what, least[0] / n * 1e9, least[1] / n * 1e9, least[0] / least[1], least[0] / least[2]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t mebi = argc > 1 ? std::atol(argv[1]) : 64;
  compare("1000 x 4096", 1000, 4096, 15, 5);
  compare(("1 x " + std::to_string(mebi) + "Mi").c_str(), 1, mebi << 20, 8, 1);
}
