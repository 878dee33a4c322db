// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Gradients and parameters of many tensors, set in one call: all of them or none. And what is known of each tensor.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

class ManyTensors : public ::testing::Test {
 protected:
  Buffer a = Buffer(Format::f32, 5).fill(1), b = Buffer(Format::bf16, 3).fill(2), c = Buffer(Format::f32, 5).fill(3);
  Buffer a_grad = Buffer(Format::f32, 5).fill(4), b_grad = Buffer(Format::bf16, 3).fill(5);
  Buffer c_grad = Buffer(Format::f16, 5).fill(6);
  Optimizer optimizer = Optimizer(Rule::sgd, {{"a", a.view(), a_grad.view()}, {"b", b.view()}, {"c", c.view()}});

  /// The step of each tensor after one more: whether it has a gradient.
  std::string stepped() {
    const auto steps = [&] {
      std::vector<std::uint64_t> all;
      for (std::size_t i = 0; i < 3; ++i) all.push_back(optimizer.tensor(i).step);
      return all;
    };
    const auto before = steps();
    optimizer.step();
    const auto after = steps();
    std::string names;
    for (std::size_t i = 0; i < 3; ++i) names += after[i] > before[i] ? optimizer.tensor(i).name : "-";
    return names;
  }
};

TEST_F(ManyTensors, GetGradientsInOneCall) {
  EXPECT_EQ(stepped(), "a--");
  const std::array<void*, 3> data = {nullptr, b_grad.data(), c_grad.data()};
  const std::array formats = {Format::f32, Format::bf16, Format::f16};
  optimizer.set_grads(data, {}, formats);
  Buffer same_c = c;
  Optimizer alone(Rule::sgd, {{"c", same_c.view(), c_grad.view()}});
  EXPECT_EQ(stepped(), "-bc");
  alone.step();
  EXPECT_EQ(c, same_c);
  // By index, in the formats of the parameters.
  const std::array<void*, 2> some = {nullptr, a_grad.data()};
  const std::array<std::size_t, 2> tensors = {2, 0};
  optimizer.set_grads(some, tensors);
  EXPECT_EQ(stepped(), "ab-");
}

TEST_F(ManyTensors, GetGradientsThatMustNotBeWritten) {
  const std::array<void*, 3> data = {a_grad.data(), b_grad.data(), c_grad.data()};
  const std::array formats = {Format::f32, Format::bf16, Format::f16};
  const std::array read_only = {false, true, false};
  const std::vector<double> before = a_grad.values();
  optimizer.set_grads(data, {}, formats, read_only);
  EXPECT_EQ(stepped(), "abc");
  EXPECT_EQ(refusal([&] { optimizer.zero_grad(); }),
            "invalid_argument: gradient of 'b' is read-only: zero_grad cannot clear it");
  EXPECT_EQ(a_grad.values(), before);
  EXPECT_EQ(refusal([&] { optimizer.set_grads(data, {}, formats, std::span(read_only).first(2)); }),
            "mismatch: read_only has 2 values for 3 gradients");
  optimizer.set_grads(data, {}, formats);
  optimizer.zero_grad();
  EXPECT_NE(a_grad.values(), before);
}

TEST_F(ManyTensors, GetAllGradientsOrNone) {
  const std::array<void*, 3> data = {nullptr, b_grad.data(), a.data()};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(data); }), "duplicate: gradient of 'c' shares memory with parameter 'a'");
  const std::array<void*, 2> two = {b_grad.data(), b_grad.data()};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two); }), "mismatch: 2 gradients are given for 3 tensors");
  const std::array<std::size_t, 1> one = {1};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two, one); }), "mismatch: 2 gradients are given for 1 tensor");
  const std::array<std::size_t, 2> unknown = {1, 3};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two, unknown); }), "not_found: no tensor 3: the optimizer has 3 tensors");
  const std::array<std::size_t, 2> known = {1, 2};
  const std::array format = {Format::f64};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two, known, format); }), "mismatch: formats has 1 value for 2 gradients");
  const std::array wide = {Format::bf16, Format::f64};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two, known, wide); }),
            "mismatch: gradient of 'c' is f64 but its parameter is f32: f64 goes with f64 only");
  const std::array<std::size_t, 2> same = {1, 1};
  EXPECT_EQ(refusal([&] { optimizer.set_grads(two, same); }), "duplicate: gradient of 'b' is given twice");
  EXPECT_EQ(stepped(), "a--");
}

TEST_F(ManyTensors, MoveInOneCall) {
  // Two parameters change places, which one after the other could not.
  const std::vector<double> of_a = a.values(), of_c = c.values();
  const std::array<void*, 2> swapped = {c.data(), a.data()};
  const std::array<std::size_t, 2> tensors = {0, 2};
  optimizer.set_params(swapped, tensors);
  EXPECT_EQ(stepped(), "a--");
  EXPECT_EQ(a.values(), of_a);
  EXPECT_NE(c.values(), of_c);
  EXPECT_EQ(optimizer.param("a").data, c.data());
  EXPECT_EQ(optimizer.param("a").size, 5u);
  EXPECT_EQ(optimizer.param(1).format, Format::bf16);
}

TEST_F(ManyTensors, MoveAllOrNone) {
  Buffer place(Format::f32, 5);
  const std::array<void*, 3> onto_other = {place.data(), b.data(), place.data() + 4};
  EXPECT_EQ(refusal([&] { optimizer.set_params(onto_other); }), "duplicate: parameters 'a' and 'c' share memory");
  const std::array<void*, 3> onto_gradient = {a.data(), b.data(), a_grad.data()};
  EXPECT_EQ(refusal([&] { optimizer.set_params(onto_gradient); }),
            "duplicate: gradient of 'a' shares memory with parameter 'c'");
  const std::array<void*, 3> null = {place.data(), nullptr, c.data()};
  EXPECT_EQ(refusal([&] { optimizer.set_params(null); }), "invalid_argument: parameter 'b' is null but has 3 elements");
  const std::array<void*, 2> twice = {place.data(), c.data()};
  const std::array<std::size_t, 2> same = {0, 0};
  EXPECT_EQ(refusal([&] { optimizer.set_params(twice, same); }), "duplicate: parameter 'a' is given twice");
  EXPECT_EQ(refusal([&] { optimizer.set_params(twice); }), "mismatch: 2 parameters are given for 3 tensors");
  for (const auto& [name, buffer] : {std::pair("a", &a), std::pair("b", &b), std::pair("c", &c)}) {
    EXPECT_EQ(optimizer.param(name).data, buffer->data());
  }
  // The memory of the parameters is still guarded.
  EXPECT_EQ(refusal([&] { optimizer.set_grad("b", Tensor(a.data(), 3, Format::bf16)); }),
            "duplicate: gradient of 'b' shares memory with parameter 'a'");
}

TEST_F(ManyTensors, HaveStepCountsThatCanBeSet) {
  Optimizer adamw(Rule::adamw, {{"moved a", c.view(), a_grad.view()}}, {}, {.report_norm = true});
  EXPECT_EQ(adamw.grad_norm(), std::nullopt);
  const StepReport report = adamw.step();
  EXPECT_EQ(adamw.grad_norm(), report.grad_norm);
  EXPECT_EQ(adamw.formula(), adamw.state_dict().groups[0].formula);
  adamw.set_tensor_step(0, 41);
  StateDict dict = adamw.state_dict();
  EXPECT_EQ(dict.tensors.at("moved a").step, 41u);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  adamw.set_tensor_step("moved a", kMost);
  EXPECT_EQ(adamw.tensor(0).step, kMost);
  EXPECT_EQ(refusal([&] { adamw.set_tensor_step(0, kMost + 1); }),
            "invalid_argument: step of tensor 'moved a' is 4611686018427387905, must be at most 2^62");
  EXPECT_EQ(refusal([&] { adamw.set_tensor_step("b", 1); }), "not_found: no tensor 'b' in this optimizer");
  EXPECT_EQ(refusal([&] { static_cast<void>(adamw.formula(1)); }),
            "not_found: no parameter group 1: the optimizer has 1 group");
}

TEST_F(ManyTensors, AreOfARunWhoseProgressCanBeSet) {
  optimizer.set_progress(7, 0.5);
  EXPECT_EQ(optimizer.steps(), 7u);
  EXPECT_EQ(optimizer.grad_norm(), 0.5);
  EXPECT_EQ(refusal([&] { optimizer.set_progress((std::uint64_t{1} << 62) + 1, {}); }),
            "invalid_argument: set_progress: the run has taken 4611686018427387905 steps, must be at most 2^62");
  EXPECT_EQ(refusal([&] { optimizer.set_progress(1, -1.0); }),
            "invalid_argument: set_progress: grad_norm is -1: must be finite and >= 0");
  EXPECT_EQ(refusal([&] { optimizer.set_progress(1, std::numeric_limits<double>::infinity()); }),
            "invalid_argument: set_progress: grad_norm is inf: must be finite and >= 0");
  EXPECT_EQ(optimizer.steps(), 7u);
  optimizer.step();
  EXPECT_EQ(optimizer.state_dict().steps, 8u);
  EXPECT_EQ(optimizer.state_dict().grad_norm, 0.5);
  optimizer.set_progress(0, {});
  EXPECT_EQ(optimizer.grad_norm(), std::nullopt);
}

}  // namespace
}  // namespace adamant::testing
