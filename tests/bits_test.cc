// The same bits on every instruction set, with any number of threads, however the elements are cut, after a resume and
// under any floating-point environment of the caller.
#include <gtest/gtest.h>

#include <cfenv>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>

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
  for (const std::size_t width : {256, 128, 85, 21, 8, 5, 1}) {
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
class Run {
 public:
  Run(const Form& form, const Mixture& mixture, std::size_t size, Chunking chunking, Settings settings)
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
  void take_over(const Run& other) {
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
  Run run(form, mixture, size, chunking, {.clip_value = 0x1p36, .threads = threads});
  run.steps(1, kSteps);
  return run.outcome();
}

// Compares each size under each instruction set with the portable one on one thread. Each call takes another number of
// threads and another chunking; all triples must have occurred in the end.
class Comparison {
 public:
  void compare(const Form& form, const Mixture& mixture, const std::vector<std::size_t>& sizes,
               std::size_t repetitions) {
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
        for (std::size_t r = 0; r < repetitions; ++r) {
          const auto [threads, chunking] = choice(mixture, sizes[s], calls_ + r);
          ASSERT_EQ(outcome_of(form, mixture, sizes[s], chunking, threads), expected[s])
              << form.name << " in " << mixture.name << ", " << sizes[s] << " elements, on " << name << " with "
              << threads << " threads, chunking " << static_cast<int>(chunking);
          triples_.insert({name, threads, chunking});
          ++compared_;
        }
      }
    }
    calls_ += repetitions;
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
  for (const Form& form : forms()) {
    for (const Mixture& mixture : kMixtures) {
      comparison.compare(form, mixture, sizes, 1);
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
  const std::vector<std::size_t> sizes = {100003, 98304};
  Comparison comparison;
  for (const Form& form : forms()) {
    comparison.compare(form, GetParam(), sizes, 2);
    if (HasFatalFailure()) return;
  }
  comparison.finish(2 * sizes.size() * forms().size() * targets().size(),
                    GetParam().dithered() ? std::size(kChunkings) - 1 : std::size(kChunkings));
}

INSTANTIATE_TEST_SUITE_P(Bits, BitsOfLargeTensors, ::testing::ValuesIn(kMixtures),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace adamant::testing
