// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Eigen's dense matrices, as the lab uses them: row-major, one sample a row.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "lab/random.h"

namespace adamant::lab {

template <class Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A named parameter of a model and its gradient.
template <class Real>
struct Weight {
  std::string name;
  Matrix<Real> value;
  Matrix<Real> grad;

  Weight(std::string name, Eigen::Index rows, Eigen::Index cols)
      : name(std::move(name)), value(Matrix<Real>::Zero(rows, cols)), grad(Matrix<Real>::Zero(rows, cols)) {}

  /// Normal with that standard deviation.
  void set_random(double deviation, const Random& random) {
    for (Eigen::Index i = 0; i < value.size(); ++i) {
      value.data()[i] = static_cast<Real>(deviation * random.normal(static_cast<std::uint64_t>(i)));
    }
  }
  /// Uniform between -bound and bound, with the numbers from `first` on.
  void set_uniform(double bound, const Random& random, Eigen::Index first = 0) {
    for (Eigen::Index i = 0; i < value.size(); ++i) {
      value.data()[i] = static_cast<Real>(bound * (2.0 * random.uniform(static_cast<std::uint64_t>(first + i)) - 1.0));
    }
  }
};

/// out = a·b
template <class Real>
void multiply(const Matrix<Real>& a, const Matrix<Real>& b, Matrix<Real>& out) {
  out.noalias() = a * b;
}
/// out = aᵀ·b
template <class Real>
void multiply_transposed(const Matrix<Real>& a, const Matrix<Real>& b, Matrix<Real>& out) {
  out.noalias() = a.transpose() * b;
}
/// out = a·bᵀ
template <class Real>
void multiply_by_transposed(const Matrix<Real>& a, const Matrix<Real>& b, Matrix<Real>& out) {
  out.noalias() = a * b.transpose();
}

// For f32, which the workloads use: in matrix.cc, and faster than Eigen's, which is compiled for what every processor
// has. `out` is neither a nor b.
template <>
void multiply(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out);
template <>
void multiply_transposed(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out);
template <>
void multiply_by_transposed(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& out);

/// a·b by each instruction set that this processor has.
[[nodiscard]] std::vector<Matrix<float>> products_of_all(const Matrix<float>& a, const Matrix<float>& b);

/// From the gradient of max(x, 0) to that of x, in place; `active` is max(x, 0).
template <class Real>
void before_rectifier(const Matrix<Real>& active, Matrix<Real>& grad);

}  // namespace adamant::lab
