// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/timeline.h"

#include <cmath>
#include <limits>

namespace adamant::report {
namespace {

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

// fmin and fmax take the number where the other is NaN.
void merge_pairs(std::vector<float>& values, float (*pick)(float, float)) {
  for (std::size_t i = 0; i < values.size() / 2; ++i) values[i] = pick(values[2 * i], values[2 * i + 1]);
  values.resize(values.size() / 2);
}

}  // namespace

Timeline::Timeline(std::size_t series, std::size_t buckets) : capacity_(buckets) { add_series(series); }

void Timeline::add_series(std::size_t count) {
  const std::vector<float> none(buckets(), kNoValue);
  low_.resize(low_.size() + count, none);
  high_.resize(high_.size() + count, none);
}

void Timeline::begin(std::uint64_t step) {
  if (!first_.empty() && in_last_ < width_) {
    ++in_last_;
    last_.back() = step;
    return;
  }
  if (first_.size() == capacity_) halve();
  in_last_ = 1;
  first_.push_back(step);
  last_.push_back(step);
  for (auto& values : low_) values.push_back(kNoValue);
  for (auto& values : high_) values.push_back(kNoValue);
}

void Timeline::put(std::size_t series, double value) {
  const auto number = static_cast<float>(value);
  if (!std::isfinite(number)) return;
  low_[series].back() = std::fmin(low_[series].back(), number);
  high_[series].back() = std::fmax(high_[series].back(), number);
}

void Timeline::halve() {
  for (std::size_t i = 0; i < first_.size() / 2; ++i) {
    first_[i] = first_[2 * i];
    last_[i] = last_[2 * i + 1];
  }
  first_.resize(first_.size() / 2);
  last_.resize(last_.size() / 2);
  for (auto& values : low_) merge_pairs(values, [](float a, float b) { return std::fmin(a, b); });
  for (auto& values : high_) merge_pairs(values, [](float a, float b) { return std::fmax(a, b); });
  width_ *= 2;
}

}  // namespace adamant::report
