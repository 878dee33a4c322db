// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A step tensor by tensor: the same bits as a whole step, whatever the order and however short a gradient lives.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

// Three tensors, the same in every model of the same settings.
struct Model {
  explicit Model(const Form& form, const Settings& settings = {}, Format format = Format::f32) {
    for (const std::size_t size : kSizes) params.push_back(Buffer(format, size).fill(size));
    for (const std::size_t size : kSizes) grads.push_back(Buffer(format, size).fill(size + 1));
    std::vector<Param> list;
    for (std::size_t t = 0; t < 3; ++t) list.emplace_back(kNames[t], params[t].view());
    optimizer.emplace(form.rule, list, form.options, settings);
  }
  void fill(std::uint64_t seed, double scale = 1.0) {
    for (std::size_t t = 0; t < 3; ++t) grads[t].fill(3 * seed + t, scale);
  }
  StepReport whole_step(const StepOptions& options = {}) {
    for (std::size_t t = 0; t < 3; ++t) optimizer->set_grad(t, grads[t].view());
    return optimizer->step(options);
  }
  StepReport step_by_tensors(const std::vector<std::size_t>& order, const StepOptions& options = {}) {
    optimizer->begin_step(options);
    for (const std::size_t t : order) {
      // The gradient is gone as soon as its tensor is updated.
      Buffer grad = grads[t];
      EXPECT_TRUE(optimizer->step_tensor(kNames[t], grad.view()));
      grad.fill(77, std::numeric_limits<float>::infinity());
    }
    return optimizer->end_step();
  }
  [[nodiscard]] std::string bits() const {
    std::string all = bits_of(optimizer->state_dict());
    for (const Buffer& param : params)
      all.append(reinterpret_cast<const char*>(param.data()), param.size() * info(param.format()).bytes);
    return all;
  }

  static constexpr std::size_t kSizes[] = {100, 5000, 70000};
  static constexpr const char* kNames[] = {"bias", "small", "large"};
  std::vector<Buffer> params, grads;
  std::optional<Optimizer> optimizer;
};

class Release : public ::testing::TestWithParam<Form> {};

TEST_P(Release, HasTheBitsOfAWholeStep) {
  std::vector<Settings> all = {{}, preset("b16"), preset("q8"), preset("q8-lite")};
  for (const Settings& settings : all) {
    const Format format = settings.weights == WeightFormat::plain ? Format::f32 : Format::bf16;
    Model whole(GetParam(), settings, format), apart(GetParam(), settings, format);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      whole.fill(seed);
      apart.fill(seed);
      whole.whole_step({.grad_scale = 8.0});
      EXPECT_TRUE(
          apart
              .step_by_tensors(seed % 2 == 0 ? std::vector<std::size_t>{2, 0, 1} : std::vector<std::size_t>{0, 1, 2},
                               {.grad_scale = 8.0})
              .applied);
    }
    EXPECT_EQ(whole.bits(), apart.bits()) << info(settings.state).name;
  }
}
INSTANTIATE_TEST_SUITE_P(Rules, Release, ::testing::ValuesIn(forms()),
                         [](const auto& info) { return std::string(info.param.name); });

Model adamw(const Settings& settings = {}) { return Model(forms().front(), settings); }

TEST(ReleaseClipping, GoesByTheNormOfTheStepBefore) {
  const Settings settings = {.max_norm = 10.0};
  Model apart = adamw(settings), plain = adamw({.report_norm = true});
  apart.fill(1);
  plain.fill(1);
  const StepReport first = apart.step_by_tensors({1, 2, 0});
  EXPECT_EQ(first.clip_coefficient, 1.0) << "there is no step before";
  const StepReport norm = plain.whole_step();
  EXPECT_NEAR(*first.grad_norm, *norm.grad_norm, 1e-12 * *norm.grad_norm);
  EXPECT_EQ(apart.params[2], plain.params[2]);
  for (Model* model : {&apart, &plain}) model->fill(2, 0.5);
  const StepReport second = apart.step_by_tensors({0, 1, 2});
  EXPECT_EQ(second.clip_coefficient, 10.0 / (*first.grad_norm + 1e-6));
  // What is clipped is a gradient that is so much smaller: an unscaling.
  plain.optimizer->step({.grad_scale = 1.0 / second.clip_coefficient});
  EXPECT_LT(second.clip_coefficient, 0.1);
  const StepReport third = apart.step_by_tensors({0, 1, 2});
  EXPECT_EQ(third.clip_coefficient, 10.0 / (*second.grad_norm + 1e-6));
  EXPECT_NEAR(*second.grad_norm, *first.grad_norm / 2, *first.grad_norm * 0.05);
}

TEST(ReleaseClipping, IsTheSameStepWithGradientsTimesTheCoefficient) {
  Model apart = adamw({.max_norm = 1.0}), by_hand = adamw();
  apart.fill(1);
  by_hand.fill(1);
  apart.step_by_tensors({0, 1, 2});
  by_hand.whole_step();
  const StepReport report = apart.step_by_tensors({0, 1, 2});
  for (Buffer& grad : by_hand.grads) {
    const auto coefficient = static_cast<double>(static_cast<float>(report.clip_coefficient));
    for (std::size_t i = 0; i < grad.size(); ++i) grad.set(i, grad[i] * coefficient);
  }
  by_hand.whole_step();
  EXPECT_EQ(apart.params, by_hand.params);
}

TEST(ReleaseClipping, ContinuesAfterAResume) {
  Model whole = adamw({.max_norm = 1.0}), resumed = adamw({.max_norm = 1.0});
  whole.fill(1);
  whole.step_by_tensors({0, 1, 2});
  resumed.params = whole.params;
  Model copy = adamw({.max_norm = 1.0});
  for (std::size_t t = 0; t < 3; ++t)
    std::copy_n(whole.params[t].data(), 4 * whole.params[t].size(), copy.params[t].data());
  copy.optimizer->load_state_dict(whole.optimizer->state_dict());
  whole.fill(2);
  copy.fill(2);
  EXPECT_LT(whole.step_by_tensors({2, 1, 0}).clip_coefficient, 1.0);
  copy.step_by_tensors({0, 1, 2});
  EXPECT_EQ(copy.bits(), whole.bits());
}

// The norm of a step with a gradient that is not finite is not finite, so the one before it stays.
TEST(ReleaseClipping, GoesByTheLastFiniteNorm) {
  for (const NonFinite policy : {NonFinite::skip, NonFinite::error, NonFinite::propagate}) {
    Model model = adamw({.nonfinite = policy, .max_norm = 1.0});
    model.fill(1);
    const StepReport good = model.step_by_tensors({0, 1, 2});
    model.grads[2].set(5, std::numeric_limits<double>::infinity());
    model.optimizer->begin_step();
    model.optimizer->step_tensor(0, model.grads[0].view());
    try {
      model.optimizer->step_tensor(2, model.grads[2].view());
    } catch (const Error&) {
      EXPECT_EQ(policy, NonFinite::error);
    }
    EXPECT_EQ(*model.optimizer->end_step().grad_norm, std::numeric_limits<double>::infinity());
    model.optimizer->begin_step();
    EXPECT_EQ(model.optimizer->end_step().clip_coefficient, 1.0 / (*good.grad_norm + 1e-6));
  }
}

TEST(ReleaseClipping, KnowsTheNormOfHugeGradients) {
  Model model(forms().front(), {.report_norm = true}, Format::f64);
  for (Buffer& grad : model.grads) {
    for (std::size_t i = 0; i < grad.size(); ++i) grad.set(i, 1e300);
  }
  const double expected = 1e300 * std::sqrt(75100.0);
  EXPECT_NEAR(*model.step_by_tensors({0, 1, 2}).grad_norm / expected, 1.0, 1e-12);
}

// Of which each square is an f64, and their sum is not.
TEST(ReleaseClipping, KnowsTheNormOfTensorsWhoseSquaresAreTooManyForF64) {
  std::vector<double> w(8, 0.0), g(8, 0x1.8p511);
  std::vector<Param> params;
  for (std::size_t t = 0; t < w.size(); ++t) {
    params.emplace_back("w" + std::to_string(t), std::span(w).subspan(t, 1), std::span(g).subspan(t, 1));
  }
  AdamW adamw(std::move(params), {}, {.report_norm = true});
  adamw.begin_step();
  for (std::size_t t = 0; t < w.size(); ++t) adamw.step_tensor(t);
  EXPECT_NEAR(*adamw.end_step().grad_norm / 0x1.8p511, std::sqrt(8.0), 1e-12);
}

TEST(ReleaseNonFinite, LeavesThatTensorAlone) {
  Model model = adamw(), before = adamw();
  model.fill(1);
  model.grads[1].set(17, std::numeric_limits<double>::quiet_NaN());
  model.grads[1].set(18, std::numeric_limits<double>::infinity());
  model.optimizer->begin_step();
  EXPECT_TRUE(model.optimizer->step_tensor(2, model.grads[2].view()));
  EXPECT_FALSE(model.optimizer->step_tensor(1, model.grads[1].view()));
  const StepReport report = model.optimizer->end_step();
  EXPECT_FALSE(report.applied);
  EXPECT_EQ(report.nonfinite->tensor, "small");
  EXPECT_EQ(report.nonfinite->index, 17u);
  EXPECT_EQ(report.nonfinite->count, 2u);
  EXPECT_EQ(model.params[1], before.params[1]);
  EXPECT_NE(model.params[2], before.params[2]);
  EXPECT_EQ(model.optimizer->tensor(1).step, 0u);
  EXPECT_EQ(model.optimizer->tensor(2).step, 1u);
}

TEST(ReleaseNonFinite, ErrorLeavesTheStepOpen) {
  Model model = adamw({.nonfinite = NonFinite::error});
  const Buffer good = model.grads[1];
  model.grads[1].set(17, std::numeric_limits<double>::quiet_NaN());
  model.optimizer->begin_step();
  EXPECT_EQ(refusal([&] { model.optimizer->step_tensor("small", model.grads[1].view()); }),
            "non_finite: gradient of 'small' is not finite at element 17 (1 non-finite element in all gradients)");
  model.grads[1] = good;
  EXPECT_TRUE(model.optimizer->step_tensor("small", model.grads[1].view()));
  EXPECT_TRUE(model.optimizer->end_step().applied);
}

TEST(ReleaseOrder, IsHeld) {
  Model model = adamw();
  Optimizer& optimizer = *model.optimizer;
  EXPECT_EQ(refusal([&] { optimizer.step_tensor("bias"); }),
            "invalid_argument: step_tensor() called outside begin_step() and end_step()");
  EXPECT_EQ(refusal([&] { optimizer.end_step(); }), "invalid_argument: end_step() called without begin_step()");
  EXPECT_EQ(refusal([&] { optimizer.begin_step({.grad_scale = 0.0}); }),
            "invalid_argument: Invalid grad_scale: 0 (must be in [2^-126, 2^126])");
  const StateDict dict = optimizer.state_dict();
  optimizer.begin_step();
  EXPECT_FALSE(optimizer.step_tensor("bias")) << "it has no gradient";
  EXPECT_EQ(optimizer.tensor(0).step, 0u);
  optimizer.set_grad("bias", model.grads[0].view());
  EXPECT_TRUE(optimizer.step_tensor("bias"));
  EXPECT_EQ(refusal([&] { optimizer.step_tensor("bias"); }), "duplicate: tensor 'bias' has been updated in this step");
  EXPECT_EQ(refusal([&] { optimizer.step_tensor("bias", Tensor(model.params[1].data(), 100, Format::f32)); }),
            "duplicate: gradient of 'bias' shares memory with parameter 'small'");
  EXPECT_EQ(refusal([&] { optimizer.step_tensor("bia"); }), "not_found: no tensor 'bia' in this optimizer");
  EXPECT_EQ(refusal([&] { optimizer.step_tensor(3); }), "not_found: no tensor 3: the optimizer has 3 tensors");
  const auto busy = [](const std::string& call) {
    return "busy: " + call + "() called between begin_step() and end_step()";
  };
  EXPECT_EQ(refusal([&] { optimizer.begin_step(); }), busy("begin_step"));
  EXPECT_EQ(refusal([&] { optimizer.step(); }), busy("step"));
  EXPECT_EQ(refusal([&] { (void)optimizer.state_dict(); }), busy("state_dict"));
  EXPECT_EQ(refusal([&] { optimizer.load_state_dict(dict); }), busy("load_state_dict"));
  EXPECT_EQ(refusal([&] { optimizer.set_lr(1.0); }), busy("set_lr"));
  EXPECT_EQ(refusal([&] { optimizer.set_options(0, {}); }), busy("set_options"));
  EXPECT_EQ(refusal([&] { optimizer.set_settings({}); }), busy("set_settings"));
  EXPECT_EQ(refusal([&] { optimizer.add_param_group({}); }), busy("add_param_group"));
  EXPECT_EQ(refusal([&] { optimizer.set_formats(StateFormat::bf16, WeightFormat::plain); }), busy("set_formats"));
  EXPECT_TRUE(optimizer.end_step().applied);
  EXPECT_EQ(optimizer.tensor(0).step, 1u);
  EXPECT_EQ(optimizer.tensor(1).step, 0u);
  optimizer.begin_step();
  EXPECT_TRUE(optimizer.step_tensor("bias")) << "a new step";
  EXPECT_FALSE(optimizer.end_step().grad_norm);
}

}  // namespace
}  // namespace adamant::testing
