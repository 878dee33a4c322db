// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/matrix.h"

namespace adamant::lab {

template void multiply(const Matrix<float>&, const Matrix<float>&, Matrix<float>&);
template void multiply_transposed(const Matrix<float>&, const Matrix<float>&, Matrix<float>&);
template void multiply_by_transposed(const Matrix<float>&, const Matrix<float>&, Matrix<float>&);

}  // namespace adamant::lab
