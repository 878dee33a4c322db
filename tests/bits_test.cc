// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The same bits on every instruction set, with any number of threads, however the elements are cut, after a resume and
// under any floating-point environment of the caller.
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>

#include "base/workers.h"
#include "tests/support/buffers.h"
#include "tests/support/float_mode.h"
#include "tests/support/targets.h"

namespace adamant::testing {
namespace {

constexpr int kThreads[] = {1, 2, 3, 7, 16};
constexpr int kSteps = 3;

struct Mixture {
  const char* name;
  Format param, grad;
  StateFormat state;
  WeightFormat weights = WeightFormat::plain;

  /// A dither knows its tensor and counts its elements: cut into tensors they are other ones.
  [[nodiscard]] bool dithered() const {
    return state == StateFormat::b16 || state == StateFormat::q8 || weights == WeightFormat::split8 ||
           weights == WeightFormat::dithered;
  }
};
constexpr Mixture kMixtures[] = {
    {"f32", Format::f32, Format::f32, StateFormat::f32},
    {"f32_bf16_f32", Format::f32, Format::bf16, StateFormat::f32},
    {"f32_f16_bf16", Format::f32, Format::f16, StateFormat::bf16},
    {"f32_f32_b16", Format::f32, Format::f32, StateFormat::b16},
    {"f32_f32_q8", Format::f32, Format::f32, StateFormat::q8},
    {"f64", Format::f64, Format::f64, StateFormat::f64},
    {"f16", Format::f16, Format::f16, StateFormat::f16},
    {"f16_bf16_f32", Format::f16, Format::bf16, StateFormat::f32},
    {"f16_f32_q8", Format::f16, Format::f32, StateFormat::q8},
    {"bf16", Format::bf16, Format::bf16, StateFormat::bf16},
    {"bf16_f32_f32", Format::bf16, Format::f32, StateFormat::f32},
    {"bf16_bf16_f32_split16", Format::bf16, Format::bf16, StateFormat::f32, WeightFormat::split16},
    {"bf16_f32_bf16_split16", Format::bf16, Format::f32, StateFormat::bf16, WeightFormat::split16},
    {"bf16_f16_b16_split16", Format::bf16, Format::f16, StateFormat::b16, WeightFormat::split16},
    {"bf16_bf16_b16_split8", Format::bf16, Format::bf16, StateFormat::b16, WeightFormat::split8},
    {"bf16_bf16_q8_split8", Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::split8},
    {"bf16_f32_q8_dithered", Format::bf16, Format::f32, StateFormat::q8, WeightFormat::dithered},
    {"bf16_bf16_bf16_dithered", Format::bf16, Format::bf16, StateFormat::bf16, WeightFormat::dithered},
};

// Numbers as training has them and as it should not: zeros, denormals of every format, and magnitudes up to 2^40.
double wild_number(std::uint64_t counter) {
  const double ordinary = random_number(counter);
  switch (random_bits(~counter) % 32) {
    case 0:
      return 0.0;
    case 1:
      return ordinary * 0x1p-75;  // the square is a denormal f32
    case 2:
      return ordinary * 0x1p-130;
    case 3:
      return ordinary * 0x1p-20;  // a denormal f16
    case 4:
      return ordinary * 0x1p15;
    case 5:
      return ordinary * 0x1p38;
    default:
      return ordinary;
  }
}

// The same buffer for the same arguments; made once, as making costs more than a step.
const Buffer& wild(Format format, std::size_t size, std::uint64_t seed) {
  static std::map<std::tuple<Format, std::size_t, std::uint64_t>, Buffer> made;
  const auto [entry, is_new] = made.try_emplace({format, size, seed}, format, size);
  if (is_new) {
    for (std::size_t i = 0; i < size; ++i) entry->second.set(i, wild_number(seed << 32 | i));
  }
  return entry->second;
}

enum class Chunking : std::uint8_t {
  whole,    // one tensor
  shifted,  // behind another one, so that the pieces of work begin elsewhere
  tensors,  // several tensors, cut at whole blocks
  rows,     // rows of one tensor, each a piece of its own
};
constexpr Chunking kChunkings[] = {Chunking::whole, Chunking::shifted, Chunking::tensors, Chunking::rows};

// A width that divides the size; 0 where the formats allow none, or where it would be too small for a large tensor.
std::size_t row_width(const Mixture& mixture, std::size_t size) {
  const bool groups = mixture.state == StateFormat::q8 && size >= 4096;
  for (const std::size_t width : {256u, 128u, 85u, 21u, 8u, 5u, 1u}) {
    if (size > width && size % width == 0 && !(groups && width % kGroup != 0) && size / width < 5000) return width;
  }
  return 0;
}

bool possible(Chunking chunking, const Mixture& mixture, std::size_t size) {
  if (chunking == Chunking::tensors) return size > kBlock && !mixture.dithered();
  if (chunking == Chunking::rows) return row_width(mixture, size) > 0;
  return true;
}

/// Every bit of parameters and states, in the order of the elements whatever they were cut into.
using Outcome = std::map<std::string, std::vector<std::byte>>;

/// A parameter of `size` elements under an optimizer, cut in some way.
class Training {
 public:
  Training(const Form& form, const Mixture& mixture, std::size_t size, Chunking chunking, Settings settings)
      : mixture_(mixture), chunking_(chunking), param_(wild(mixture.param, size, 0)), pad_(Format::f32, kPadding) {
    settings.state = mixture.state == StateFormat::f64 ? StateFormat::f32 : mixture.state;
    settings.weights = mixture.weights;
    std::vector<Param> params;
    if (chunking == Chunking::shifted) params.emplace_back("before", pad_.view());
    for (std::size_t first = 0, k = 0; first < size || k == 0; ++k) {
      constexpr std::size_t kPattern[] = {1, 3, 2, 67, 10};
      const std::size_t blocks = chunking == Chunking::tensors ? kPattern[k % std::size(kPattern)] : size / kBlock + 1;
      pieces_.push_back({"w" + std::to_string(k), first, std::min(blocks * kBlock, size - first)});
      params.emplace_back(pieces_.back().name, part(param_, pieces_.back()));
      first += pieces_.back().size;
    }
    if (chunking == Chunking::rows) {
      const std::size_t width = row_width(mixture, size);
      params[0].shape = {size / width, width};
      rows_.resize(size / width);
      std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
    }
    optimizer_ = std::make_unique<Optimizer>(form.rule, std::move(params), form.options, settings);
  }

  StepReport step(std::uint64_t seed) {
    const Buffer& grad = wild(mixture_.grad, param_.size(), seed);
    for (const Piece& piece : pieces_) {
      if (chunking_ == Chunking::rows) {
        optimizer_->set_lazy_row_grad(piece.name, rows_, part(grad, piece));
      } else {
        optimizer_->set_grad(piece.name, part(grad, piece));
      }
    }
    return optimizer_->step({.grad_scale = 0.75});
  }
  void steps(int first, int last) {
    for (int t = first; t <= last; ++t) step(static_cast<std::uint64_t>(t));
  }

  /// Goes on where another run of the same chunking is.
  void take_over(const Training& other) {
    std::memcpy(param_.data(), other.param_.data(), param_.size() * info(param_.format()).bytes);
    optimizer_->load_state_dict(other.optimizer_->state_dict());
  }

  [[nodiscard]] Outcome outcome() const {
    Outcome bits;
    bits["param"] = {param_.data(), param_.data() + param_.size() * info(param_.format()).bytes};
    const auto append = [&](const std::string& name, const std::vector<std::byte>& bytes) {
      bits[name].insert(bits[name].end(), bytes.begin(), bytes.end());
    };
    const StateDict dict = optimizer_->state_dict();
    for (const Piece& piece : pieces_) {
      const StateDict::Entry& entry = dict.tensors.at(piece.name);
      append("weight_bits", entry.weight_bits);
      for (const auto& [name, state] : entry.states) {
        append(name, state.bytes);
        append(name + " exponents", state.exponents);
      }
    }
    return bits;
  }

 private:
  struct Piece {
    std::string name;
    std::size_t first, size;
  };
  // Not a multiple of the 64 blocks of a piece of work.
  static constexpr std::size_t kPadding = 61 * kBlock;

  template <class AnyBuffer>
  static Tensor part(AnyBuffer& buffer, const Piece& piece) {
    return {buffer.data() + piece.first * info(buffer.format()).bytes, piece.size, buffer.format()};
  }

  Mixture mixture_;
  Chunking chunking_;
  Buffer param_, pad_;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> rows_;
  std::unique_ptr<Optimizer> optimizer_;
};

Outcome outcome_of(const Form& form, const Mixture& mixture, std::size_t size, Chunking chunking, int threads) {
  Training training(form, mixture, size, chunking, {.clip_value = 0x1p36, .threads = threads});
  training.steps(1, kSteps);
  return training.outcome();
}

// Compares each size under each instruction set with the portable one on one thread. Each call takes another number of
// threads and another chunking; all triples must have occurred in the end.
class Comparison {
 public:
  void compare(const Form& form, const Mixture& mixture, const std::vector<std::size_t>& sizes) {
    std::vector<Outcome> expected;
    {
      const ForcedTarget target(baseline_target());
      for (const std::size_t size : sizes) expected.push_back(outcome_of(form, mixture, size, Chunking::whole, 1));
    }
    for (const std::string& name : targets()) {
      const ForcedTarget target(name);
      ASSERT_NE(ForcedTarget::running(), 0) << "kernels of several instruction sets run";
      running_.insert(ForcedTarget::running());
      for (std::size_t s = 0; s < sizes.size(); ++s) {
        // Two sizes are ten choices apart, so that few calls make all of them.
        const auto [threads, chunking] = choice(mixture, sizes[s], calls_ + 10 * s);
        ASSERT_EQ(outcome_of(form, mixture, sizes[s], chunking, threads), expected[s])
            << form.name << " in " << mixture.name << ", " << sizes[s] << " elements, on " << name << " with "
            << threads << " threads, chunking " << static_cast<int>(chunking);
        triples_.insert({name, threads, chunking});
        ++compared_;
      }
    }
    ++calls_;
  }

  /// Call last.
  void finish(std::size_t at_least, std::size_t chunkings) const {
    EXPECT_EQ(running_.size(), targets().size()) << "an instruction set was not the one that ran";
    EXPECT_EQ(triples_.size(), targets().size() * std::size(kThreads) * chunkings);
    EXPECT_GE(compared_, at_least);
    std::cout << compared_ << " combinations compared on " << running_.size() << " instruction sets\n";
  }

 private:
  static std::pair<int, Chunking> choice(const Mixture& mixture, std::size_t size, std::size_t index) {
    std::vector<std::pair<int, Chunking>> choices;
    for (const Chunking chunking : kChunkings) {
      if (!possible(chunking, mixture, size)) continue;
      for (const int threads : kThreads) choices.emplace_back(threads, chunking);
    }
    return choices[index % choices.size()];
  }

  std::set<std::int64_t> running_;
  std::set<std::tuple<std::string, int, Chunking>> triples_;
  std::size_t compared_ = 0;
  std::size_t calls_ = 0;
};

TEST(Bits, SmallTensors) {
  // 4099 and 5120 elements are enough for the compact formats, and 5120 for whole rows of groups.
  const std::vector<std::size_t> sizes = {0, 1, 15, 16, 17, 63, 255, 256, 257, 4099, 5120};
  Comparison comparison;
  // Forms inside: each mixture takes a run of choices, however many forms and mixtures there are.
  for (const Mixture& mixture : kMixtures) {
    for (const Form& form : forms()) {
      comparison.compare(form, mixture, sizes);
      if (HasFatalFailure()) return;
    }
  }
  comparison.finish(
      std::max<std::size_t>(3000, forms().size() * std::size(kMixtures) * sizes.size() * targets().size()),
      std::size(kChunkings));
}

// Enough elements for several threads.
class BitsOfLargeTensors : public ::testing::TestWithParam<Mixture> {};

TEST_P(BitsOfLargeTensors, AreTheSame) {
  const std::vector<std::size_t> sizes = {100003, 257 * kBlock};
  Comparison comparison;
  for (const Form& form : forms()) {
    comparison.compare(form, GetParam(), sizes);
    if (HasFatalFailure()) return;
  }
  comparison.finish(sizes.size() * forms().size() * targets().size(),
                    GetParam().dithered() ? std::size(kChunkings) - 1 : std::size(kChunkings));
}

INSTANTIATE_TEST_SUITE_P(Bits, BitsOfLargeTensors, ::testing::ValuesIn(kMixtures),
                         [](const auto& info) { return std::string(info.param.name); });

// Mixtures and forms for the tests below, which have further dimensions.
std::vector<std::pair<Form, Mixture>> some_pairs() {
  std::vector<std::pair<Form, Mixture>> pairs;
  for (std::size_t i = 0; i < std::size(kMixtures); ++i) pairs.emplace_back(forms()[i % forms().size()], kMixtures[i]);
  return pairs;
}

TEST(Bits, AResumedRunGoesOnWithTheSameBits) {
  constexpr std::size_t kSize = 70000;
  constexpr int kLast = 6;
  std::size_t k = 0;
  for (const auto& [form, mixture] : some_pairs()) {
    Training whole(form, mixture, kSize, Chunking::whole, {.seed = 5, .threads = 1});
    {
      const ForcedTarget target(baseline_target());
      whole.steps(1, kLast);
    }
    for (const std::string& first : targets()) {
      const std::string second = targets()[++k % targets().size()];
      const int stop = 1 + static_cast<int>(k % (kLast - 1));
      Training begun(form, mixture, kSize, Chunking::whole, {.seed = 5, .threads = kThreads[k % std::size(kThreads)]});
      // Another seed, since the state brings its own.
      Training resumed(form, mixture, kSize, Chunking::whole,
                       {.seed = 6, .threads = kThreads[(k + 1) % std::size(kThreads)]});
      {
        const ForcedTarget target(first);
        begun.steps(1, stop);
        resumed.take_over(begun);
      }
      const ForcedTarget target(second);
      resumed.steps(stop + 1, kLast);
      ASSERT_EQ(resumed.outcome(), whole.outcome())
          << form.name << " in " << mixture.name << " from " << first << " to " << second << " after step " << stop;
    }
  }
}

// Everything that computes, under each mode: the bits are those of the default mode, and the mode is there afterwards.
TEST(Bits, TheCallersFloatingPointModeIsNeitherUsedNorLost) {
  struct Mode {
    int rounding;
    bool flush, trap;
  };
  constexpr Mode kModes[] = {{FE_TONEAREST, true, false},  {FE_UPWARD, false, false}, {FE_DOWNWARD, true, false},
                             {FE_TOWARDZERO, true, false}, {FE_UPWARD, true, true},   {FE_TONEAREST, false, true}};
  struct Results {
    Outcome outcome;
    double norm = 0.0;
    std::vector<float> param, state;
    std::uint16_t halves[2] = {};
    float wide[2] = {};
    bool operator==(const Results&) const = default;
  };
  const auto compute = [](Training& training, Optimizer& other, const std::string& state, const auto& around) {
    Results results;
    around([&] { training.step(1); });
    around([&] { results.norm = *training.step(2).grad_norm; });
    around([&] { static_cast<void>(other.step()); });
    around([&] { results.outcome = training.outcome(); });
    around([&] { results.param = other.export_param("e"); });
    around([&] { results.state = other.export_state("e", state); });
    around([&] { other.import_param("e", results.state); });
    around([&] { other.set_formats(StateFormat::bf16, WeightFormat::plain); });
    around([&] { results.halves[0] = bf16(0x1.0180p-130f).bits; });
    around([&] { results.halves[1] = f16(0x1.006p-20f).bits; });
    around([&] { results.wide[0] = static_cast<float>(std::bit_cast<bf16>(std::uint16_t{0x0007})); });
    around([&] { results.wide[1] = static_cast<float>(std::bit_cast<f16>(std::uint16_t{0x0007})); });
    return results;
  };
  for (const auto& [form, mixture] : some_pairs()) {
    if (mixture.param == Format::f64 || form.rule == Rule::sgd) continue;  // below, and no state to export
    const std::string state = form.rule == Rule::adagrad   ? "sum"
                              : form.rule == Rule::rmsprop ? "square_avg"
                                                           : "exp_avg";
    for (const std::size_t size : {std::size_t{4099}, std::size_t{100003}}) {
      // A second optimizer with rows that repeat, whose gradients have to be added up.
      const std::vector<std::int64_t> rows = {3, 1, 3, 3, 2};
      const auto fresh = [&, &form = form, &mixture = mixture](const auto& visit) {
        Training training(form, mixture, size, Chunking::whole, {.max_norm = 0.5, .clip_value = 0.25, .threads = 3});
        Buffer rows_param = wild(mixture.param, 4 * 1280, 7);
        Optimizer other(form.rule, {{"e", rows_param.view(), {}, {4, 1280}}}, form.options, {.state = mixture.state});
        other.set_lazy_row_grad("e", rows, Tensor(wild(mixture.grad, 5 * 1280, 8).data(), 5 * 1280, mixture.grad));
        // Made before the mode changes: the buffers are not the engine's work.
        for (const std::uint64_t seed : {1u, 2u}) wild(mixture.grad, size, seed);
        return visit(training, other);
      };
      const Results expected = fresh([&](Training& training, Optimizer& other) {
        return compute(training, other, state, [](const auto& call) { call(); });
      });
      for (const Mode& mode : kModes) {
        bool kept = true;
        const Results results = fresh([&](Training& training, Optimizer& other) {
          return compute(training, other, state, [&](const auto& call) {
            const FloatMode changed(mode.rounding, mode.flush, mode.trap);
            const std::uint64_t before = float_word();
            call();
            kept = kept && float_word() == before;
          });
        });
        EXPECT_TRUE(kept) << "the caller's mode was changed";
        ASSERT_EQ(results, expected) << form.name << " in " << mixture.name << ", " << size << " elements, rounding "
                                     << mode.rounding << (mode.flush ? " flush" : "") << (mode.trap ? " trap" : "");
      }
    }
  }
}

TEST(Bits, EveryPieceOfWorkRoundsToNearestAndKeepsDenormals) {
  const FloatMode changed(FE_UPWARD, true, false);
  for (const int threads : {1, 4}) {
    Workers workers(threads);
    for (const std::size_t count : {1u, 1000u}) {
      std::atomic<std::size_t> wrong = 0;
      workers.run(count, [&](std::size_t) {
        volatile float one = 1.0f, tiny = 0x1p-140f;
        wrong += one + 0x1p-25f != 1.0f || tiny * 0.5f != 0x1p-141f;
      });
      EXPECT_EQ(wrong, 0u) << threads << " threads, " << count << " pieces";
    }
  }
}

// The shape of every sum, written from its definition: 16 lanes a block, folded in halves, then a binary tree over the
// blocks of all tensors.
double squares_of_block(const Buffer& grad, std::size_t first, std::size_t count) {
  double lanes[16] = {};
  for (std::size_t i = 0; i < count; ++i) {
    const double x = grad[first + i];
    lanes[i % 16] += x * x;
  }
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}
double tree(const std::vector<double>& leaves, std::size_t first, std::size_t width) {
  if (first >= leaves.size()) return 0.0;
  return width == 1 ? leaves[first] : tree(leaves, first, width / 2) + tree(leaves, first + width / 2, width / 2);
}
double expected_norm(const std::vector<const Buffer*>& grads, double grad_scale) {
  std::vector<double> leaves;
  for (const Buffer* grad : grads) {
    for (std::size_t first = 0; first < grad->size(); first += 256) {
      leaves.push_back(squares_of_block(*grad, first, std::min<std::size_t>(256, grad->size() - first)));
    }
  }
  return std::sqrt(tree(leaves, 0, std::bit_ceil(leaves.size()))) / grad_scale;
}

TEST(Bits, TheNormIsTheSameSumEverywhere) {
  std::size_t compared = 0;
  for (const Format format : {Format::f32, Format::f64, Format::bf16, Format::f16}) {
    const Format param = format == Format::f64 ? Format::f64 : Format::f32;
    const Mixture mixture = {"", param, format, StateFormat::f32};
    for (const std::size_t size : {1u, 17u, 255u, 257u, 4099u, 98304u, 100003u}) {
      const double norm = expected_norm({&wild(format, size, 1)}, 0.75);
      Outcome expected;
      for (const std::string& name : targets()) {
        const ForcedTarget target(name);
        for (const Chunking chunking : {Chunking::whole, Chunking::tensors, Chunking::rows}) {
          // Rows of whole blocks keep the blocks.
          if (!possible(chunking, mixture, size) || (chunking == Chunking::rows && size % kBlock != 0)) continue;
          for (const int threads : kThreads) {
            Training training(forms()[0], mixture, size, chunking, {.max_norm = 1.0, .threads = threads});
            const StepReport report = training.step(1);
            ASSERT_EQ(*report.grad_norm, norm)
                << info(format).name << ", " << size << " elements, on " << name << ", " << threads << " threads";
            ASSERT_EQ(report.clip_coefficient, std::min(1.0, 1.0 / (norm + 1e-6)));
            if (expected.empty()) expected = training.outcome();
            ASSERT_EQ(training.outcome(), expected) << "clipped to the same norm, but stepped otherwise";
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_GE(compared, 4 * 7 * targets().size() * std::size(kThreads));
}

TEST(Bits, TheNormOfSeveralTensorsIsOneSum) {
  const Format formats[] = {Format::bf16, Format::f32, Format::f16, Format::f32};
  const std::size_t sizes[] = {300, 0, 70001, 16385};
  std::vector<const Buffer*> grads;
  std::vector<Buffer> buffers;
  std::vector<Param> params;
  buffers.reserve(std::size(sizes));
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    grads.push_back(&wild(formats[i], sizes[i], i));
    Buffer& param = buffers.emplace_back(Format::f32, sizes[i]);
    params.emplace_back("t" + std::to_string(i), param.view(), Tensor(grads[i]->data(), sizes[i], formats[i]));
  }
  for (const std::string& name : targets()) {
    const ForcedTarget target(name);
    Optimizer optimizer(Rule::sgd, params, {}, {.report_norm = true});
    EXPECT_EQ(*optimizer.step().grad_norm, expected_norm(grads, 1.0)) << name;
  }
}

// The operations of adamw-1, one rounding each, for elements on which a fused multiply-add would show. (This file is
// compiled without contraction too.)
TEST(Bits, NoMultiplyIsFusedWithAnAdd) {
  constexpr std::size_t kSize = 1024;
  constexpr float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  const auto c1 = static_cast<float>(1.0 - 0.9), c2 = static_cast<float>(1.0 - 0.999);
  const auto keep = static_cast<float>(1.0 - 1e-3 * 1e-2);
  constexpr double bc1 = 1.0 - 0.9 * 0.9, bc2 = 1.0 - 0.999 * 0.999;
  const auto step = static_cast<float>(1e-3 / bc1), scale = static_cast<float>(1.0 / std::sqrt(bc2));
  struct Element {
    float p, m, v;
    bool operator==(const Element&) const = default;
  };
  for (const std::string& name : targets()) {
    const ForcedTarget target(name);
    std::vector<float> w(kSize), g(kSize);
    for (std::size_t i = 0; i < kSize; ++i) {
      w[i] = static_cast<float>(random_number(i));
      g[i] = static_cast<float>(random_number(kSize + i));
    }
    Optimizer optimizer(Rule::adamw, {{"w", w, g}});
    optimizer.step();
    const std::vector<float> p = w, m = optimizer.export_state("w", "exp_avg"),
                             v = optimizer.export_state("w", "exp_avg_sq");
    optimizer.step();
    const std::vector<float> new_m = optimizer.export_state("w", "exp_avg"),
                             new_v = optimizer.export_state("w", "exp_avg_sq");
    std::size_t m_shows = 0, v_shows = 0, d_shows = 0, p_shows = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
      const float square = g[i] * g[i];
      const Element expected = [&] {
        const float m2 = b1 * m[i] + c1 * g[i], v2 = b2 * v[i] + c2 * square;
        const float d = std::sqrt(v2) * scale + eps;
        return Element{keep * p[i] - (step * m2) / d, m2, v2};
      }();
      ASSERT_EQ((Element{w[i], new_m[i], new_v[i]}), expected) << "element " << i << " on " << name;
      const float root = std::sqrt(expected.v), d = root * scale + eps;
      m_shows += std::fma(b1, m[i], c1 * g[i]) != expected.m || std::fma(c1, g[i], b1 * m[i]) != expected.m;
      v_shows += std::fma(b2, v[i], c2 * square) != expected.v || std::fma(c2, square, b2 * v[i]) != expected.v;
      d_shows += std::fma(root, scale, eps) != d;
      p_shows += std::fma(keep, p[i], -(step * expected.m / d)) != expected.p;
    }
    // As many would have shown.
    EXPECT_GE(m_shows, kSize / 10);
    EXPECT_GE(v_shows, kSize / 10);
    EXPECT_GE(d_shows, 1u);
    EXPECT_GE(p_shows, kSize / 20);
  }
}

}  // namespace
}  // namespace adamant::testing
