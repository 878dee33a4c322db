// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Series over a run of any length in bounded memory, thinned by extremes: what stands out stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace adamant::report {

/// Keeps for every series the lowest and the highest value of each bucket of points. When the buckets are full, two
/// neighbours become one: every bucket but the last holds the same number of points, a power of two.
class Timeline {
 public:
  /// At most `buckets` of them, an even number.
  explicit Timeline(std::size_t series, std::size_t buckets);

  /// More series, that had no value so far.
  void add_series(std::size_t count);
  /// A new point; the values of its series follow.
  void begin(std::uint64_t step);
  /// A value at this point. One that is not finite leaves no trace.
  void put(std::size_t series, double value);

  [[nodiscard]] std::size_t series() const { return low_.size(); }
  [[nodiscard]] std::size_t buckets() const { return first_.size(); }
  /// Points in a full bucket.
  [[nodiscard]] std::uint64_t width() const { return width_; }
  [[nodiscard]] const std::vector<std::uint64_t>& first_steps() const { return first_; }
  [[nodiscard]] const std::vector<std::uint64_t>& last_steps() const { return last_; }
  /// One number a bucket; NaN where there was none.
  [[nodiscard]] const std::vector<float>& low(std::size_t series) const { return low_[series]; }
  [[nodiscard]] const std::vector<float>& high(std::size_t series) const { return high_[series]; }

 private:
  void halve();

  std::size_t capacity_;
  std::uint64_t width_ = 1;
  std::uint64_t in_last_ = 0;  // points in the last bucket
  std::vector<std::uint64_t> first_, last_;
  std::vector<std::vector<float>> low_, high_;
};

}  // namespace adamant::report
