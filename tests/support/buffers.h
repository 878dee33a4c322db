// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Memory of any format, filled with numbers that are the same everywhere.
#pragma once

#include <adamant/adamant.hpp>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace adamant::testing {

/// A well mixed function of a counter (SplitMix64).
inline std::uint64_t random_bits(std::uint64_t counter) {
  std::uint64_t x = (counter + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/// Of either sign, with magnitudes spread over five binades around 1.
inline double random_number(std::uint64_t counter) {
  const std::uint64_t bits = random_bits(counter);
  const double fraction = 1.0 + static_cast<double>(bits >> 40) * 0x1p-24;
  const double value = std::ldexp(fraction, static_cast<int>(bits % 5) - 3);
  return (bits >> 8 & 1) != 0 ? value : -value;
}

/// Standard normal, near enough: from twelve uniform ones.
inline double random_normal(std::uint64_t counter) {
  double sum = -6.0;
  for (std::uint64_t k = 0; k < 12; ++k) sum += static_cast<double>(random_bits(12 * counter + k) >> 11) * 0x1p-53;
  return sum;
}

/// Elements of a format.
class Buffer {
 public:
  Buffer(Format format, std::size_t size) : format_(format), size_(size), bytes_(size * info(format).bytes + kSlack) {}
  Buffer(Format format, const std::vector<double>& values) : Buffer(format, values.size()) {
    for (std::size_t i = 0; i < size_; ++i) set(i, values[i]);
  }

  Buffer& fill(std::uint64_t seed, double scale = 1.0) {
    for (std::size_t i = 0; i < size_; ++i) set(i, scale * random_number(seed * 1000003 + i));
    return *this;
  }
  void set(std::size_t i, double value) {
    const auto narrow = static_cast<float>(value);
    switch (format_) {
      case Format::f32:
        return put(i, narrow);
      case Format::f64:
        return put(i, value);
      case Format::bf16:
        return put(i, bf16(narrow));
      case Format::f16:
        return put(i, f16(narrow));
    }
  }
  [[nodiscard]] double operator[](std::size_t i) const {
    switch (format_) {
      case Format::f32:
        return static_cast<double>(get<float>(i));
      case Format::f64:
        return get<double>(i);
      case Format::bf16:
        return static_cast<double>(static_cast<float>(get<bf16>(i)));
      case Format::f16:
        return static_cast<double>(static_cast<float>(get<f16>(i)));
    }
    return 0.0;
  }
  [[nodiscard]] std::vector<double> values() const {
    std::vector<double> all(size_);
    for (std::size_t i = 0; i < size_; ++i) all[i] = (*this)[i];
    return all;
  }
  [[nodiscard]] Tensor view() { return {data(), size_, format_}; }
  [[nodiscard]] std::byte* data() { return bytes_.data(); }
  [[nodiscard]] const std::byte* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Format format() const { return format_; }
  friend bool operator==(const Buffer&, const Buffer&) = default;

 private:
  static constexpr std::size_t kSlack = 8;  // an empty buffer has an address too
  template <class T>
  void put(std::size_t i, T value) {
    std::memcpy(bytes_.data() + i * sizeof(T), &value, sizeof(T));
  }
  template <class T>
  [[nodiscard]] T get(std::size_t i) const {
    T value;
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
    return value;
  }
  Format format_;
  std::size_t size_;
  std::vector<std::byte> bytes_;
};

/// Every bit of what an optimizer keeps, as text; equal only where all bits are.
inline std::string bits_of(const StateDict& dict) {
  std::string all = std::to_string(dict.seed) + ";";
  for (const StateDict::Group& group : dict.groups) all += group.rule + ";" + group.formula + ";";
  const auto add = [&](const std::vector<std::byte>& bytes) {
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    all += ';';
  };
  for (const auto& [name, entry] : dict.tensors) {
    all += name + ";" + std::to_string(entry.step) + ";";
    add(entry.weight_bits);
    for (const auto& [state_name, state] : entry.states) {
      all += state_name + ";";
      add(state.bytes);
      add(state.exponents);
    }
  }
  return all;
}

/// Every form a rule can take, with options that make each of its terms count.
struct Form {
  const char* name;
  Rule rule;
  Options options;
};
inline const std::vector<Form>& forms() {
  static const std::vector<Form> kForms = {
      {"adamw", Rule::adamw, {.lr = 0.01, .weight_decay = 0.1}},
      {"adamw_betas", Rule::adamw, {.lr = 0.01, .betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.0}},
      {"adamw_amsgrad", Rule::adamw, {.lr = 0.01, .amsgrad = true}},
      {"adam", Rule::adam, {.lr = 0.01, .weight_decay = 0.1}},
      {"adam_amsgrad", Rule::adam, {.lr = 0.01, .amsgrad = true}},
      {"sgd", Rule::sgd, {.lr = 0.01, .weight_decay = 0.1}},
      {"sgd_momentum", Rule::sgd, {.lr = 0.01, .momentum = 0.9, .dampening = 0.25, .weight_decay = 0.1}},
      {"sgd_nesterov", Rule::sgd, {.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true}},
      {"rmsprop", Rule::rmsprop, {.lr = 0.01, .alpha = 0.9, .weight_decay = 0.1}},
      {"rmsprop_momentum", Rule::rmsprop, {.lr = 0.01, .momentum = 0.5}},
      {"rmsprop_centered", Rule::rmsprop, {.lr = 0.01, .alpha = 0.9, .centered = true}},
      {"rmsprop_centered_momentum", Rule::rmsprop, {.lr = 0.01, .momentum = 0.5, .centered = true}},
      {"adagrad", Rule::adagrad, {.lr = 0.1, .weight_decay = 0.1, .lr_decay = 0.01, .initial_accumulator_value = 0.5}},
      {"adagrad_plain", Rule::adagrad, {.lr = 0.1}},
  };
  return kForms;
}

}  // namespace adamant::testing
