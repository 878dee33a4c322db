// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Views of your memory. The library never owns or copies parameters or gradients.
#pragma once

#include <adamant/format.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace adamant {

namespace detail {
template <class C>
using ElementOf = std::remove_cvref_t<decltype(*std::data(std::declval<C&>()))>;
template <class C>
concept Elements = requires(C& c) {
  std::data(c);
  std::size(c);
  FormatOf<ElementOf<C>>::value;
};
// Matrix views like Eigen's have strides; only those without gaps are contiguous memory.
template <class C>
concept Strided = requires(const C& c) {
  c.innerStride();
  c.outerStride();
  c.innerSize();
  c.outerSize();
};
template <class C>
concept MatrixLike = requires(const C& c) {
  c.rows();
  c.cols();
  std::remove_cvref_t<C>::IsRowMajor;
};
template <class C>
bool is_contiguous(const C& c) {
  if constexpr (Strided<C>) {
    return c.size() <= 1 ||
           ((c.innerStride() == 1 || c.innerSize() <= 1) && (c.outerStride() == c.innerSize() || c.outerSize() <= 1));
  } else {
    return true;
  }
}
}  // namespace detail

/// A view of `size` contiguous elements of one format in your memory. It is constructed from a pointer and a count, or
/// from anything with `data()` and `size()`: std::vector, std::array, std::span, an Eigen vector, matrix or map. The
/// memory must outlive its use. An optimizer refuses a view with gaps (an Eigen block).
struct Tensor {
  void* data = nullptr;
  std::size_t size = 0;  ///< elements
  Format format = Format::f32;
  bool writable = true;
  bool contiguous = true;
  /// Shape and storage order of a matrix type that has them, like Eigen's; 0 x 0 for everything else. A parameter and
  /// its gradient are compared by them, so that a matrix stored by rows is not combined with one stored by columns.
  struct Matrix {
    std::size_t rows = 0, columns = 0;
    bool by_rows = true;
    [[nodiscard]] bool known() const noexcept { return rows > 0 && columns > 0; }
    friend bool operator==(const Matrix&, const Matrix&) = default;
  };
  Matrix matrix{};

  Tensor() = default;
  Tensor(void* data, std::size_t size, Format format) : data(data), size(size), format(format) {}
  Tensor(const void* data, std::size_t size, Format format)
      : data(const_cast<void*>(data)), size(size), format(format), writable(false) {}
  template <class T>
    requires requires { FormatOf<std::remove_const_t<T>>::value; }
  Tensor(T* data, std::size_t size)
      : data(const_cast<std::remove_const_t<T>*>(data)),
        size(size),
        format(FormatOf<std::remove_const_t<T>>::value),
        writable(!std::is_const_v<T>) {}
  template <class C>
    requires(detail::Elements<C> && (std::is_lvalue_reference_v<C &&> || std::ranges::borrowed_range<C>) &&
             !std::is_same_v<std::remove_cvref_t<C>, Tensor>)
  Tensor(C&& c) : Tensor(std::data(c), static_cast<std::size_t>(std::size(c))) {
    contiguous = detail::is_contiguous(c);
    if constexpr (detail::MatrixLike<C>) {
      matrix = {static_cast<std::size_t>(c.rows()), static_cast<std::size_t>(c.cols()),
                static_cast<bool>(std::remove_cvref_t<C>::IsRowMajor)};
    }
  }
};

/// One named parameter: its memory, the memory of its gradient, and its shape.
/// Checkpoints match parameters by name. A name is unique, not empty, at most 512 bytes of UTF-8 without control
/// characters, '/' and "..", and not "__metadata__", which safetensors files reserve.
/// Without a gradient (`{"w", w}`) the tensor is left alone until set_grad provides one.
/// The shape is only needed for sparse gradients and for information; empty means one dimension of param.size. The
/// elements of its last dimension are neighbours in memory.
struct Param {
  std::string name;
  Tensor param;
  Tensor grad;
  std::vector<std::size_t> shape;

  Param(std::string name, Tensor param, Tensor grad = {}, std::vector<std::size_t> shape = {})
      : name(std::move(name)), param(param), grad(grad), shape(std::move(shape)) {}
};

}  // namespace adamant
