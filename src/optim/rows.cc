// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "kernel/convert.h"

namespace adamant {
namespace {

// Finite numbers have a finite sum: an overflow becomes the largest number.
template <class T>
T saturating_sum(T a, T b) {
  const T sum = a + b;
  const bool overflow = std::isinf(sum) && std::isfinite(a) && std::isfinite(b);
  return overflow ? std::copysign(std::numeric_limits<T>::max(), sum) : sum;
}

// Adds the values of several rows in the order they are given in.
template <class T>
void sum_into(T* sum, const std::vector<const std::byte*>& parts, Format format, std::size_t width) {
  std::vector<double> wide(width);
  for (const std::byte* part : parts) {
    to_f64(part, format, width, wide.data());
    for (std::size_t i = 0; i < width; ++i) sum[i] = saturating_sum(sum[i], static_cast<T>(wide[i]));
  }
}

}  // namespace

SummedRows sum_rows(const TensorState& tensor) {
  const std::span<const std::int64_t> given = tensor.grad.rows;
  const std::size_t width = tensor.row_width();
  const Format format = tensor.grad.values.format;
  const std::size_t row_bytes = width * info(format).bytes;
  const auto* values = static_cast<const std::byte*>(tensor.grad.values.data);

  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] < 0 || static_cast<std::uint64_t>(given[i]) >= tensor.shape[0]) {
      throw Error(ErrorCode::invalid_argument, "row gradient of " + in_quotes(tensor.name) + ": row " +
                                                   std::to_string(given[i]) + " at index " + std::to_string(i) +
                                                   " must be in [0, " + std::to_string(tensor.shape[0]) + ")");
    }
  }
  std::vector<std::size_t> order(given.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return given[a] < given[b]; });

  // Where rows repeat, all rows are summed, so that the values have one format.
  bool repeated = false;
  std::size_t count = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool again = i > 0 && given[order[i]] == given[order[i - 1]];
    repeated = repeated || again;
    count += again ? 0 : 1;
  }
  SummedRows summed;
  summed.format = !repeated ? format : format == Format::f64 ? Format::f64 : Format::f32;
  const std::size_t sum_bytes = width * info(summed.format).bytes;
  if (repeated) summed.sums = allocate_zeroed(count * sum_bytes);
  std::vector<const std::byte*> parts;
  for (std::size_t i = 0; i < order.size();) {
    const std::int64_t row = given[order[i]];
    parts.clear();
    for (; i < order.size() && given[order[i]] == row; ++i) parts.push_back(values + order[i] * row_bytes);
    const std::byte* at = parts.front();
    if (repeated) {
      std::byte* sum = summed.sums.get() + summed.rows.size() * sum_bytes;
      if (summed.format == Format::f64) {
        sum_into(reinterpret_cast<double*>(sum), parts, format, width);
      } else {
        sum_into(reinterpret_cast<float*>(sum), parts, format, width);
      }
      at = sum;
    }
    summed.rows.push_back({static_cast<std::size_t>(row), at});
  }
  return summed;
}

}  // namespace adamant
