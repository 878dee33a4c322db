// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Products of matrices of f32, most of the work of the models. Compiled for several instruction sets; each number of
// the result is the sum of its products in the order of the inner index, without fused multiply-add, so that all of
// them, and any other blocks, give the same bits.
#include "lab/matrix.h"

#include <algorithm>
#include <cstring>

namespace adamant::lab {
namespace {

using Eigen::Index;

constexpr Index kDepth = 256;  // of the inner index at once: what is packed of b then stays in the cache
constexpr Index kRows = 4;     // of a tile; with two vectors each, they fit into 16 registers

// A matrix, or its transpose.
struct View {
  const float* data;
  Index row_stride, column_stride;

  [[nodiscard]] const float* at(Index row, Index column) const {
    return data + row * row_stride + column * column_stride;
  }
};

// out = a·b, or more of it. out is row-major.
struct Product {
  View a, b;
  float* out;
  Index rows, columns, inner;
};

// As the bound of an array.
constexpr std::size_t bound(Index count) { return static_cast<std::size_t>(count); }

View view(const Matrix<float>& m) { return {m.data(), m.cols(), 1}; }
View transposed(const Matrix<float>& m) { return {m.data(), 1, m.cols()}; }

// Functions without an instruction set of their own take that of their caller, into which they are inlined.
#define ADAMANT_INLINED [[gnu::always_inline]] inline

template <Index kLanes>
struct Vector {
  typedef float Lanes __attribute__((vector_size(bound(kLanes) * sizeof(float))));
};

// Up to kMost numbers, mostly as many.
template <Index kMost>
ADAMANT_INLINED void copy(const float* from, Index count, float* to) {
  if (count == kMost) {
    std::memcpy(to, from, kMost * sizeof(float));
  } else {
    std::copy_n(from, count, to);
  }
}

// Rows of out from `row` on, columns from `column` on: adds depth products to each, which begin at `inner`.
template <Index kLanes, Index kVectors, Index kCount>
ADAMANT_INLINED void add_tile(const Product& p, const float* packed, Index row, Index column, Index inner,
                              Index depth) {
  using Lanes = typename Vector<kLanes>::Lanes;
  constexpr Index kWidth = kVectors * kLanes;
  const Index columns = std::min(kWidth, p.columns - column);
  float* const out = p.out + row * p.columns + column;
  Lanes sums[bound(kCount)][bound(kVectors)] = {};
  float buffer[bound(kWidth)] = {};
  if (inner > 0) {
    for (Index i = 0; i < kCount; ++i) {
      copy<kWidth>(out + i * p.columns, columns, buffer);
      std::memcpy(sums[i], buffer, sizeof(buffer));
    }
  }
  const float* a = p.a.at(row, inner);
  for (Index k = 0; k < depth; ++k, a += p.a.column_stride, packed += kWidth) {
    Lanes b[bound(kVectors)];
    std::memcpy(b, packed, sizeof(b));
    for (Index i = 0; i < kCount; ++i) {
      for (Index v = 0; v < kVectors; ++v) sums[i][v] += a[i * p.a.row_stride] * b[v];
    }
  }
  for (Index i = 0; i < kCount; ++i) {
    std::memcpy(buffer, sums[i], sizeof(buffer));
    copy<kWidth>(buffer, columns, out + i * p.columns);
  }
}

// depth rows of b from `inner` on, and the columns of a tile from `column` on, zeros behind the last.
ADAMANT_INLINED void pack(const Product& p, Index inner, Index depth, Index column, Index width, float* packed) {
  const Index columns = std::min(width, p.columns - column);
  if (columns < width) std::fill_n(packed, depth * width, 0.0F);
  if (p.b.column_stride == 1) {
    for (Index k = 0; k < depth; ++k) std::copy_n(p.b.at(inner + k, column), columns, packed + k * width);
  } else {
    for (Index j = 0; j < columns; ++j) {
      const float* from = p.b.at(inner, column + j);
      for (Index k = 0; k < depth; ++k) packed[k * width + j] = from[k * p.b.row_stride];
    }
  }
}

// Adds to the columns from `column` on, as many as a tile has.
template <Index kLanes, Index kVectors>
ADAMANT_INLINED void add_tiles(const Product& p, float* packed, Index column, Index inner, Index depth) {
  pack(p, inner, depth, column, kVectors * kLanes, packed);
  Index row = 0;
  for (; row + kRows <= p.rows; row += kRows) {
    add_tile<kLanes, kVectors, kRows>(p, packed, row, column, inner, depth);
  }
  for (; row < p.rows; ++row) add_tile<kLanes, kVectors, 1>(p, packed, row, column, inner, depth);
}

template <Index kLanes>
ADAMANT_INLINED void multiply(const Product& p) {
  alignas(64) float packed[bound(kDepth * 2 * kLanes)];
  for (Index inner = 0; inner < p.inner; inner += kDepth) {
    const Index depth = std::min(kDepth, p.inner - inner);
    Index column = 0;
    for (; column + kLanes < p.columns; column += 2 * kLanes) {
      add_tiles<kLanes, 2>(p, packed, column, inner, depth);
    }
    if (column < p.columns) add_tiles<kLanes, 1>(p, packed, column, inner, depth);
  }
}

using Multiply = void (*)(const Product&);

void multiply_portable(const Product& p) { multiply<4>(p); }
#if defined(__x86_64__)
[[gnu::target("avx2")]] void multiply_avx2(const Product& p) { multiply<8>(p); }
[[gnu::target("avx512f")]] void multiply_avx512(const Product& p) { multiply<16>(p); }
#endif

// Those that this processor has, the fastest last.
std::vector<Multiply> ways_to_multiply() {
  std::vector<Multiply> ways = {multiply_portable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) ways.push_back(multiply_avx2);
  if (__builtin_cpu_supports("avx512f")) ways.push_back(multiply_avx512);
#endif
  return ways;
}

void multiply(const View& a, const View& b, Index inner, Matrix<float>& out) {
  static const Multiply run = ways_to_multiply().back();
  if (inner == 0) out.setZero();
  run({a, b, out.data(), out.rows(), out.cols(), inner});
}

}  // namespace

template <>
void multiply(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out) {
  eigen_assert(a.cols() == b.rows());
  out.resize(a.rows(), b.cols());
  multiply(view(a), view(b), a.cols(), out);
}
template <>
void multiply_transposed(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out) {
  eigen_assert(a.rows() == b.rows());
  out.resize(a.cols(), b.cols());
  multiply(transposed(a), view(b), a.rows(), out);
}
template <>
void multiply_by_transposed(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out) {
  eigen_assert(a.cols() == b.cols());
  out.resize(a.rows(), b.rows());
  multiply(view(a), transposed(b), a.cols(), out);
}

std::vector<Matrix<float>> products_of_all(const Matrix<float>& a, const Matrix<float>& b) {
  std::vector<Matrix<float>> products;
  for (const Multiply run : ways_to_multiply()) {
    Matrix<float>& out = products.emplace_back(a.rows(), b.cols());
    run({view(a), view(b), out.data(), out.rows(), out.cols(), a.cols()});
  }
  return products;
}

template <class Real>
void before_rectifier(const Matrix<Real>& active, Matrix<Real>& grad) {
  const Real* const y = active.data();
  Real* const dy = grad.data();
  for (Index i = 0; i < grad.size(); ++i) {
    const Real dx = dy[i];
    dy[i] = y[i] > Real(0) ? dx : Real(0);
  }
}
template void before_rectifier(const Matrix<float>&, Matrix<float>&);
template void before_rectifier(const Matrix<double>&, Matrix<double>&);

}  // namespace adamant::lab
