// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant selftest: the bits of every instruction set of this CPU against those that every machine must give.
#include <fmt/format.h>

#include <adamant/adamant.hpp>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/json.h"

namespace adamant::cli {
namespace {

/// FNV-1a, 64 bits, over bytes. (Fowler, Noll, Vo; draft-eastlake-fnv)
class Hash {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) value_ = (value_ ^ at[i]) * 0x100000001B3u;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

// SplitMix64 (Steele, Lea & Flood 2014) as a function of a counter.
std::uint64_t random_bits(std::uint64_t counter) {
  std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

// Both signs, 24 random bits, magnitudes from 2^-24 to 1; every 16th number is zero. Made of integers and of an exact
// scaling, so that it is the same everywhere.
float random_number(std::uint64_t counter) {
  const std::uint64_t bits = random_bits(counter);
  if (bits % 16 == 0) return 0.0f;
  const auto fraction = static_cast<float>(bits >> 40) * 0x1p-24f;
  const auto exponent = static_cast<int>(bits >> 4 & 7);
  return std::ldexp(bits >> 8 & 1 ? fraction : -fraction, -exponent);
}

struct Form {
  std::string_view name;
  Rule rule;
  Options options;
};
struct FormatCase {
  std::string_view name;
  Format param, grad;
  StateFormat state;
  WeightFormat weights = WeightFormat::plain;
};

const Form kForms[] = {
    {"adamw", Rule::adamw, {}},
    {"adamw-amsgrad", Rule::adamw, {.amsgrad = true}},
    {"adam", Rule::adam, {.weight_decay = 0.1}},
    {"sgd", Rule::sgd, {.weight_decay = 0.1}},
    {"sgd-momentum", Rule::sgd, {.momentum = 0.9, .dampening = 0.1}},
    {"sgd-nesterov", Rule::sgd, {.momentum = 0.9, .nesterov = true}},
    {"rmsprop", Rule::rmsprop, {}},
    {"rmsprop-centered-momentum", Rule::rmsprop, {.momentum = 0.9, .centered = true}},
    {"adagrad", Rule::adagrad, {.lr_decay = 0.01}},
};
constexpr FormatCase kFormats[] = {
    {"f32", Format::f32, Format::f32, StateFormat::f32},
    {"bf16-bf16-f32", Format::bf16, Format::bf16, StateFormat::f32},
    {"bf16", Format::bf16, Format::bf16, StateFormat::bf16},
    {"f16", Format::f16, Format::f16, StateFormat::f16},
    {"f32-f16-bf16", Format::f32, Format::f16, StateFormat::bf16},
    {"f64", Format::f64, Format::f64, StateFormat::f64},
    {"split16-bf16-b16", Format::bf16, Format::bf16, StateFormat::b16, WeightFormat::split16},
    {"split8-bf16-q8", Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::split8},
    {"dithered-f32-q8", Format::bf16, Format::f32, StateFormat::q8, WeightFormat::dithered},
    {"f32-f16-q8", Format::f32, Format::f16, StateFormat::q8},
};
// Less than a vector; blocks and a tail, of few elements and of as many as compact formats need.
constexpr std::size_t kSizes[] = {7, 1289, 4219};

template <class Visit>
void for_each_case(const Visit& visit) {
  for (const Form& form : kForms) {
    for (const FormatCase& formats : kFormats) visit(form, formats);
  }
}

std::string name_of(const Form& form, const FormatCase& formats) {
  return fmt::format("{}/{}", form.name, formats.name);
}

struct Buffer {
  Format format;
  std::vector<std::byte> bytes;
  Buffer(Format format_, std::size_t size) : format(format_), bytes(size * info(format_).bytes) {}

  void fill(std::uint64_t counter) {
    const std::size_t size = bytes.size() / info(format).bytes;
    for (std::size_t i = 0; i < size; ++i) set(i, random_number(counter + i));
  }
  void set(std::size_t i, float value) {
    switch (format) {
      case Format::f32:
        return put(i, value);
      case Format::f64:
        return put(i, static_cast<double>(value));
      case Format::bf16:
        return put(i, bf16(value));
      case Format::f16:
        return put(i, f16(value));
    }
  }
  [[nodiscard]] Tensor view() { return {bytes.data(), bytes.size() / info(format).bytes, format}; }

 private:
  template <class T>
  void put(std::size_t i, T value) {
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
};

// Fifty steps with decay, clipping of the global norm (so that the bits of the norm count too) and unscaling; a hash of
// the norms, the parameters and the states.
std::uint64_t hash_of(const Form& form, const FormatCase& formats) {
  constexpr int kSteps = 50;
  std::vector<Buffer> params, grads;
  std::vector<Param> tensors;
  for (const std::size_t size : kSizes) {
    params.emplace_back(formats.param, size).fill(size);
    grads.emplace_back(formats.grad, size);
  }
  tensors.reserve(params.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    tensors.emplace_back("t" + std::to_string(i), params[i].view(), grads[i].view());
  }
  Settings settings;
  settings.state = formats.state;
  settings.weights = formats.weights;
  settings.max_norm = 8.0;
  Optimizer optimizer(form.rule, std::move(tensors), form.options, settings);

  Hash hash;
  for (int step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < grads.size(); ++i) {
      grads[i].fill(random_bits(static_cast<std::uint64_t>(step) * grads.size() + i));
    }
    const auto norm = std::bit_cast<std::uint64_t>(*optimizer.step({.grad_scale = 0.75}).grad_norm);
    hash.add(&norm, sizeof(norm));
  }
  for (const Buffer& param : params) hash.add(param.bytes.data(), param.bytes.size());
  for (const auto& [name, entry] : optimizer.state_dict().tensors) {
    hash.add(entry.weight_bits.data(), entry.weight_bits.size());
    for (const auto& [state_name, state] : entry.states) {
      hash.add(state.bytes.data(), state.bytes.size());
      hash.add(state.exponents.data(), state.exponents.size());
    }
  }
  return hash.value();
}

struct Golden {
  std::string_view name;
  std::uint64_t hash;
};
// Written by: adamant selftest --print-golden
constexpr Golden kGolden[] = {
#include "cli/selftest_golden.inc"
};

std::uint64_t golden_hash(std::string_view name) {
  for (const Golden& golden : kGolden) {
    if (golden.name == name) return golden.hash;
  }
  return 0;
}

int print_golden() {
  for_each_case([](const Form& form, const FormatCase& formats) {
    fmt::print("{{\"{}\", 0x{:016x}u}},\n", name_of(form, formats), hash_of(form, formats));
  });
  return kOk;
}

/// Goes back to the best instruction set.
struct BestTarget {
  BestTarget() = default;
  BestTarget(const BestTarget&) = delete;
  BestTarget& operator=(const BestTarget&) = delete;
  ~BestTarget() { use_target(""); }
};

int run(bool json) {
  Json results = Json::array();
  bool all_equal = true;
  const BestTarget back;
  for (const std::string& target : targets()) {
    use_target(target);
    Hash together;
    std::vector<std::string> differing;
    int cases = 0;
    for_each_case([&](const Form& form, const FormatCase& formats) {
      const std::string name = name_of(form, formats);
      const std::uint64_t hash = hash_of(form, formats), golden = golden_hash(name);
      together.add(&hash, sizeof(hash));
      ++cases;
      if (hash != golden) differing.push_back(fmt::format("{}: {:016x}, must be {:016x}", name, hash, golden));
    });
    all_equal = all_equal && differing.empty();
    if (json) {
      results.push_back({{"target", target},
                         {"hash", fmt::format("{:016x}", together.value())},
                         {"cases", cases},
                         {"equal", cases - static_cast<int>(differing.size())},
                         {"differing", differing}});
      continue;
    }
    fmt::print("{:<10} {:016x}  {} of {} cases have the golden bits\n", target, together.value(),
               cases - static_cast<int>(differing.size()), cases);
    for (const std::string& line : differing) fmt::print("  {}\n", line);
  }
  if (json) print_json({{"passed", all_equal}, {"results", results}});
  return all_equal ? kOk : kFailed;
}

}  // namespace

Command add_selftest(CommandLine& line) {
  struct Arguments {
    bool json = false, print_golden = false;
  };
  auto arguments = std::make_shared<Arguments>();
  Subcommand options = line.add(
      "selftest", "Compare the bits of every instruction set of this CPU with those that every machine must give");
  options.flag("--json", arguments->json, "Print one JSON object");
  options.flag("--print-golden", arguments->print_golden, "Print the hashes of this machine as selftest_golden.inc");
  options.footer("Exit status 1 where they differ.");
  return {options, [arguments] { return arguments->print_golden ? print_golden() : run(arguments->json); }};
}

}  // namespace adamant::cli
