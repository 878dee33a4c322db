// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/loops.h"

#include <cmath>
#include <vector>

namespace adamant::bench {

namespace avx512 {
extern const Loops kSet;
}
namespace avx2 {
extern const Loops kSet;
}
namespace baseline {
extern const Loops kSet;
}

std::span<const Loops* const> loops() {
  static const std::vector<const Loops*> sets = [] {
    std::vector<const Loops*> found;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) found.push_back(&avx512::kSet);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::kSet);
#endif
    if (found.empty()) found.push_back(&baseline::kSet);
    return found;
  }();
  return sets;
}

AdamwScalars adamw_scalars(double lr, double beta1, double beta2, double eps, double weight_decay, std::uint64_t t) {
  const double correction1 = 1.0 - std::pow(beta1, static_cast<double>(t));
  const double correction2 = 1.0 - std::pow(beta2, static_cast<double>(t));
  const auto f32 = [](double x) { return static_cast<float>(x); };
  return {f32(beta1),
          f32(1.0 - beta1),
          f32(beta2),
          f32(1.0 - beta2),
          f32(1.0 - lr * weight_decay),
          f32(lr / correction1),
          f32(1.0 / std::sqrt(correction2)),
          f32(eps)};
}

}  // namespace adamant::bench
