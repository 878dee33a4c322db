// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/run_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "insight/nan.h"
#include "rule/options.h"

namespace adamant::run_format {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int, 256> kValues = [] {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = static_cast<int>(i);
  return values;
}();

std::uint64_t part_of(std::uint64_t size, double share) {
  return static_cast<std::uint64_t>(std::llround(share * static_cast<double>(size)));
}

}  // namespace

Numbers numbers_of(const TensorStatistics& tensor) {
  Numbers numbers;
  numbers.fill(kNaN);
  if (tensor.elements > 0) {
    const Sums means = scaled(std::bit_cast<Sums>(tensor.sums), 1.0 / static_cast<double>(tensor.elements));
    std::ranges::copy(means, numbers.begin());
  }
  const ScaleSample& scales = tensor.scales;
  if (scales.elements > 0) {
    const auto n = static_cast<double>(scales.elements);
    numbers[kSums] = static_cast<double>(scales.zero_grads) / n;
    numbers[kSums + 1] = 1.0 - static_cast<double>(scales.scaled) / n;
  }
  if (scales.scaled > 0) {
    const auto n = static_cast<double>(scales.scaled);
    const double mean = scales.log_sum / n;
    numbers[kSums + 2] = mean;
    numbers[kSums + 3] = std::sqrt(std::max(0.0, scales.log_sq_sum / n - mean * mean));
  }
  return numbers;
}

void set_numbers(TensorStatistics& tensor, const Numbers& numbers, std::uint64_t size) {
  const auto n = static_cast<double>(size);
  Sums means;
  std::copy_n(numbers.begin(), kSums, means.begin());
  tensor.elements = std::isnan(means[0]) ? 0 : size;
  tensor.sums = tensor.elements > 0 ? std::bit_cast<MomentSums>(scaled(means, n)) : MomentSums{};
  tensor.scales = {};
  const double zero = numbers[kSums], dead = numbers[kSums + 1];
  if (std::isnan(zero) || std::isnan(dead)) return;
  tensor.scales.elements = size;
  tensor.scales.zero_grads = part_of(size, zero);
  tensor.scales.scaled = size - part_of(size, dead);
  if (tensor.scales.scaled == 0) return;
  const double mean = numbers[kSums + 2], deviation = numbers[kSums + 3];
  const auto scaled_elements = static_cast<double>(tensor.scales.scaled);
  tensor.scales.log_sum = mean * scaled_elements;
  tensor.scales.log_sq_sum = (mean * mean + deviation * deviation) * scaled_elements;
}

void pack(std::string& to, double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const std::uint32_t upper = std::isnan(value) ? 0x7FC000u : (bits >> 8) + ((bits & 0xFFu) + (bits >> 8 & 1u) > 0x80u);
  for (int shift = 18; shift >= 0; shift -= 6) to += kDigits[upper >> shift & 63u];
}

bool unpack(std::string_view text, std::span<float> numbers) {
  if (text.size() != 4 * numbers.size()) return false;
  int all = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint32_t upper = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int value = kValues[static_cast<unsigned char>(text[4 * i + k])];
      all |= value;
      upper = upper << 6 | static_cast<std::uint32_t>(value & 63);
    }
    numbers[i] = std::bit_cast<float>(upper << 8);
  }
  return all >= 0;
}

Json to_json(const Options& options) {
  Json json = Json::object();
  for_each_option([&](const char* name, auto member) {
    if (options.*member) json[name] = *(options.*member);
  });
  return json;
}

}  // namespace adamant::run_format
