// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// When memory runs out in a call, at any of its allocations, nothing was changed and the call can be made again.
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/buffers.h"
#include "tests/support/failing_new.h"

namespace adamant::testing {
namespace {

struct Model {
  explicit Model(const Settings& settings)
      : optimizer(Rule::adamw, {{"a", a.view(), a_grad.view()}, {"b", b.view(), b_grad.view(), {30, 128}}}, {},
                  settings) {
    optimizer.set_lazy_row_grad("b", rows, row_grads.view());
    optimizer.step();
  }
  [[nodiscard]] std::string bits() {
    std::string all = opened ? "" : bits_of(optimizer.state_dict());
    for (const Buffer* buffer : {&a, &b}) all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * 2);
    all += std::to_string(optimizer.tensor_count()) + std::to_string(optimizer.group_count());
    for (std::size_t t = 0; t < optimizer.tensor_count(); ++t) all += std::to_string(optimizer.tensor(t).step);
    for (std::size_t g = 0; g < optimizer.group_count(); ++g) all += std::to_string(*optimizer.options(g).lr);
    return all;
  }

  Buffer a = Buffer(Format::bf16, 5000).fill(1), b = Buffer(Format::bf16, 30 * 128).fill(2), more = b;
  Buffer a_grad = Buffer(Format::bf16, 5000).fill(3), b_grad = Buffer(Format::bf16, 30 * 128).fill(4);
  Buffer row_grads = Buffer(Format::bf16, 3 * 128).fill(5);
  std::vector<std::int64_t> rows = {7, 3, 7};
  Statistics statistics;
  Optimizer optimizer;
  bool opened = false;  // a step by tensors
};

struct Call {
  std::string name;
  std::function<void(Model&)> run;
  bool in_step = false;
};
std::ostream& operator<<(std::ostream& out, const Call& call) { return out << call.name; }

const Call kCalls[] = {
    {"step", [](Model& m) { m.optimizer.step(); }},
    {"observed_step", [](Model& m) { m.optimizer.step({.statistics = &m.statistics}); }},
    {"begin_step",
     [](Model& m) {
       m.optimizer.begin_step();
       m.opened = true;
     }},
    {"step_tensor", [](Model& m) { m.optimizer.step_tensor("a"); }, true},
    {"step_rows", [](Model& m) { m.optimizer.step_tensor(1); }, true},
    {"step_tensor_with", [](Model& m) { m.optimizer.step_tensor("b", m.b_grad.view()); }, true},
    {"end_step",
     [](Model& m) {
       m.optimizer.end_step();
       m.opened = false;
     },
     true},
    {"set_grad", [](Model& m) { m.optimizer.set_grad("b", m.b_grad.view()); }},
    {"set_grads",
     [](Model& m) {
       void* const data[] = {m.a_grad.data(), nullptr};
       m.optimizer.set_grads(data);
     }},
    {"set_params",
     [](Model& m) {
       void* const data[] = {m.b.data()};
       const std::size_t tensors[] = {1};
       m.optimizer.set_params(data, tensors);
     }},
    {"set_lazy_row_grad", [](Model& m) { m.optimizer.set_lazy_row_grad("b", m.rows, m.row_grads.view()); }},
    {"add_param_group", [](Model& m) { m.optimizer.add_param_group({{{"more", m.more.view()}}, {}}); }},
    {"set_lr", [](Model& m) { m.optimizer.set_lr(0.5); }},
    {"set_options", [](Model& m) { m.optimizer.set_options(0, {.lr = 0.5}); }},
    {"set_settings", [](Model& m) { m.optimizer.set_settings(m.optimizer.settings()); }},
    {"set_formats", [](Model& m) { m.optimizer.set_formats(StateFormat::bf16, WeightFormat::plain); }},
    {"state_dict", [](Model& m) { static_cast<void>(m.optimizer.state_dict()); }},
    {"load_state_dict", [](Model& m) { m.optimizer.load_state_dict(m.optimizer.state_dict()); }},
    {"export_param", [](Model& m) { static_cast<void>(m.optimizer.export_param("b")); }},
    {"export_state", [](Model& m) { static_cast<void>(m.optimizer.export_state("b", "exp_avg")); }},
};

class OutOfMemory : public ::testing::TestWithParam<Call> {};

TEST_P(OutOfMemory, ChangesNothing) {
  const Call& call = GetParam();
  for (const char* state : {"q8", "f32"}) {
    Settings settings = preset(state);
    settings.threads = 1;
    settings.max_norm = 1.0;
    Model whole(settings), short_of(settings);
    for (Model* model : {&whole, &short_of}) {
      if (!call.in_step) continue;
      model->optimizer.begin_step({.statistics = &model->statistics});
      model->opened = true;
    }
    const std::string before = short_of.bits();
    long failures = 0;
    for (;; ++failures) {
      left = failures;
      try {
        call.run(short_of);
        left = kEnough;
        break;
      } catch (const std::bad_alloc&) {
      }
      ASSERT_EQ(short_of.bits(), before) << "at allocation " << failures;
    }
    call.run(whole);
    EXPECT_EQ(short_of.bits(), whole.bits());
    RecordProperty(std::string("allocations_") + state, static_cast<int>(failures));
  }
}

INSTANTIATE_TEST_SUITE_P(In, OutOfMemory, ::testing::ValuesIn(kCalls),
                         [](const auto& call) { return call.param.name; });

}  // namespace
}  // namespace adamant::testing
