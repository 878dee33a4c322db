// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Bad input: refused with the thing, its value and the rule it broke, and nothing changed.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct BadOptions {
  Rule rule;
  Options options;
  const char* text;
};

TEST(Refusals, Options) {
  const BadOptions kCases[] = {
      {Rule::adamw, {.lr = -1e-3}, "Invalid learning rate: -0.001 (lr must be a finite f32 number >= 0)"},
      {Rule::adamw, {.lr = kNan}, "Invalid learning rate: nan (lr must be a finite f32 number >= 0)"},
      {Rule::adamw, {.lr = kInfinity}, "Invalid learning rate: inf (lr must be a finite f32 number >= 0)"},
      {Rule::adamw, {.lr = 1e39}, "Invalid learning rate: 1e+39 (lr must be a finite f32 number >= 0)"},
      {Rule::adamw,
       {.betas = {1.0, 0.999}},
       "Invalid beta parameter at index 0: 1 (betas must be in [0, 1), also after rounding to f32)"},
      {Rule::adam,
       {.betas = {0.9, 0.99999999}},
       "Invalid beta parameter at index 1: 0.99999999 (betas must be in [0, 1), also after rounding to f32)"},
      {Rule::adam,
       {.betas = {-0.1, 0.9}},
       "Invalid beta parameter at index 0: -0.1 (betas must be in [0, 1), also after rounding to f32)"},
      {Rule::adamw,
       {.betas = {0.9, kNan}},
       "Invalid beta parameter at index 1: nan (betas must be in [0, 1), also after rounding to f32)"},
      {Rule::adamw,
       {.eps = -1e-8},
       "Invalid epsilon value: -1e-08 (eps must be 0 or at least 2^-126, the smallest normal f32)"},
      {Rule::adamw,
       {.eps = 1e-40},
       "Invalid epsilon value: 1e-40 (eps must be 0 or at least 2^-126, the smallest normal f32)"},
      {Rule::adamw,
       {.weight_decay = -0.1},
       "Invalid weight_decay value: -0.1 (weight_decay must be a finite f32 number >= 0)"},
      {Rule::adamw,
       {.lr = 2.0, .weight_decay = 0.5},
       "lr * weight_decay is 1 (lr 2, weight_decay 0.5): must be < 1, or decay would turn the weights' signs"},
      {Rule::sgd, {.momentum = -0.5}, "Invalid momentum value: -0.5 (momentum must be a finite f32 number >= 0)"},
      {Rule::sgd, {.dampening = kNan}, "Invalid dampening value: nan (dampening must be a finite f32 number)"},
      {Rule::sgd,
       {.nesterov = true},
       "Nesterov momentum requires a momentum and zero dampening (momentum is 0, dampening is 0)"},
      {Rule::sgd,
       {.momentum = 0.9, .dampening = 0.1, .nesterov = true},
       "Nesterov momentum requires a momentum and zero dampening (momentum is 0.9, dampening is 0.1)"},
      {Rule::rmsprop, {.alpha = 1.0}, "Invalid alpha value: 1 (alpha must be in [0, 1), also after rounding to f32)"},
      {Rule::adagrad, {.lr_decay = -1.0}, "Invalid lr_decay value: -1 (lr_decay must be a finite f32 number >= 0)"},
      {Rule::adagrad,
       {.initial_accumulator_value = -1.0},
       "Invalid initial_accumulator_value value: -1 (initial_accumulator_value must be a finite f32 number >= 0)"},
      {Rule::adamw,
       {.momentum = 0.9},
       "AdamW has no option momentum (0.9 given); it has lr, betas, eps, weight_decay, amsgrad, maximize"},
      {Rule::sgd,
       {.betas = {0.9, 0.99}},
       "SGD has no option betas ((0.9, 0.99) given); it has lr, momentum, dampening, weight_decay, nesterov, maximize"},
      {Rule::sgd,
       {.amsgrad = true},
       "SGD has no option amsgrad (true given); it has lr, momentum, dampening, weight_decay, nesterov, maximize"},
  };
  Buffer w = Buffer(Format::f32, 10).fill(1), other = Buffer(Format::f32, 10).fill(2);
  for (const BadOptions& bad : kCases) {
    const std::string expected = std::string("invalid_argument: ") + bad.text;
    EXPECT_EQ(refusal([&] { Optimizer(bad.rule, {{"w", w.view()}}, bad.options); }), expected);
    // As an override of a group, and as a change of a running optimizer, which keeps what it had.
    Optimizer optimizer(bad.rule, {{"w", w.view()}});
    const std::string before = bits_of(optimizer.state_dict());
    const double lr = *optimizer.options().lr;
    EXPECT_EQ(refusal([&] { optimizer.add_param_group({{{"o", other.view()}}, bad.options}); }), expected);
    EXPECT_EQ(refusal([&] { optimizer.set_options(0, bad.options); }), expected);
    EXPECT_EQ(optimizer.group_count(), 1u);
    EXPECT_EQ(optimizer.tensor_count(), 1u);
    EXPECT_EQ(*optimizer.options().lr, lr);
    EXPECT_EQ(bits_of(optimizer.state_dict()), before);
  }
}

TEST(Refusals, OptionsThatWouldChangeTheStates) {
  Buffer w(Format::f32, 3);
  Optimizer optimizer(Rule::adamw, {{"w", w.view()}});
  EXPECT_EQ(refusal([&] { optimizer.set_options(0, {.amsgrad = true}); }),
            "mismatch: options of group 0 would change its states from [exp_avg, exp_avg_sq] to [exp_avg, exp_avg_sq, "
            "max_exp_avg_sq]");
  EXPECT_FALSE(*optimizer.options().amsgrad);
  EXPECT_EQ(refusal([&] { optimizer.set_lr(-1.0); }),
            "invalid_argument: Invalid learning rate: -1 (lr must be a finite f32 number >= 0)");
  EXPECT_EQ(refusal([&] { static_cast<void>(optimizer.options(1)); }),
            "not_found: no parameter group 1: the optimizer has 1 group");
}

TEST(Refusals, Settings) {
  Buffer w(Format::f32, 3);
  const auto with = [&](const Settings& settings) {
    return refusal([&] { Optimizer(Rule::adamw, {{"w", w.view()}}, {}, settings); });
  };
  EXPECT_EQ(with({.max_norm = 0.0}), "invalid_argument: Invalid max_norm: 0 (must be a finite f32 number > 0)");
  EXPECT_EQ(with({.max_norm = kNan}), "invalid_argument: Invalid max_norm: nan (must be a finite f32 number > 0)");
  EXPECT_EQ(with({.clip_value = -1.0}), "invalid_argument: Invalid clip_value: -1 (must be a finite f32 number > 0)");
  EXPECT_EQ(with({.clip_value = kInfinity}),
            "invalid_argument: Invalid clip_value: inf (must be a finite f32 number > 0)");
  EXPECT_EQ(with({.clip_value = 1e-60}), "invalid_argument: Invalid clip_value: 1e-60 (is 0 as f32)");
  EXPECT_EQ(with({.threads = -1}), "invalid_argument: Invalid threads: -1 (must be 0, for all processors, to 1024)");
  EXPECT_EQ(with({.threads = 1025}),
            "invalid_argument: Invalid threads: 1025 (must be 0, for all processors, to 1024)");
  EXPECT_EQ(with({.threads = 1024}), "accepted");
  EXPECT_EQ(with({.state = static_cast<StateFormat>(99)}),
            "invalid_argument: state format is number 99 of its enumeration, which has 6");
  EXPECT_EQ(with({.weights = static_cast<WeightFormat>(4)}),
            "invalid_argument: weight format is number 4 of its enumeration, which has 4");
  EXPECT_EQ(with({.nonfinite = static_cast<NonFinite>(3)}),
            "invalid_argument: nonfinite policy is number 3 of its enumeration, which has 3");
  EXPECT_EQ(with({.state = StateFormat::f64}), "mismatch: state format f64 of 'w' needs a f64 parameter, which is f32");
  EXPECT_EQ(refusal([] { static_cast<void>(preset("q9")); }),
            "not_found: unknown preset 'q9': must be one of f32, b16, q8, q8-lite");
  EXPECT_EQ(refusal([] { static_cast<void>(format_from_name("F32")); }),
            "not_found: unknown format 'F32': must be one of f32, f64, bf16, f16");
  std::string known;
  for (const RuleInfo& rule : rules()) known += (known.empty() ? "" : ", ") + std::string(rule.name);
  EXPECT_EQ(refusal([] { static_cast<void>(rule_from_name("adamw2")); }),
            "not_found: unknown rule 'adamw2': must be one of " + known);
  EXPECT_EQ(known.rfind("adamw, adam, sgd, rmsprop, adagrad", 0), 0U) << known;
  EXPECT_EQ(refusal([&] { Optimizer(static_cast<Rule>(9), {{"w", w.view()}}); }),
            "invalid_argument: rule is number 9 of its enumeration, which has 5");
  EXPECT_EQ(refusal([] {
              std::vector<float> w(4);
              Optimizer(Rule::adamw, std::vector<ParamGroup>{{{{"w", w}}, {}, static_cast<Rule>(9)}});
            }),
            "invalid_argument: rule is number 9 of its enumeration, which has 5");
  Optimizer optimizer(Rule::adamw, {{"w", w.view()}});
  EXPECT_EQ(refusal([&] { optimizer.set_settings({.state = StateFormat::bf16}); }),
            "mismatch: formats, seed and threads of an optimizer are not changed by set_settings");
}

TEST(Refusals, Tensors) {
  std::vector<float> w(8), g(8), few(7);
  const auto with = [](std::vector<Param> params) {
    return refusal([&] { Optimizer(Rule::adamw, std::move(params)); });
  };
  EXPECT_EQ(with({}), "invalid_argument: optimizer got an empty parameter list");
  EXPECT_EQ(refusal([] { Optimizer(Rule::adamw, std::vector<ParamGroup>{}); }),
            "invalid_argument: optimizer got an empty parameter list");
  EXPECT_EQ(refusal([] { Optimizer(Rule::adamw, std::vector<ParamGroup>(2)); }),
            "invalid_argument: optimizer got an empty parameter list");
  float two[2] = {};
  EXPECT_NE(with({{"a", Tensor(two, 1), Tensor(two + 1, 1)}, {"b", Tensor(two + 1, 1)}}).find("gradient of 'a'"),
            std::string::npos);
  EXPECT_EQ(with({{"w", Tensor(static_cast<float*>(nullptr), 8)}}),
            "invalid_argument: parameter 'w' is null but has 8 elements");
  EXPECT_EQ(with({{"w", Tensor(w.data(), std::numeric_limits<std::size_t>::max() / 4)}}),
            "invalid_argument: parameter 'w' has 4611686018427387903 elements of 4 bytes: more than can be addressed");
  EXPECT_EQ(with({{"w", Tensor(reinterpret_cast<std::byte*>(w.data()) + 1, 4, Format::f32)}}),
            "invalid_argument: parameter 'w' is misaligned: its address must be a multiple of 4 bytes (f32)");
  EXPECT_EQ(with({{"w", Tensor(static_cast<const void*>(w.data()), 8, Format::f32)}}),
            "invalid_argument: parameter 'w' is read-only");
  EXPECT_EQ(with({{"w", Tensor(w.data(), 8, static_cast<Format>(7))}}),
            "invalid_argument: format of parameter 'w' is number 7 of its enumeration, which has 4");
  EXPECT_EQ(with({{"w", w, few}}), "mismatch: gradient of 'w' has 7 elements but the parameter has 8");
  EXPECT_EQ(with({{"w", w, Tensor(g.data(), 4, Format::f64)}}),
            "mismatch: gradient of 'w' has 4 elements but the parameter has 8");
  EXPECT_EQ(with({{"w", w, Tensor(static_cast<float*>(nullptr), 8)}}),
            "invalid_argument: gradient of 'w' is null but has 8 elements");
  EXPECT_EQ(with({{"w", w, g, {3, 3}}}), "mismatch: shape of 'w' is [3, 3] but it has 8 elements");
  EXPECT_EQ(with({{"w", w, g, {std::size_t{1} << 63, 2, 4}}}),
            "mismatch: shape of 'w' is [9223372036854775808, 2, 4] but it has 8 elements");
  EXPECT_EQ(with({{"a", w, g}, {"b", few, few}}), "duplicate: gradient of 'b' shares memory with parameter 'b'");
  EXPECT_EQ(with({{"a", w, g}, {"b", Tensor(w.data() + 7, 1)}}), "duplicate: parameters 'a' and 'b' share memory");
  std::vector<double> wide(8);
  EXPECT_EQ(with({{"w", wide, g}}),
            "mismatch: gradient of 'w' is f32 but its parameter is f64: f64 goes with f64 only");
}

// A parameter, its neighbours on both sides, and gradients on both sides of a parameter.
TEST(Refusals, NothingOfMemoryThatOnlyTouches) {
  std::vector<float> all(12, 1.0F);
  const auto part = [&](std::size_t first) { return std::span(all).subspan(first, 2); };
  Optimizer optimizer(Rule::adamw,
                      {{"before", part(2), part(0)}, {"w", part(4), part(6)}, {"after", part(8), part(10)}});
  optimizer.step();
  // Each of them by one element too far.
  const auto shifted = [&](std::size_t param, std::size_t grad) {
    return refusal([&] { Optimizer(Rule::adamw, {{"w", part(4)}, {"other", part(param), part(grad)}}); });
  };
  EXPECT_EQ(shifted(2, 6), "accepted");
  EXPECT_EQ(shifted(6, 2), "accepted");
  EXPECT_EQ(shifted(2, 5), "duplicate: gradient of 'other' shares memory with parameter 'w'");
  EXPECT_EQ(shifted(6, 3), "duplicate: gradient of 'other' shares memory with parameter 'w'");
  EXPECT_EQ(shifted(3, 0), "duplicate: parameters 'other' and 'w' share memory");
  EXPECT_EQ(shifted(5, 0), "duplicate: parameters 'w' and 'other' share memory");
}

TEST(Refusals, Names) {
  std::vector<float> w(2), v(2);
  const auto named = [&](std::string name) { return refusal([&] { Optimizer(Rule::adamw, {{std::move(name), w}}); }); };
  EXPECT_EQ(named(""), "invalid_argument: Invalid tensor name: '' (must not be empty)");
  EXPECT_EQ(named(std::string(513, 'x')), "invalid_argument: Invalid tensor name: '" + std::string(64, 'x') +
                                              "...' (must have at most 512 bytes, has 513)");
  EXPECT_EQ(named(std::string(512, 'x')), "accepted");
  EXPECT_EQ(named("a\xff"), "invalid_argument: Invalid tensor name: 'a\\xff' (must be UTF-8)");
  EXPECT_EQ(named("\xc0\xaf"), "invalid_argument: Invalid tensor name: '\\xc0\\xaf' (must be UTF-8)");
  EXPECT_EQ(named("\xed\xa0\x80"), "invalid_argument: Invalid tensor name: '\\xed\\xa0\\x80' (must be UTF-8)");
  EXPECT_EQ(named(std::string("a\0b", 3)),
            "invalid_argument: Invalid tensor name: 'a\\x00b' (must not contain control characters)");
  EXPECT_EQ(named("__metadata__"),
            "invalid_argument: Invalid tensor name: '__metadata__' (is reserved by the safetensors format)");
  EXPECT_EQ(named("a/b"), "invalid_argument: Invalid tensor name: 'a/b' (must not contain '/')");
  EXPECT_EQ(named("a..b"), "invalid_argument: Invalid tensor name: 'a..b' (must not contain '..')");
  EXPECT_EQ(named("层.weight é"), "accepted");
  EXPECT_EQ(refusal([&] { Optimizer(Rule::adamw, {{"w", w}, {"w", v}}); }),
            "duplicate: tensor name 'w' is given twice");
}

TEST(Refusals, CallsOnAnOptimizer) {
  Buffer w = Buffer(Format::f32, 8).fill(1), g = Buffer(Format::f32, 8).fill(2);
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  const Buffer before = w;
  EXPECT_EQ(refusal([&] { optimizer.set_grad("v", g.view()); }), "not_found: no tensor 'v' in this optimizer");
  EXPECT_EQ(refusal([&] { optimizer.set_grad(3, g.view()); }), "not_found: no tensor 3: the optimizer has 1 tensor");
  EXPECT_EQ(refusal([&] { static_cast<void>(optimizer.state("w", "momentum_buffer")); }),
            "not_found: tensor 'w' has no state 'momentum_buffer': it has [exp_avg, exp_avg_sq]");
  EXPECT_EQ(refusal([&] { optimizer.set_grad("w", w.view()); }),
            "duplicate: gradient of 'w' shares memory with parameter 'w'");
  for (const double scale : {0.0, -1.0, kNan, kInfinity, 0x1p127, 0x1p-127}) {
    EXPECT_EQ(refusal([&] { optimizer.step({.grad_scale = scale}); }).substr(0, 38),
              "invalid_argument: Invalid grad_scale: ");
  }
  EXPECT_EQ(refusal([&] { optimizer.step({.grad_scale = 0.0}); }),
            "invalid_argument: Invalid grad_scale: 0 (must be in [2^-126, 2^126])");
  EXPECT_EQ(w, before);
  EXPECT_EQ(optimizer.tensor(0).step, 0u);

  Tensor read_only(static_cast<const void*>(g.data()), 8, Format::f32);
  optimizer.set_grad("w", read_only);
  EXPECT_EQ(refusal([&] { optimizer.zero_grad(); }),
            "invalid_argument: gradient of 'w' is read-only: zero_grad cannot clear it");
  EXPECT_NE(g, Buffer(Format::f32, 8));

  const Optimizer taken = std::move(optimizer);
  EXPECT_EQ(refusal([&] { optimizer.step(); }), "invalid_argument: optimizer was moved from: it holds nothing");
}

TEST(Refusals, EigenLikeViewsWithGaps) {
  Tensor gaps(static_cast<float*>(nullptr), 0);
  std::vector<float> w(4);
  gaps = w;
  gaps.contiguous = false;
  EXPECT_EQ(refusal([&] { Optimizer(Rule::adamw, {{"w", gaps}}); }),
            "invalid_argument: parameter 'w' has gaps between its elements: must be contiguous");
}

// As Eigen's matrices: shape and order are known.
TEST(Refusals, GradientsInAnotherStorageOrder) {
  std::vector<float> w(6), g(6);
  const auto matrix = [](std::vector<float>& memory, std::size_t rows, std::size_t columns, bool by_rows) {
    Tensor tensor(memory);
    tensor.matrix = {rows, columns, by_rows};
    return tensor;
  };
  const auto given = [&](const Tensor& param, const Tensor& grad, std::vector<std::size_t> shape = {}) {
    return refusal([&] { Optimizer(Rule::sgd, {{"w", param, grad, std::move(shape)}}); });
  };
  EXPECT_EQ(given(matrix(w, 2, 3, false), matrix(g, 2, 3, true)),
            "mismatch: gradient of 'w' is a 2 x 3 matrix stored by rows but the parameter is a 2 x 3 matrix stored by "
            "columns");
  EXPECT_EQ(given(matrix(w, 2, 3, true), matrix(g, 3, 2, true)),
            "mismatch: gradient of 'w' is a 3 x 2 matrix stored by rows but the parameter is a 2 x 3 matrix stored by "
            "rows");
  EXPECT_EQ(given(matrix(w, 2, 3, true), matrix(g, 2, 3, true)), "accepted");
  EXPECT_EQ(given(matrix(w, 2, 3, true), g), "accepted") << "of a vector nothing is known";
  EXPECT_EQ(given(w, matrix(g, 2, 3, true)), "accepted");
  EXPECT_EQ(given(matrix(w, 6, 1, false), matrix(g, 1, 6, true)), "accepted") << "a vector has no order";
  EXPECT_EQ(given(matrix(w, 2, 3, true), matrix(g, 2, 3, true), {2, 3}), "accepted");
  EXPECT_EQ(given(matrix(w, 2, 3, true), g, {3, 2}),
            "mismatch: shape of 'w' is [3, 2] but it is a 2 x 3 matrix stored by rows");
  EXPECT_EQ(given(matrix(w, 2, 3, false), g, {3, 2}), "accepted") << "its columns are the rows of memory";
  EXPECT_EQ(given(matrix(w, 2, 3, false), g, {2, 3}), "accepted") << "for reading";
  Optimizer table(Rule::sgd, {{"w", matrix(w, 2, 3, false), {}, {2, 3}}});
  const std::vector<std::int64_t> rows = {1};
  std::vector<float> values(3);
  EXPECT_EQ(
      refusal([&] { table.set_lazy_row_grad("w", rows, values); }),
      "mismatch: row gradient of 'w': the elements of a row are not neighbours in a 2 x 3 matrix stored by columns");
}

TEST(Refusals, AFailedGroupLeavesNothingBehind) {
  std::vector<float> a(4), b(4), c(4), wrong(3);
  Optimizer optimizer(Rule::adamw, {{"a", a}});
  EXPECT_EQ(refusal([&] { optimizer.add_param_group({{{"b", b}, {"c", c, wrong}}, {}}); }),
            "mismatch: gradient of 'c' has 3 elements but the parameter has 4");
  EXPECT_EQ(optimizer.tensor_count(), 1u);
  EXPECT_EQ(optimizer.group_count(), 1u);
  // Names and memory are free again.
  EXPECT_EQ(optimizer.add_param_group({{{"b", b}, {"c", c}}, {}}), 1u);
}

TEST(Refusals, MemoryGivenTwiceInDifferentGroups) {
  std::vector<float> a(4), b(4), shared(4);
  const std::string text = "duplicate: gradient of 'a' shares memory with parameter 'b'";
  Optimizer optimizer(Rule::adamw, {{"a", a, shared}});
  EXPECT_EQ(refusal([&] { optimizer.add_param_group({{{"b", shared, b}}, {}}); }), text);
  EXPECT_EQ(optimizer.tensor_count(), 1u);
  EXPECT_EQ(refusal([&] {
              const std::vector<ParamGroup> groups = {{{{"a", a, shared}}, {}}, {{{"b", shared, b}}, {}}};
              Optimizer(Rule::adamw, groups);
            }),
            text);
}

class BadStateDicts : public ::testing::Test {
 protected:
  BadStateDicts() : optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, preset("q8")) {
    optimizer.step();
    good = optimizer.state_dict();
  }
  std::string load(const std::function<void(StateDict&)>& damage) {
    StateDict dict = good;
    damage(dict);
    const std::string text = refusal([&] { optimizer.load_state_dict(dict); });
    EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(good)) << text;
    return text;
  }
  Buffer w = Buffer(Format::bf16, 5000).fill(1), g = Buffer(Format::bf16, 5000).fill(2);
  Optimizer optimizer;
  StateDict good;
};

TEST_F(BadStateDicts, AreRefused) {
  EXPECT_EQ(load([](StateDict&) {}), "accepted");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].rule = "adam"; }),
            "mismatch: state_dict: rule of group 0 is 'adam', must be 'adamw'");
  EXPECT_EQ(load([](StateDict& d) { d.steps = ~std::uint64_t{0}; }),
            "mismatch: state_dict: has taken 18446744073709551615 steps, must be at most 2^62");
  EXPECT_EQ(load([](StateDict& d) { d.groups.push_back(d.groups[0]); }),
            "mismatch: state_dict: has 2 parameter groups, must have 1");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].formula = "adamw-2"; }),
            "mismatch: state_dict: formula of group 0 is 'adamw-2', must be 'adamw-1'");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].options.lr = -1.0; }),
            "invalid_argument: Invalid learning rate: -1 (lr must be a finite f32 number >= 0)");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].options.amsgrad = true; }),
            "mismatch: state_dict: options of group 0 are those of 'adamw-amsgrad-1', must be of 'adamw-1'");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].params = {"v"}; }),
            "mismatch: state_dict: tensor 'v' is not one of this optimizer's");
  EXPECT_EQ(load([](StateDict& d) { d.groups[0].params = {}; }), "mismatch: state_dict: tensor 'w' is in no group");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["v"] = d.tensors["w"]; }),
            "mismatch: state_dict: tensor 'v' is not one of this optimizer's");
  EXPECT_EQ(load([](StateDict& d) { d.tensors.clear(); }), "mismatch: state_dict: tensor 'w' is missing");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].shape = {50, 100}; }),
            "mismatch: state_dict: tensor 'w' has shape [50, 100], must be [5000]");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].step = ~std::uint64_t{0}; }),
            "mismatch: state_dict: tensor 'w' has taken 18446744073709551615 steps, must be at most 2^62");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states.erase("exp_avg"); }),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' is missing");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["sum"] = {}; }),
            "mismatch: state_dict: tensor 'w' has a state 'sum', which adamw-1 has not");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["exp_avg"].format = StateFormat::f32; }),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' is f32, must be q8");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["exp_avg"].format = static_cast<StateFormat>(77); }),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' is of format number 77, must be q8");
  EXPECT_EQ(load([](StateDict& d) {
              d.tensors["w"].states["exp_avg"].format = static_cast<StateFormat>(state_formats().size());
            }),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' is of format number 6, must be q8");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["exp_avg"].bytes.pop_back(); }),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' has 4999 bytes, must have 5000");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["exp_avg_sq"].exponents.pop_back(); }),
            "mismatch: state_dict: exponents of state 'exp_avg_sq' of tensor 'w' has 39 bytes, must have 40");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].states["exp_avg"].exponents.resize(40); }),
            "mismatch: state_dict: exponents of state 'exp_avg' of tensor 'w' has 40 bytes, must have 0");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].weight_format = WeightFormat::split16; }),
            "mismatch: state_dict: weight of tensor 'w' is split16, must be split8");
  EXPECT_EQ(load([](StateDict& d) { d.tensors["w"].weight_bits.clear(); }),
            "mismatch: state_dict: weight_bits of tensor 'w' has 0 bytes, must have 5000");
}

TEST(StateDicts, OfAsManyStepsAsAreCountedGoOn) {
  std::vector<float> w(3, 1.0F), g(3, 0.5F);
  Optimizer optimizer(Rule::adamw, {{"w", w, g}});
  StateDict dict = optimizer.state_dict();
  dict.steps = dict.tensors.at("w").step = std::uint64_t{1} << 62;
  optimizer.load_state_dict(dict);
  optimizer.step();
  optimizer.begin_step();
  optimizer.step_tensor("w");
  optimizer.end_step();
  EXPECT_EQ(optimizer.steps(), dict.steps);
  EXPECT_EQ(optimizer.tensor(0).step, dict.steps);
  optimizer.load_state_dict(optimizer.state_dict());
}

TEST(Refusals, StatesThatNoRunReaches) {
  Buffer w = Buffer(Format::f32, 8).fill(1), g = Buffer(Format::f32, 8).fill(2);
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  optimizer.step();
  const StateDict good = optimizer.state_dict();
  const auto load = [&](const char* state, std::size_t element, float value) {
    StateDict dict = good;
    std::memcpy(dict.tensors["w"].states[state].bytes.data() + element * sizeof(value), &value, sizeof(value));
    return refusal([&] { optimizer.load_state_dict(dict); });
  };
  EXPECT_EQ(load("exp_avg_sq", 3, -1e-30f),
            "mismatch: state_dict: state 'exp_avg_sq' of tensor 'w' is -1.0000000031710769e-30 at element 3: must be "
            "finite and >= 0, or NaN");
  EXPECT_EQ(load("exp_avg", 7, std::numeric_limits<float>::infinity()),
            "mismatch: state_dict: state 'exp_avg' of tensor 'w' is inf at element 7: must be finite or NaN");
  EXPECT_EQ(load("exp_avg", 0, -1.0f), "accepted");
}

// A weight that is NaN makes its moments NaN, where the decay is in the gradient: what a run reaches is taken back.
TEST(StateDicts, OfNonFiniteWeightsAreTakenBack) {
  for (const StateFormat format : {StateFormat::f32, StateFormat::bf16, StateFormat::b16, StateFormat::q8}) {
    Buffer w = Buffer(Format::f32, 8192).fill(1), g = Buffer(Format::f32, 8192).fill(2);
    w.set(7, kNan);
    Optimizer optimizer(Rule::adam, {{"w", w.view(), g.view()}}, {.weight_decay = 0.01}, {.state = format});
    optimizer.step();
    const StateDict dict = optimizer.state_dict();
    EXPECT_EQ(refusal([&] { optimizer.load_state_dict(dict); }), "accepted") << info(format).name;
    EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(dict));
  }
}

}  // namespace
}  // namespace adamant::testing
