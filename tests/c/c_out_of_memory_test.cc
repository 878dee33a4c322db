// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// When memory runs out in a C call, at any of its allocations, its status says so, nothing was changed and the call can
// be made again.
#include <adamant/adamant.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "c/calls.h"
#include "tests/support/buffers.h"
#include "tests/support/failing_new.h"
#include "tests/support/files.h"

namespace adamant::testing {
namespace {

template <class S>
S made() {
  S made{};
  made.struct_size = sizeof(S);
  return made;
}
adamant_value option(const char* name, const char* text) {
  auto value = made<adamant_value>();
  value.name = name;
  value.text = text;
  return value;
}

struct Model {
  Model() {
    settings[0] = option("threads", "1");
    settings[1] = option("max_norm", "1");
    tensors[0] = tensor("a tensor with a long name", a, a_grad);
    tensors[1] = tensor("b", b, b_grad);
    tensors[1].shape = shape;
    tensors[1].ndim = 2;
    group = made<adamant_group>();
    group.tensors = tensors;
    group.tensor_count = 2;
    late_tensor = tensor("a late tensor with a long name", late, late);
    late_tensor.grad = nullptr;
    late_group = made<adamant_group>();
    late_group.tensors = &late_tensor;
    late_group.tensor_count = 1;
    config = made<adamant_config>();
    config.rule = "adamw";
    config.groups = &group;
    config.group_count = 1;
    config.preset = "q8";
    config.settings = settings;
    config.setting_count = 2;
    EXPECT_EQ(adamant_create(&config, &optimizer), ADAMANT_OK) << adamant_last_error();
    EXPECT_EQ(adamant_step(optimizer, nullptr, nullptr), ADAMANT_OK);
    EXPECT_EQ(adamant_save(optimizer, saved.c_str(), nullptr), ADAMANT_OK);
    EXPECT_EQ(adamant_checkpoints_open((folder.path() / "run").c_str(), nullptr, &checkpoints), ADAMANT_OK);
    EXPECT_EQ(adamant_checkpoints_save(checkpoints, optimizer, nullptr, 0, 0), ADAMANT_OK);
    EXPECT_EQ(adamant_step(optimizer, nullptr, nullptr), ADAMANT_OK);
    a_grad.fill(6);
    EXPECT_EQ(adamant_statistics_create(nullptr, &statistics), ADAMANT_OK);
    step.statistics = statistics;
    step.grads = grads;
    step.grad_count = 2;
  }
  ~Model() {
    adamant_checkpoints_free(checkpoints);
    adamant_statistics_free(statistics);
    adamant_free(optimizer);
  }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  static adamant_tensor tensor(const char* name, Buffer& param, Buffer& grad) {
    auto tensor = made<adamant_tensor>();
    tensor.name = name;
    tensor.data = param.data();
    tensor.size = param.size();
    tensor.format = static_cast<std::int32_t>(param.format());
    tensor.grad = grad.data();
    tensor.grad_format = static_cast<std::int32_t>(grad.format());
    return tensor;
  }
  [[nodiscard]] std::string bits() {
    const Optimizer& own = optimizer->optimizer;
    std::string all = opened ? "" : bits_of(own.state_dict());
    for (const Buffer* buffer : {&a, &b}) all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * 2);
    all += std::to_string(own.tensor_count()) + std::to_string(own.group_count());
    for (std::size_t t = 0; t < own.tensor_count(); ++t) all += std::to_string(own.tensor(t).step);
    for (std::size_t g = 0; g < own.group_count(); ++g) all += std::to_string(*own.options(g).lr);
    all += std::to_string(own.grad_norm().value_or(-1.0));
    return all + get_setting(own.settings(), "max_norm");
  }
  /// Loads what the optimizer knows, from its own memory.
  adamant_status load() {
    auto state = made<adamant_state>();
    adamant_group_info group_info = made<adamant_group_info>();
    adamant_tensor_info infos[] = {made<adamant_tensor_info>(), made<adamant_tensor_info>()};
    std::vector<adamant_plane> planes[2];
    const char* const names[] = {tensors[0].name, tensors[1].name};
    const std::size_t one = a.size();
    const std::size_t* const shapes[] = {&one, shape};
    const long own = std::exchange(left, kEnough);
    EXPECT_EQ(adamant_get_state(optimizer, &state), ADAMANT_OK);
    EXPECT_EQ(adamant_get_group(optimizer, 0, &group_info), ADAMANT_OK);
    for (std::size_t t = 0; t < 2; ++t) {
      EXPECT_EQ(adamant_get_tensor(optimizer, t, &infos[t]), ADAMANT_OK);
      planes[t].assign(infos[t].planes, infos[t].planes + infos[t].plane_count);
      infos[t].planes = planes[t].data();
      infos[t].name = names[t];
      infos[t].shape = shapes[t];
    }
    state.groups = &group_info;
    state.tensors = infos;
    left = own;
    return adamant_load(optimizer, &state);
  }

  TemporaryFolder folder;
  std::string file = folder.path() / "checkpoint", saved = folder.path() / "saved";
  Buffer a = Buffer(Format::bf16, 5000).fill(1), b = Buffer(Format::bf16, 30 * 128).fill(2), late = b;
  Buffer a_grad = Buffer(Format::bf16, 5000).fill(3), b_grad = Buffer(Format::bf16, 30 * 128).fill(4);
  std::vector<float> numbers = std::vector<float>(5000, 0.5F);
  std::size_t shape[2] = {30, 128};
  std::int64_t rows[3] = {7, 3, 7};
  Buffer row_grads = Buffer(Format::bf16, 3 * 128).fill(5);
  void* grads[2] = {a_grad.data(), b_grad.data()};
  void* params[2] = {a.data(), b.data()};
  adamant_value settings[2];
  adamant_tensor tensors[2], late_tensor;
  adamant_group group, late_group;
  adamant_config config;
  adamant_optimizer* optimizer = nullptr;
  adamant_statistics* statistics = nullptr;
  adamant_checkpoints* checkpoints = nullptr;
  adamant_step_options step = made<adamant_step_options>();
  bool opened = false;  // a step by tensors
};

struct Call {
  std::string name;
  std::function<adamant_status(Model&)> run;
  bool in_step = false;
};
std::ostream& operator<<(std::ostream& out, const Call& call) { return out << call.name; }

const Call kCalls[] = {
    {"create",
     [](Model& m) {
       adamant_optimizer* other = nullptr;
       const adamant_status status = adamant_create(&m.config, &other);
       EXPECT_EQ(other == nullptr, status != ADAMANT_OK);
       adamant_free(other);
       return status;
     }},
    {"get_option_info",
     [](Model&) {
       auto info = made<adamant_option_info>();
       return adamant_get_option_info("adagrad", 3, &info);
     }},
    {"get_setting_info",
     [](Model&) {
       auto info = made<adamant_setting_info>();
       return adamant_get_setting_info(1, &info);
     }},
    {"get_name",
     [](Model&) {
       const char* name = nullptr;
       return adamant_get_name(ADAMANT_TARGETS, 0, &name);
     }},
    {"add_group", [](Model& m) { return adamant_add_group(m.optimizer, &m.late_group, nullptr); }},
    {"remove_tensor", [](Model& m) { return adamant_remove_tensor(m.optimizer, 0); }},
    {"find_tensor",
     [](Model& m) {
       std::size_t index = 0;
       return adamant_find_tensor(m.optimizer, m.tensors[0].name, &index);
     }},
    {"get_option",
     [](Model& m) {
       auto value = made<adamant_value>();
       return adamant_get_option(m.optimizer, 0, "betas", &value);
     }},
    {"set_options",
     [](Model& m) {
       const adamant_value changes[] = {option("lr", "0.5"), option("betas", "0.25, 0.123456789012345")};
       return adamant_set_options(m.optimizer, 0, changes, 2);
     }},
    {"set_lr", [](Model& m) { return adamant_set_lr(m.optimizer, 0.5); }},
    {"get_setting",
     [](Model& m) {
       const char* text = nullptr;
       return adamant_get_setting(m.optimizer, "weights", &text);
     }},
    {"set_settings",
     [](Model& m) {
       const adamant_value change = option("max_norm", "0.0123456789012345678");
       return adamant_set_settings(m.optimizer, &change, 1);
     }},
    {"set_formats", [](Model& m) { return adamant_set_formats(m.optimizer, "bf16", "plain"); }},
    {"set_grads",
     [](Model& m) {
       const std::int32_t formats[] = {ADAMANT_BF16, ADAMANT_BF16};
       return adamant_set_grads(m.optimizer, nullptr, m.grads, formats, 2);
     }},
    {"set_params", [](Model& m) { return adamant_set_params(m.optimizer, nullptr, m.params, 2); }},
    {"set_lazy_row_grad",
     [](Model& m) {
       return adamant_set_lazy_row_grad(m.optimizer, 1, m.rows, 3, m.row_grads.data(), m.row_grads.size(),
                                        ADAMANT_BF16);
     }},
    {"zero_grad", [](Model& m) { return adamant_zero_grad(m.optimizer); }},
    {"step",
     [](Model& m) {
       auto report = made<adamant_step_report>();
       return adamant_step(m.optimizer, &m.step, &report);
     }},
    {"begin_step",
     [](Model& m) {
       const adamant_status status = adamant_begin_step(m.optimizer, &m.step);
       m.opened = status == ADAMANT_OK;
       return status;
     }},
    {"step_tensor",
     [](Model& m) { return adamant_step_tensor(m.optimizer, 0, m.a_grad.data(), ADAMANT_BF16, nullptr); }, true},
    {"end_step",
     [](Model& m) {
       const adamant_status status = adamant_end_step(m.optimizer, nullptr);
       m.opened = status != ADAMANT_OK;
       return status;
     },
     true},
    {"get_group",
     [](Model& m) {
       auto info = made<adamant_group_info>();
       return adamant_get_group(m.optimizer, 0, &info);
     }},
    {"get_tensor",
     [](Model& m) {
       auto info = made<adamant_tensor_info>();
       return adamant_get_tensor(m.optimizer, 0, &info);
     }},
    {"load", [](Model& m) { return m.load(); }},
    {"save", [](Model& m) { return adamant_save(m.optimizer, m.file.c_str(), nullptr); }},
    {"load_file",
     [](Model& m) {
       auto info = made<adamant_checkpoint_info>();
       return adamant_load_file(m.optimizer, m.saved.c_str(), nullptr, &info);
     }},
    {"checkpoints_load",
     [](Model& m) {
       auto info = made<adamant_checkpoint_info>();
       std::int32_t found = 0;
       const adamant_status status = adamant_checkpoints_load(m.checkpoints, m.optimizer, nullptr, &info, &found);
       EXPECT_EQ(found == 1, status == ADAMANT_OK);
       return status;
     }},
    {"inspect",
     [](Model& m) {
       auto info = made<adamant_checkpoint_info>();
       return adamant_inspect(m.saved.c_str(), &info);
     }},
    {"set_plane",
     [](Model& m) { return adamant_set_plane(m.optimizer, 0, "exp_avg_sq", ADAMANT_EXPONENTS, nullptr, 0); }},
    {"export_param", [](Model& m) { return adamant_export_param(m.optimizer, 0, m.numbers.data(), 5000); }},
    {"import_param", [](Model& m) { return adamant_import_param(m.optimizer, 0, m.numbers.data(), 5000); }},
    {"export_state",
     [](Model& m) { return adamant_export_state(m.optimizer, 0, "exp_avg_sq", m.numbers.data(), 5000); }},
    {"statistics_create",
     [](Model&) {
       adamant_statistics* other = nullptr;
       const adamant_status status = adamant_statistics_create(nullptr, &other);
       EXPECT_EQ(other == nullptr, status != ADAMANT_OK);
       adamant_statistics_free(other);
       return status;
     }},
    {"health_create",
     [](Model&) {
       adamant_health* other = nullptr;
       const adamant_status status = adamant_health_create(&other);
       EXPECT_EQ(other == nullptr, status != ADAMANT_OK);
       adamant_health_free(other);
       return status;
     }},
    // A refusal needs memory for its text.
    {"refusal",
     [](Model& m) {
       const adamant_status status = adamant_set_lr(m.optimizer, -1.0);
       return status == ADAMANT_INVALID_ARGUMENT ? ADAMANT_OK : status;
     }},
};

class COutOfMemory : public ::testing::TestWithParam<Call> {};

TEST_P(COutOfMemory, ChangesNothing) {
  const Call& call = GetParam();
  Model whole, short_of;
  for (Model* model : {&whole, &short_of}) {
    if (!call.in_step) continue;
    ASSERT_EQ(adamant_begin_step(model->optimizer, &model->step), ADAMANT_OK);
    model->opened = true;
  }
  const std::string before = short_of.bits();
  for (long failures = 0;; ++failures) {
    left = failures;
    const adamant_status status = call.run(short_of);
    left = kEnough;
    if (status == ADAMANT_OK) break;
    ASSERT_EQ(status, ADAMANT_OUT_OF_MEMORY) << "at allocation " << failures << ": " << adamant_last_error();
    EXPECT_STREQ(adamant_last_error(), "out of memory");
    ASSERT_EQ(short_of.bits(), before) << "at allocation " << failures;
  }
  ASSERT_EQ(call.run(whole), ADAMANT_OK);
  EXPECT_EQ(short_of.bits(), whole.bits());
}

INSTANTIATE_TEST_SUITE_P(In, COutOfMemory, ::testing::ValuesIn(kCalls),
                         [](const auto& call) { return call.param.name; });

}  // namespace
}  // namespace adamant::testing
