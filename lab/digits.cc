// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/digits.h"

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "lab/gzip.h"

namespace adamant::lab {

// data/digits.csv.gz; the build makes the file that defines it.
extern const std::span<const unsigned char> kDigitsFile;

// A line is 64 pixels and the label, separated by commas.
Digits load_digits() {
  constexpr Eigen::Index kPixels = 64;
  const std::string text = unpack_gzip(kDigitsFile);
  std::vector<int> numbers;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const auto [next, error] = std::from_chars(at, end, numbers.emplace_back());
    if (error != std::errc()) throw std::runtime_error("digits.csv.gz is damaged");
    at = next;
    while (at < end && (*at == ',' || *at == '\r' || *at == '\n')) ++at;
  }

  const auto count = static_cast<Eigen::Index>(numbers.size()) / (kPixels + 1);
  Digits digits{Matrix<float>(count, kPixels), std::vector<int>(static_cast<std::size_t>(count))};
  for (Eigen::Index i = 0; i < count; ++i) {
    const int* line = &numbers[static_cast<std::size_t>(i * (kPixels + 1))];
    for (Eigen::Index k = 0; k < kPixels; ++k) digits.images(i, k) = static_cast<float>(line[k]) / 16.0f;
    digits.labels[static_cast<std::size_t>(i)] = line[kPixels];
  }
  return digits;
}

}  // namespace adamant::lab
