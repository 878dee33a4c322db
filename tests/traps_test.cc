// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Programs that trap floating-point exceptions, as simulations do: the engine's own arithmetic never stops them.
#include <gtest/gtest.h>

#include <cfenv>
#include <limits>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

#if defined(__GLIBC__) && defined(__x86_64__)

// Traps what the machine can while it lives. Nothing between its making and its end may raise an exception.
class Traps {
 public:
  Traps() {
    std::feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
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

#endif

}  // namespace
}  // namespace adamant::testing
