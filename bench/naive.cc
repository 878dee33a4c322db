// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include "bench/loops.h"

namespace adamant::bench {

void naive_adamw(float* p, const float* g, float* m, float* v, std::size_t n, float lr, float beta1, float beta2,
                 float eps, float weight_decay, std::uint64_t t) {
  const float correction1 = 1.0f - std::pow(beta1, static_cast<float>(t));
  const float correction2 = 1.0f - std::pow(beta2, static_cast<float>(t));
  for (std::size_t i = 0; i < n; ++i) {
    m[i] = beta1 * m[i] + (1.0f - beta1) * g[i];
    v[i] = beta2 * v[i] + (1.0f - beta2) * g[i] * g[i];
    const float m_hat = m[i] / correction1;
    const float v_hat = v[i] / correction2;
    p[i] -= lr * (m_hat / (std::sqrt(v_hat) + eps) + weight_decay * p[i]);
  }
}

}  // namespace adamant::bench
