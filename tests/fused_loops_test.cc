// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Every fused loop against the block pipeline, which is the definition: the same bits for every mixture of formats, in
// every lane, for ordinary and for rare numbers. And the loops do take what is ordinary.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "kernel/pipeline.h"
#include "tests/support/buffers.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

struct Mixture {
  Variant variant;
  Format param;
  WeightFormat weights;
  StateFormat states;
  Format grad;
};
std::string text(const Mixture& mixture) {
  return std::string(info(mixture.variant).name) + " " + std::string(info(mixture.param).name) + "+" +
         std::string(info(mixture.weights).name) + ", gradients " + std::string(info(mixture.grad).name) + ", states " +
         std::string(info(mixture.states).name) + ", on " + current_target();
}
FusedKernel kernel_of(const Mixture& mixture) {
  return fused_kernels()
      .step[index_of(mixture.variant)][index_of(mixture.param)][index_of(mixture.weights)][index_of(mixture.states)];
}

/// All that have a loop on the instruction set in use. How a gradient is loaded does not depend on the rule: AdamW
/// meets gradients of all formats, the other rules bf16 ones, which all of these loops take.
std::vector<Mixture> mixtures() {
  std::vector<Mixture> all;
  for (const VariantInfo& variant : kVariants) {
    for (const Format param : {Format::f32, Format::bf16, Format::f16}) {
      for (const WeightFormatInfo& weights : weight_formats()) {
        for (const StateFormatInfo& states : state_formats()) {
          for (const Format grad : {Format::f32, Format::bf16, Format::f16}) {
            const Mixture mixture = {variant.variant, param, weights.format, states.format, grad};
            if (grad != Format::bf16 && variant.variant != Variant::adamw) continue;
            if (kernel_of(mixture) != nullptr) all.push_back(mixture);
          }
        }
      }
    }
  }
  return all;
}

float number(std::uint32_t bits) { return std::bit_cast<float>(bits); }

// The code of a number, the upper bits of a NaN included.
std::uint32_t code_of(Format format, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (format == Format::f32) return bits;
  if (format == Format::bf16) return bits >> 16;
  return std::isnan(value) ? (bits >> 16 & 0x8000u) | 0x7FFFu : std::uint32_t{f16(value).bits};
}

/// The streams of a tensor, and a step on some of its elements.
class Tensor {
 public:
  enum Stream : std::uint8_t { param, low, grad, first_state };
  static constexpr std::size_t kSize = 256;

  explicit Tensor(const Mixture& mixture) : mixture_(mixture) {
    formats_ = {mixture.param, Format::bf16, mixture.grad};
    for (std::size_t s = 0; s < info(mixture.variant).state_count; ++s) {
      formats_.push_back(*info(mixture.states).element);
    }
    for (const Format format : formats_) memory_.emplace_back(kSize * info(format).bytes);
  }

  [[nodiscard]] std::size_t streams() const { return memory_.size(); }
  [[nodiscard]] Format format(std::size_t stream) const { return formats_[stream]; }
  /// May a number of this stream be below zero?
  [[nodiscard]] bool is_signed(std::size_t stream) const {
    return stream < first_state || info(mixture_.variant).state_infos[stream - first_state].negative;
  }

  void set(std::size_t stream, std::size_t i, float value) {
    const std::uint32_t code = code_of(formats_[stream], is_signed(stream) ? value : std::abs(value));
    const std::size_t bytes = info(formats_[stream]).bytes;
    std::memcpy(&memory_[stream][i * bytes], &code, bytes);
  }
  /// As an element that was 0 from the start, and never had a gradient.
  void clear(std::size_t i) {
    for (std::size_t stream = 0; stream < streams(); ++stream) {
      const std::size_t bytes = memory_[stream].size() / kSize;
      std::memset(&memory_[stream][i * bytes], 0, bytes);
    }
  }
  /// Of the size that training has, each stream its own; every low-order bit.
  void fill(std::uint64_t seed, double scale = 0.01) {
    for (std::size_t s = 0; s < streams(); ++s) {
      for (std::size_t i = 0; i < kSize; ++i) {
        const std::uint64_t counter = seed * 1000003 + s * kSize + i;
        const double size = is_signed(s) ? scale : scale * scale;
        set(s, i, static_cast<float>(size * random_number(counter)));
      }
    }
    for (std::size_t byte = 0; byte < memory_[low].size(); ++byte) {
      memory_[low][byte] = static_cast<std::byte>(random_bits(seed << 32 | byte));
    }
  }

  /// Squares of such gradients fit into its states.
  [[nodiscard]] double largest_scale() const {
    return std::find(formats_.begin(), formats_.end(), Format::f16) != formats_.end() ? 100.0 : 1e15;
  }

  struct Step {
    std::size_t first = 0, n = kSize;
    float factor = 1.0f, bound = 0x1p63f;
    std::uint64_t t = 3;
    double beta2 = 0.999;
  };
  /// As step_elements does it.
  void step(const Step& step) {
    StepScalars scalars;
    step_elements(run(step, scalars), gradient(step));
  }
  /// By the pipeline alone.
  void step_by_pipeline(const Step& step) {
    StepScalars scalars;
    const StepRun all = run(step, scalars);
    const GradientRun grad = gradient(step);
    for (std::size_t done = 0; done < grad.n; done += kBlock) {
      const GradientRun block = part_of(grad, done, std::min(kBlock, grad.n - done));
      BlockScratch scratch;
      const BlockStreams streams = load_block(all.streams, block, scratch);
      f32_kernels().step[index_of(mixture_.variant)](scalars, all.factor, all.bound, streams.param, streams.grad,
                                                     streams.states, block.n);
      store_block(all, block, scratch);
    }
  }
  /// How many elements the loop does before it stops. They must be whole turns.
  std::size_t step_by_loop(const Step& step) {
    StepScalars scalars;
    const StepRun all = run(step, scalars);
    const GradientRun grad = gradient(step);
    TurnStreams streams = turns_at(all.streams, grad.first, all.roundings);
    streams.grad = grad.values;
    streams.grad_format = grad.format;
    return kernel_of(mixture_)(scalars, all.factor, all.bound, streams, grad.n);
  }

  /// Every bit, but for those of NaNs in f32, which are not promised.
  [[nodiscard]] std::vector<std::vector<std::byte>> bits() const {
    std::vector<std::vector<std::byte>> all = memory_;
    for (std::size_t s = 0; s < streams(); ++s) {
      if (formats_[s] != Format::f32) continue;
      for (std::size_t i = 0; i < kSize; ++i) {
        float value;
        std::memcpy(&value, &all[s][i * sizeof(float)], sizeof(float));
        if (std::isnan(value)) value = number(0x7FC00000u);
        std::memcpy(&all[s][i * sizeof(float)], &value, sizeof(float));
      }
    }
    return all;
  }

 private:
  StepRun run(const Step& step, StepScalars& scalars) {
    Streams streams = {mixture_.variant, mixture_.param, mixture_.weights, mixture_.states, {}, {}, {}, 77};
    streams.param = memory_[param].data();
    streams.param_low = memory_[low].data();
    for (std::size_t s = first_state; s < memory_.size(); ++s) {
      streams.states[s - first_state].values = memory_[s].data();
    }
    const Rule rule = info(mixture_.variant).rule;
    Options options = defaults(rule);
    options.weight_decay = 0.1;
    options.betas = {0.9, step.beta2};
    options.momentum = 0.9;
    options.dampening = 0.25;
    options.lr_decay = 0.01;
    prepare_scalars(mixture_.variant, mixture_.param, options, step.t, scalars);
    return {streams,
            step.t,
            dithers_of(streams, step.t),
            &scalars,
            static_cast<double>(step.factor),
            static_cast<double>(step.bound)};
  }
  [[nodiscard]] GradientRun gradient(const Step& step) const {
    return part_of({memory_[grad].data(), mixture_.grad, 0, kSize}, step.first, step.n);
  }

  Mixture mixture_;
  std::vector<Format> formats_;
  std::vector<std::vector<std::byte>> memory_;
};

void expect_pipeline(const Tensor& start, const Tensor::Step& step, const std::string& what) {
  Tensor fused = start, expected = start;
  fused.step(step);
  expected.step_by_pipeline(step);
  const auto found = fused.bits(), wanted = expected.bits();
  for (std::size_t s = 0; s < found.size(); ++s) {
    if (found[s] == wanted[s]) continue;
    const auto at = std::mismatch(found[s].begin(), found[s].end(), wanted[s].begin()).first - found[s].begin();
    FAIL() << what << ": stream " << s << " differs in element "
           << static_cast<std::size_t>(at) / info(start.format(s)).bytes;
  }
}

class FusedLoops : public OnEveryTarget {};
INSTANTIATE_TEST_SUITE_P(On, FusedLoops, ::testing::ValuesIn(targets()), [](const auto& info) { return info.param; });

constexpr Tensor::Step kSteps[] = {
    {.t = 1},
    {.first = 5, .n = 250, .factor = 0.37f},
    {.first = 64, .n = 129, .factor = -1.5f, .bound = 0.01f, .t = 4000},  // clipped by value
    {.factor = 0x1p90f, .t = 2},                                          // beyond what a rule sees
    {.factor = 0x1p-100f, .bound = 0x1p-110f},
    {.beta2 = 0.99999999},  // a first moment may be rare where the second is not
};

TEST_P(FusedLoops, ThereAreSomeForEveryRule) {
  if (GetParam() != "SCALAR") {
    for (const VariantInfo& variant : kVariants) {
      EXPECT_TRUE(std::ranges::any_of(mixtures(), [&](const Mixture& m) { return m.variant == variant.variant; }))
          << variant.name;
    }
  }
}

TEST_P(FusedLoops, TakeOrdinaryTurns) {
  for (const Mixture& mixture : mixtures()) {
    // Weights and gradients of any size that training could have.
    for (const double scale : {1e-12, 0.01, 1.0, 100.0, 1e12}) {
      Tensor tensor(mixture);
      tensor.fill(1, std::min(scale, tensor.largest_scale()));
      tensor.clear(70);  // as in a row of padding
      for (const Tensor::Step& step : {Tensor::Step{}, Tensor::Step{.factor = 0.5f, .bound = 0.25f}}) {
        EXPECT_EQ(tensor.step_by_loop(step), Tensor::kSize) << text(mixture) << ", scale " << scale;
      }
    }
  }
}

TEST_P(FusedLoops, GiveTheBitsOfThePipelineForAnyNumberOfElements) {
  for (const Mixture& mixture : mixtures()) {
    for (const double scale : {0.01, 50.0}) {
      Tensor tensor(mixture);
      tensor.fill(2, scale);
      for (Tensor::Step step : kSteps) {
        expect_pipeline(tensor, step, text(mixture));
        for (step.n = 0; step.n <= 130; ++step.n) {
          expect_pipeline(tensor, step, text(mixture) + ", " + std::to_string(step.n) + " elements");
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// NaNs, also those that rounding would bring to zero; infinities; what is or becomes infinite in a narrow format; the
// last of the ordinary; large; around the quick test of a turn; denormals; zeros, also above low-order bits below zero.
constexpr std::uint32_t kRare[] = {
    0x7FC00000u, 0xFFC00000u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7FFF8000u, 0x7FBFFFFFu, 0x7F800000u, 0xFF800000u,
    0x7F7FFFFFu, 0xFF7FFFFFu, 0x7F7F8000u, 0x7F7F7FFFu, 0x7F7F0000u, 0xFF7F0000u, 0x7F7EFFFFu, 0x60AD78ECu,
    0x5F000000u, 0x49742400u, 0xC0000000u, 0x3FFFFFFFu, 0x3FFF8000u, 0x40490FDBu, 0x477FF000u, 0x477FEFFFu,
    0x47800000u, 0x0000FFFFu, 0x80008000u, 0x00000001u, 0x00800000u, 0x387FFFFFu, 0x80000000u, 0x00000000u};

TEST_P(FusedLoops, GiveTheBitsOfThePipelineForRareNumbersInEveryLane) {
  for (const Mixture& mixture : mixtures()) {
    Tensor ordinary(mixture);
    ordinary.fill(3);
    for (std::size_t stream = 0; stream < ordinary.streams(); ++stream) {
      if (stream == Tensor::low) continue;
      // What is rare in another stream does not hang on the format of the gradient.
      if (stream != Tensor::grad && mixture.grad != Format::bf16) continue;
      for (const std::uint32_t bits : kRare) {
        for (std::size_t lane = 0; lane < kTurn; ++lane) {
          Tensor tensor = ordinary;
          tensor.set(stream, 64 + lane, number(bits));
          const Tensor::Step& step = kSteps[(lane + bits) % std::size(kSteps)];
          expect_pipeline(tensor, step,
                          text(mixture) + ", " + std::to_string(number(bits)) + " in stream " + std::to_string(stream) +
                              ", lane " + std::to_string(lane));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// Several rare numbers that meet in an element, and in a turn.
TEST_P(FusedLoops, GiveTheBitsOfThePipelineForRareNumbersTogether) {
  for (const Mixture& mixture : mixtures()) {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      Tensor tensor(mixture);
      tensor.fill(seed, seed % 3 == 0 ? 30.0 : 0.01);
      const std::uint64_t often = 1 + random_bits(seed) % 60;
      for (std::size_t stream = 0; stream < tensor.streams(); ++stream) {
        if (stream == Tensor::low) continue;
        for (std::size_t i = 0; i < Tensor::kSize; ++i) {
          const std::uint64_t random = random_bits(seed << 40 | stream << 32 | i);
          if (random % often != 0) continue;
          // Any bits, or one of those above.
          tensor.set(stream, i,
                     number(random % 7 == 0 ? static_cast<std::uint32_t>(random >> 32)
                                            : kRare[(random >> 32) % std::size(kRare)]));
        }
      }
      expect_pipeline(tensor, kSteps[seed % std::size(kSteps)], text(mixture) + ", seed " + std::to_string(seed));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace adamant::testing
