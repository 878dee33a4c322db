// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The memory of states that no rule of the library has, but its list of states can describe: fewer elements than the
// tensor, other values to start from.
#include "optim/storage.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "tests/support/buffers.h"

namespace adamant::testing {
namespace {

StateInfo state(std::string_view name, Extent extent, Start start, std::optional<double> Options::* option = nullptr) {
  return {name, true, {}, true, Measures::nothing, extent, start, option};
}

/// A variant with these states; those of Adafactor have the extents of rows and columns.
VariantInfo variant_with(std::initializer_list<StateInfo> states) {
  VariantInfo variant = info(Variant::sgd);
  for (const StateInfo& state : states) {
    variant.state_names[variant.state_count] = state.name;
    variant.state_infos[variant.state_count++] = state;
  }
  return variant;
}

TensorState tensor_of(Buffer& w, std::vector<std::size_t> shape) {
  TensorState tensor;
  tensor.name = "w";
  tensor.shape = std::move(shape);
  tensor.param = w.view();
  tensor.state_format = w.format() == Format::f64 ? StateFormat::f64 : StateFormat::f32;
  return tensor;
}

/// The numbers of a state and, after them, what its memory was rounded up by.
std::vector<double> numbers(const TensorState& tensor, std::size_t state, std::size_t bytes) {
  const std::byte* from = tensor.planes[plane_index(state, PlaneKind::values)].data;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < allocated_bytes(bytes); i += info(tensor.state_format).bytes) {
    float single = 0.0F;
    double number = 0.0;
    if (tensor.state_format == StateFormat::f64) {
      std::memcpy(&number, from + i, sizeof(number));
    } else {
      std::memcpy(&single, from + i, sizeof(single));
      number = single;
    }
    numbers.push_back(number);
  }
  return numbers;
}

Planes allocate(const TensorState& tensor, const VariantInfo& form) {
  NewPlanes wanted;
  wanted.add(0, tensor, form);
  return std::move(wanted.allocate().planes.front());
}

TEST(Storage, HasAsManyElementsAsTheExtentSays) {
  Buffer w(Format::f32, 6 * 700);
  const auto count = [&](std::vector<std::size_t> shape, Extent extent) {
    return state_elements(tensor_of(w, std::move(shape)), extent);
  };
  EXPECT_EQ(count({6, 700}, Extent::elements), 4200U);
  EXPECT_EQ(count({6, 700}, Extent::rows), 6U);
  EXPECT_EQ(count({6, 700}, Extent::columns), 700U);
  EXPECT_EQ(count({6, 7, 100}, Extent::columns), 700U);
  EXPECT_EQ(count({6, 700}, Extent::scalar), 1U);
  EXPECT_EQ(count({}, Extent::rows), 4200U);
  EXPECT_EQ(count({}, Extent::columns), 1U);
  Buffer none(Format::f32, 0);
  EXPECT_EQ(state_elements(tensor_of(none, {0, 700}), Extent::columns), 0U);
}

TEST(Storage, OfStatesWithFewerElementsIsAsLargeAsTheyAre) {
  const VariantInfo variant =
      variant_with({state("row", Extent::rows, Start::zero), state("column", Extent::columns, Start::zero),
                    state("scale", Extent::scalar, Start::zero)});
  Buffer w(Format::f32, 6 * 700);
  for (const StateFormat format : {StateFormat::f32, StateFormat::bf16}) {
    TensorState tensor = tensor_of(w, {6, 700});
    tensor.state_format = format;
    std::vector<std::size_t> bytes;
    for_each_plane(tensor, variant, [&](const PlaneInfo& plane) {
      EXPECT_EQ(plane.kind, PlaneKind::values);
      EXPECT_EQ(plane.state, bytes.size());
      bytes.push_back(plane.bytes);
    });
    const std::size_t one = info(format).bytes;
    EXPECT_EQ(bytes, (std::vector<std::size_t>{6 * one, 700 * one, one}));
    const Planes planes = allocate(tensor, variant);
    for (std::size_t s = 0; s < 3; ++s) EXPECT_NE(planes[plane_index(s, PlaneKind::values)].data, nullptr);
  }
}

TEST(Storage, StartsFromWhatTheStateSays) {
  const VariantInfo variant =
      variant_with({state("row", Extent::rows, Start::option, &Options::lr),
                    state("slow", Extent::elements, Start::parameter), state("column", Extent::columns, Start::zero)});
  for (const Format format : {Format::f32, Format::f64, Format::bf16}) {
    Buffer w = Buffer(format, 6 * 700).fill(1);
    TensorState tensor = tensor_of(w, {6, 700});
    tensor.planes = allocate(tensor, variant);
    fill_initial(tensor, variant, {.lr = 0.25});
    const std::size_t one = info(tensor.state_format).bytes;
    std::vector<double> rows(allocated_bytes(6 * one) / one, 0.0);
    std::fill_n(rows.begin(), 6, 0.25);
    EXPECT_EQ(numbers(tensor, 0, 6 * one), rows);
    const std::vector<double> slow = numbers(tensor, 1, 4200 * one);
    for (std::size_t i = 0; i < 4200; ++i) ASSERT_EQ(slow[i], w[i]) << i;
    for (const double number : numbers(tensor, 2, 700 * one)) ASSERT_EQ(number, 0.0);
  }
  // Only the last state starts from something: the others stay as the memory is.
  const VariantInfo last = variant_with(
      {state("zero", Extent::elements, Start::zero), state("scale", Extent::scalar, Start::option, &Options::eps)});
  Buffer w = Buffer(Format::f32, 300).fill(1);
  TensorState tensor = tensor_of(w, {300});
  tensor.planes = allocate(tensor, last);
  fill_initial(tensor, last, {.eps = 0.5});
  for (const double number : numbers(tensor, 0, 1200)) ASSERT_EQ(number, 0.0);
  EXPECT_EQ(numbers(tensor, 1, 4)[0], 0.5);
  EXPECT_EQ(numbers(tensor, 1, 4)[1], 0.0);
}

// Steps over many small tensors would meet as many pages as there are planes.
TEST(Storage, OfSmallPlanesOfOneKindLiesSideBySide) {
  Buffer w(Format::f32, 1000), large_w(Format::f32, kLargeFrom / sizeof(float));
  const VariantInfo& form = info(Variant::adamw);
  NewPlanes wanted;
  for (Buffer* of : {&w, &large_w, &w}) wanted.add(0, tensor_of(*of, {of->size()}), form);
  std::vector<Planes> planes = std::move(wanted.allocate().planes);
  const auto values = [&](std::size_t tensor, std::size_t state) {
    return planes[tensor][plane_index(state, PlaneKind::values)].data;
  };
  const auto bytes = static_cast<std::ptrdiff_t>(allocated_bytes(1000 * sizeof(float)));
  EXPECT_EQ(values(2, 0) - values(0, 0), bytes);
  EXPECT_EQ(values(0, 1) - values(0, 0), 2 * bytes);
  EXPECT_EQ(values(2, 1) - values(0, 0), 3 * bytes);
  // What is left stays.
  planes.erase(planes.begin(), planes.begin() + 2);
  std::memset(values(0, 1), 1, 1000 * sizeof(float));
  EXPECT_EQ(values(0, 1)[999], std::byte{1});
}

}  // namespace
}  // namespace adamant::testing
