// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Programs that trap floating-point exceptions, as simulations do: the engine's own arithmetic never stops them.
#include <gtest/gtest.h>

#include <adamant/schedule.hpp>
#include <bit>
#include <cfenv>
#include <cstdint>
#include <limits>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

#if defined(__GLIBC__) && defined(__x86_64__)

// Traps what the machine can while it lives. Nothing between its making and its end may raise an exception.
class Traps {
 public:
  explicit Traps(int which = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) {
    std::feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(which);
  }
  ~Traps() {
    fedisableexcept(FE_ALL_EXCEPT);
    std::feclearexcept(FE_ALL_EXCEPT);
  }
};

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Traps, AreNotSprungByAnOptimizer) {
  for (const std::string_view formats : presets()) {
    Buffer w = Buffer(Format::bf16, 5000).fill(1), g = Buffer(Format::bf16, 5000).fill(2);
    Settings settings = preset(formats);
    settings.max_norm = 1.0;
    std::vector<std::string> refusals;
    const Traps traps;
    Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, settings);
    for (int i = 0; i < 3; ++i) optimizer.step();
    refusals.push_back(refusal([&] { optimizer.set_lr(kNan); }));
    refusals.push_back(refusal([&] { optimizer.set_options(0, {.betas = {kNan, 1e300}}); }));
    refusals.push_back(refusal([&] { optimizer.step({.grad_scale = kNan}); }));
    refusals.push_back(refusal([&] {
      Settings bad = settings;
      bad.max_norm = kNan;
      optimizer.set_settings(bad);
    }));
    refusals.push_back(refusal([&] { Optimizer(Rule::sgd, {{"w", w.view()}}, {.lr = 1e300}); }));
    optimizer.load_state_dict(optimizer.state_dict());
    static_cast<void>(optimizer.export_param("w"));
    static_cast<void>(optimizer.export_state("w", "exp_avg"));
    std::vector<float> huge(5000, std::numeric_limits<float>::infinity());
    optimizer.import_param("w", huge);
    optimizer.set_formats(StateFormat::bf16, WeightFormat::plain);
    for (const std::string& text : refusals) EXPECT_EQ(text.rfind("invalid_argument: Invalid ", 0), 0u) << text;
  }
}

TEST(Traps, AreNotSprungByNonFiniteGradients) {
  for (const NonFinite policy : {NonFinite::skip, NonFinite::error, NonFinite::propagate}) {
    Buffer w = Buffer(Format::f64, 5000).fill(1), g = Buffer(Format::f64, 5000).fill(2);
    g.set(7, std::numeric_limits<double>::infinity());
    g.set(8, kNan);
    const Traps traps;
    Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, {.nonfinite = policy, .max_norm = 1.0});
    static_cast<void>(refusal([&] { optimizer.step(); }));
    optimizer.begin_step();
    static_cast<void>(refusal([&] { optimizer.step_tensor("w"); }));
    optimizer.end_step();
  }
}

// Factors and rates may be any numbers.
TEST(Traps, AreNotSprungBySchedules) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNumbers[] = {0.0, 0.1, 1e-320, 1e308, kInfinity, -kInfinity, kNan};
  std::size_t made = 0;
  const Traps traps(FE_ALL_EXCEPT);
  for (const double lr : kNumbers) {
    for (const double factor : kNumbers) {
      for (const std::uint64_t step : {0u, 3u, 10u}) {
        static_cast<void>(schedule::constant(lr, step));
        static_cast<void>(schedule::linear(lr, step, 10, factor, lr));
        static_cast<void>(schedule::warmup(lr, step, 7));
        static_cast<void>(schedule::cosine(lr, step, 10, factor));
        static_cast<void>(schedule::warmup_cosine(lr, step, 3, 10, factor));
        static_cast<void>(schedule::step_decay(lr, step, 1, factor));
        static_cast<void>(schedule::one_cycle(lr, step, 10, factor, factor, factor));
        ++made;
      }
    }
  }
  EXPECT_EQ(made, 147U);
}

TEST(Traps, AreNotSprungByConversions) {
  std::uint32_t sum = 0;
  {
    const Traps traps(FE_ALL_EXCEPT);
    // Every sign and exponent, with small, large and signalling parts.
    for (std::uint32_t high = 0; high < 512; ++high) {
      for (const std::uint32_t low : {0u, 1u, 0x1234u, 0x200000u, 0x7FFFFFu}) {
        const auto value = std::bit_cast<float>(high << 23 | low);
        sum += std::uint32_t{bf16(value).bits} + f16(value).bits;
      }
    }
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      bf16 brain;
      f16 half;
      brain.bits = half.bits = static_cast<std::uint16_t>(bits);
      sum += std::bit_cast<std::uint32_t>(static_cast<float>(brain)) ^
             std::bit_cast<std::uint32_t>(static_cast<float>(half));
    }
  }
  EXPECT_NE(sum, 0U);
}

#endif

}  // namespace
}  // namespace adamant::testing
