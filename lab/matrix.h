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
};

}  // namespace adamant::lab
