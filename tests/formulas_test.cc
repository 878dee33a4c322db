// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Every formula as docs/numerics.md writes it down, operation by operation, against the engine: the same bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "tests/support/buffers.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

double power(double base, std::uint64_t t) {
  double result = 1.0;
  for (; t != 0; t >>= 1, base *= base) result = (t & 1) != 0 ? result * base : result;
  return result;
}

/// One element in the arithmetic of T. (This file is compiled without contraction, as the engine is.)
template <class T>
struct Element {
  static constexpr T kLargest = std::numeric_limits<T>::max();
  static constexpr T kLargestGradient = sizeof(T) == 4 ? T(0x1p63) : T(0x1p511);
  T theta = 0, m = 0, v = 0, a = 0, b = 0, largest = 0;

  // Below this, squares of gradients are lost in a second moment to which they add `fresh` times.
  static T divisor(double eps, double fresh) {
    return T(std::max(eps, std::sqrt(double{std::numeric_limits<T>::denorm_min()}) / std::sqrt(fresh)));
  }
  static T limited(T x, T bound = kLargest) { return std::abs(x) > bound ? std::copysign(bound, x) : x; }

  void adamw(const Options& o, std::uint64_t t, T g, double decay) {
    const auto [beta1, beta2] = *o.betas;
    const T b1 = T(beta1), c1 = T(1.0 - beta1), b2 = T(beta2), c2 = T(1.0 - beta2);
    const T keep = T(1.0 - *o.lr * decay), step = T(*o.lr / (1.0 - power(beta1, t)));
    const T scale = T(1.0 / std::sqrt(1.0 - power(beta2, t))), eps = divisor(*o.eps, 1.0 - beta2);
    m = b1 * m + c1 * g;
    v = b2 * v + c2 * (g * g);
    largest = largest >= v ? largest : v;
    const T d = std::sqrt(*o.amsgrad ? largest : v) * scale + eps;
    theta = keep * theta - (step * m) / d;
  }
  void sgd(const Options& o, std::uint64_t t, T g) {
    const T eta = T(*o.lr), mu = T(*o.momentum);
    if (*o.momentum == 0.0) {
      theta = theta - eta * g;
      return;
    }
    const T old = t == 1 ? T(0) : mu, fresh = t == 1 ? T(1) : T(1.0 - *o.dampening);
    m = limited(old * m + fresh * g);
    theta = theta - eta * (*o.nesterov ? g + mu * m : m);
  }
  void rmsprop(const Options& o, T g) {
    const T eta = T(*o.lr), mu = T(*o.momentum), alpha = T(*o.alpha), c = T(1.0 - *o.alpha);
    const T eps = divisor(*o.eps, 1.0 - *o.alpha);
    v = alpha * v + c * (g * g);
    T s = v;
    if (*o.centered) {
      a = alpha * a + c * g;
      s = v - a * a;
      s = s > T(0) ? s : T(0);
    }
    T u = g / (std::sqrt(s) + eps);
    if (*o.momentum != 0.0) u = b = limited(mu * b + u);
    theta = theta - eta * u;
  }
  void adagrad(const Options& o, std::uint64_t t, T g) {
    const T eta = T(*o.lr / (1.0 + static_cast<double>(t - 1) * *o.lr_decay)), eps = divisor(*o.eps, 1.0);
    v = limited(v + g * g);
    theta = theta - eta * (g / (std::sqrt(v) + eps));
  }
  void step(Rule rule, const Options& o, std::uint64_t t, T g, T factor) {
    g = limited(g * factor, kLargestGradient);
    if (rule == Rule::adamw) return adamw(o, t, g, *o.weight_decay);
    g = limited(g + T(*o.weight_decay) * theta, kLargestGradient);
    switch (rule) {
      case Rule::adamw:
      case Rule::adam:
        return adamw(o, t, g, 0.0);
      case Rule::sgd:
        return sgd(o, t, g);
      case Rule::rmsprop:
        return rmsprop(o, g);
      case Rule::adagrad:
        return adagrad(o, t, g);
    }
  }
};

template <class T>
void expect_formulas(Format format) {
  constexpr std::size_t kSize = 300;
  constexpr double kScale = 3.0, kMaxNorm = 2.0;
  for (const Form& form : forms()) {
    // Everything is clipped by its norm, or some gradients are so large that they have to be limited, or all are so
    // small that second moments lose many of their squares.
    enum class Gradients { clipped, limited, lost };
    for (const Gradients gradients : {Gradients::limited, Gradients::clipped, Gradients::lost}) {
      const bool clip = gradients == Gradients::clipped, maximize = clip;
      Options options = form.options;
      options.maximize = maximize;
      double large = 1.0, all = 1.0;
      if (gradients == Gradients::limited) large = 0x1p100;
      if (gradients == Gradients::lost) {
        all = sizeof(T) == 4 ? 0x1p-74 : 0x1p-536;
        options.weight_decay = 0.0;
        if (form.rule != Rule::sgd) options.eps = 0.0;
      }
      Buffer w = Buffer(format, kSize).fill(1), g(format, kSize);
      Optimizer optimizer(form.rule, {{"w", w.view(), g.view()}}, options,
                          {.max_norm = clip ? std::optional(kMaxNorm) : std::nullopt});
      const Options& resolved = optimizer.options();
      std::vector<Element<T>> elements(kSize);
      for (std::size_t i = 0; i < kSize; ++i) {
        elements[i].theta = static_cast<T>(w[i]);
        if (form.rule == Rule::adagrad) elements[i].v = T(*resolved.initial_accumulator_value);
      }
      for (std::uint64_t t = 1; t <= 300; ++t) {
        for (std::size_t i = 0; i < kSize; ++i) {
          // A gradient that never changes has no variance: what is left of it may be below 0.
          const double number = random_number(i % 4 == 3 ? i : t << 32 | i);
          g.set(i, number * all * (i % 50 == 7 ? large : 1.0));
        }
        const StepReport report = optimizer.step({.grad_scale = kScale});
        ASSERT_EQ(report.clip_coefficient, clip ? kMaxNorm / (*report.grad_norm + 1e-6) : 1.0);
        const double multiple = (maximize ? -report.clip_coefficient : report.clip_coefficient) / kScale;
        for (std::size_t i = 0; i < kSize; ++i) {
          elements[i].step(form.rule, resolved, t, static_cast<T>(g[i]), static_cast<T>(multiple));
          ASSERT_EQ(static_cast<T>(w[i]), elements[i].theta)
              << form.name << " in " << info(format).name << ", step " << t << ", element " << i;
        }
      }
    }
  }
}

class Formulas : public OnEveryTarget {};
INSTANTIATE_TEST_SUITE_P(On, Formulas, ::testing::ValuesIn(targets()), [](const auto& info) { return info.param; });

TEST_P(Formulas, AreWhatIsComputedInF32) { expect_formulas<float>(Format::f32); }
TEST_P(Formulas, AreWhatIsComputedInF64) { expect_formulas<double>(Format::f64); }

}  // namespace
}  // namespace adamant::testing
