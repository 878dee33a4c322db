// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant/torch.hpp beside torch::optim: the same steps, schedulers, archives and refusals; and the engine's bits.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <adamant/torch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace ours = adamant::libtorch;
namespace theirs = torch::optim;
using adamant::ErrorCode;
using torch::Tensor;
using Tensors = std::vector<Tensor>;

Tensors some_params(at::ScalarType dtype = at::kFloat) {
  torch::manual_seed(7);
  Tensors params;
  for (const auto& shape : {std::vector<std::int64_t>{64, 65}, {129}, {3, 4, 5}, {}}) {
    params.push_back(torch::randn(shape).to(dtype).requires_grad_());
  }
  return params;
}

void set_grads(const Tensors& params, int step, at::ScalarType dtype = at::kFloat) {
  torch::manual_seed(100 + step);
  for (const Tensor& param : params) param.mutable_grad() = torch::randn(param.sizes()).to(dtype);
}

template <class Optimizer>
void run(Optimizer& optimizer, const Tensors& params, int from, int to, at::ScalarType dtype = at::kFloat) {
  for (int step = from; step < to; ++step) {
    set_grads(params, step, dtype);
    optimizer.step();
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().contiguous();
  const Tensor y = b.detach().contiguous();
  return x.scalar_type() == y.scalar_type() && x.sizes() == y.sizes() &&
         (x.nbytes() == 0 || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0);
}
void expect_same_bits(const Tensors& a, const Tensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same_bits(a[i], b[i])) << "parameter " << i;
}
// Relative to the largest element: torch rounds in another order.
void expect_near(const Tensors& a, const Tensors& b, double tolerance = 2e-6) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Tensor x = a[i].detach().to(at::kDouble);
    const Tensor y = b[i].detach().to(at::kDouble);
    EXPECT_LE((x - y).abs().max().item<double>(), tolerance * y.abs().max().item<double>()) << "parameter " << i;
  }
}

const ours::ParamState* state_of(const theirs::Optimizer& optimizer, const Tensor& param) {
  using Key = std::decay_t<decltype(optimizer.state())>::key_type;
  const auto found = optimizer.state().find(ours::detail::key_of<Key>(param));
  return found == optimizer.state().end() ? nullptr : dynamic_cast<const ours::ParamState*>(found->second.get());
}
const Tensor& state_of(const theirs::Optimizer& optimizer, const Tensor& param, const std::string& name) {
  return state_of(optimizer, param)->tensors().at(name);
}

// That a call is refused with this code, in a message that contains each of these.
template <class Call>
void expect_refused(ErrorCode code, const std::vector<std::string>& parts, Call&& call) {
  try {
    call();
    FAIL() << "not refused: " << parts.front();
  } catch (const adamant::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << "\nlacks " << part;
    }
  }
}

template <class Optimizer>
std::string saved(const Optimizer& optimizer) {
  std::ostringstream out;
  torch::save(optimizer, out);
  return out.str();
}
template <class Optimizer>
void load(Optimizer& optimizer, const std::string& archive) {
  std::istringstream in(archive);
  torch::load(optimizer, in);
}

// Every rule of libtorch, with its options in the forms that change what it keeps and does: the same 50 steps, and
// archives that continue on the other side.
template <class Theirs, class Ours, class TheirOptions, class OurOptions>
void compare(const TheirOptions& their_options, const OurOptions& our_options, double tolerance = 2e-6) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const Tensors a = some_params(dtype), b = some_params(dtype), c = some_params(dtype), d = some_params(dtype);
    const double allowed = dtype == at::kDouble ? 1e-13 : tolerance;
    Theirs torchs(a, their_options);
    Ours mine(b, our_options);
    run(torchs, a, 0, 50, dtype);
    run(mine, b, 0, 50, dtype);
    expect_near(b, a, allowed);

    Theirs torchs_after_mine(c, their_options);
    Ours mine_after_torchs(d, our_options);
    run(mine, b, 50, 60, dtype);
    run(torchs, a, 50, 60, dtype);
    {
      const torch::NoGradGuard guard;
      for (std::size_t i = 0; i < a.size(); ++i) {
        c[i].copy_(b[i]);
        d[i].copy_(a[i]);
      }
    }
    load(torchs_after_mine, saved(mine));
    load(mine_after_torchs, saved(torchs));
    run(torchs_after_mine, c, 60, 80, dtype);
    run(mine_after_torchs, d, 60, 80, dtype);
    run(torchs, a, 60, 80, dtype);
    expect_near(c, a, allowed);
    expect_near(d, a, allowed);
  }
}

TEST(Libtorch, AdamWIsTorchs) {
  compare<theirs::AdamW, ours::AdamW>(theirs::AdamWOptions(), ours::AdamWOptions());
  compare<theirs::AdamW, ours::AdamW>(
      theirs::AdamWOptions(3e-3).betas({0.8, 0.95}).eps(1e-6).weight_decay(0.1).amsgrad(true),
      ours::AdamWOptions(3e-3).betas({0.8, 0.95}).eps(1e-6).weight_decay(0.1).amsgrad(true));
}
TEST(Libtorch, AdamIsTorchs) {
  compare<theirs::Adam, ours::Adam>(theirs::AdamOptions(), ours::AdamOptions());
  compare<theirs::Adam, ours::Adam>(theirs::AdamOptions(3e-3).weight_decay(0.1).amsgrad(true),
                                    ours::AdamOptions(3e-3).weight_decay(0.1).amsgrad(true));
}
TEST(Libtorch, SgdIsTorchs) {
  compare<theirs::SGD, ours::SGD>(theirs::SGDOptions(0.01), ours::SGDOptions(0.01));
  compare<theirs::SGD, ours::SGD>(theirs::SGDOptions(0.01).momentum(0.9).nesterov(true).weight_decay(0.01),
                                  ours::SGDOptions(0.01).momentum(0.9).nesterov(true).weight_decay(0.01));
  compare<theirs::SGD, ours::SGD>(theirs::SGDOptions(0.01).momentum(0.9).dampening(0.5),
                                  ours::SGDOptions(0.01).momentum(0.9).dampening(0.5));
}
TEST(Libtorch, RmspropIsTorchs) {
  compare<theirs::RMSprop, ours::RMSprop>(theirs::RMSpropOptions(), ours::RMSpropOptions());
  // Subtracting the square of the mean cancels digits.
  compare<theirs::RMSprop, ours::RMSprop>(
      theirs::RMSpropOptions(1e-3).alpha(0.9).momentum(0.9).centered(true).weight_decay(0.01),
      ours::RMSpropOptions(1e-3).alpha(0.9).momentum(0.9).centered(true).weight_decay(0.01), 1e-5);
}
TEST(Libtorch, AdagradIsTorchs) {
  compare<theirs::Adagrad, ours::Adagrad>(theirs::AdagradOptions(), ours::AdagradOptions());
  compare<theirs::Adagrad, ours::Adagrad>(
      theirs::AdagradOptions(0.1).lr_decay(0.01).weight_decay(0.01).initial_accumulator_value(0.5).eps(1e-6),
      ours::AdagradOptions(0.1).lr_decay(0.01).weight_decay(0.01).initial_accumulator_value(0.5).eps(1e-6));
}

// Every rule of the library's list has options here, and each of its options a setter with the library's default.
template <adamant::Rule kRule>
void expect_setters() {
  ours::OptionsOf<kRule> options;
  std::size_t found = 0;
  const auto one = [&](std::string_view name, auto ask) {
    const auto& infos = adamant::info(kRule).options;
    const bool has = std::any_of(infos.begin(), infos.end(), [&](const auto& each) { return each.name == name; });
    found += has ? 1 : 0;
    if (has) {
      EXPECT_TRUE(adamant::OptionValue(ask()) == adamant::get_option(adamant::defaults(kRule), name)) << name;
    } else {
      expect_refused(ErrorCode::invalid_argument, {std::string(adamant::info(kRule).title), std::string(name)}, ask);
    }
  };
  one("lr", [&] { return options.lr(); });
  one("betas", [&] { return options.betas(); });
  one("alpha", [&] { return options.alpha(); });
  one("momentum", [&] { return options.momentum(); });
  one("dampening", [&] { return options.dampening(); });
  one("eps", [&] { return options.eps(); });
  one("weight_decay", [&] { return options.weight_decay(); });
  one("lr_decay", [&] { return options.lr_decay(); });
  one("initial_accumulator_value", [&] { return options.initial_accumulator_value(); });
  one("nesterov", [&] { return options.nesterov(); });
  one("amsgrad", [&] { return options.amsgrad(); });
  one("centered", [&] { return options.centered(); });
  one("maximize", [&] { return options.maximize(); });
  EXPECT_EQ(found, adamant::info(kRule).options.size()) << "an option without a setter";
}
TEST(Libtorch, EveryRuleAndOptionIsHere) {
  expect_setters<adamant::Rule::adamw>();
  expect_setters<adamant::Rule::adam>();
  expect_setters<adamant::Rule::sgd>();
  expect_setters<adamant::Rule::rmsprop>();
  expect_setters<adamant::Rule::adagrad>();
  static_assert(std::is_same_v<ours::Adagrad, ours::OptimizerOf<adamant::Rule::adagrad>>);
  ASSERT_EQ(adamant::rules().size(), 5u) << "a rule without a line in adamant/torch.hpp, or in this test";

  ours::AdamWOptions options(0.5);
  options.betas(std::make_tuple(0.1, 0.2)).lr() *= 2.0;
  EXPECT_EQ(options.get_lr(), 1.0);
  EXPECT_EQ(std::get<1>(options.betas()), 0.2);
}

// The defaults that libtorch writes into an archive are ours.
TEST(Libtorch, DefaultsAreTorchs) {
  const auto check = [](const auto& their, const ours::RuleOptions& our) {
    torch::serialize::OutputArchive out;
    their.serialize(out);
    std::stringstream file;
    out.save_to(file);
    torch::serialize::InputArchive in;
    in.load_from(file);
    for (const std::string& key : in.keys()) {
      torch::IValue value;
      in.read(key, value);
      const adamant::OptionValue mine = adamant::get_option(our.values(), key).value();
      if (value.isDouble()) {
        EXPECT_EQ(std::get<double>(mine), value.toDouble()) << key;
      } else if (value.isBool()) {
        EXPECT_EQ(std::get<bool>(mine), value.toBool()) << key;
      } else {
        const auto [first, second] = value.to<std::tuple<double, double>>();
        EXPECT_EQ((std::get<std::array<double, 2>>(mine)), (std::array<double, 2>{first, second})) << key;
      }
    }
  };
  check(theirs::AdamWOptions(), ours::AdamWOptions());
  check(theirs::AdamOptions(), ours::AdamOptions());
  check(theirs::SGDOptions(1e-3), ours::SGDOptions());
  check(theirs::RMSpropOptions(), ours::RMSpropOptions());
  check(theirs::AdagradOptions(), ours::AdagradOptions());
}

// The engine on the same numbers, under the names that the tensors have here.
TEST(Libtorch, BitsAreTheEngines) {
  for (const char* preset : {"f32", "q8"}) {
    const adamant::Settings settings = adamant::preset(preset);
    const Tensors a = some_params(at::kBFloat16), b = some_params(at::kBFloat16);
    ours::AdamW mine(a, ours::AdamWOptions(1e-2), settings);
    std::vector<adamant::Param> params;
    for (std::size_t i = 0; i < b.size(); ++i) {
      params.emplace_back(
          "param_groups[0].params[" + std::to_string(i) + "]",
          adamant::Tensor(b[i].data_ptr(), static_cast<std::size_t>(b[i].numel()), adamant::Format::bf16));
    }
    adamant::AdamW engine(std::move(params), {.lr = 1e-2}, settings);
    for (int step = 0; step < 20; ++step) {
      set_grads(a, step, at::kBFloat16);
      for (std::size_t i = 0; i < a.size(); ++i) {
        engine.set_grad(
            i, adamant::Tensor(a[i].grad().data_ptr(), static_cast<std::size_t>(a[i].numel()), adamant::Format::bf16));
      }
      mine.step();
      engine.step();
    }
    expect_same_bits(a, b);
  }
}

TEST(Libtorch, StatesAreLiveTensors) {
  const Tensors params = some_params();
  ours::AdamW optimizer(params);
  EXPECT_TRUE(optimizer.state().empty());
  run(optimizer, params, 0, 1);
  const Tensor m = state_of(optimizer, params[0], "exp_avg");
  EXPECT_EQ(m.sizes(), params[0].sizes());
  EXPECT_TRUE(torch::allclose(m, params[0].grad() * 0.1));
  const Tensor before = m.clone();
  run(optimizer, params, 1, 2);
  EXPECT_FALSE(torch::equal(m, before));
  EXPECT_EQ(state_of(optimizer, params[0])->step(), 2);

  // Without a state a parameter starts anew, as in torch::optim.
  optimizer.state().clear();
  run(optimizer, params, 2, 3);
  EXPECT_EQ(state_of(optimizer, params[0])->step(), 1);
  EXPECT_TRUE(torch::allclose(state_of(optimizer, params[0], "exp_avg"), params[0].grad() * 0.1));
}

TEST(Libtorch, TheMemoryOfStatesOutlivesTheOptimizer) {
  const Tensors params = some_params();
  auto optimizer = std::make_unique<ours::AdamW>(params);
  run(*optimizer, params, 0, 1);
  const Tensor m = state_of(*optimizer, params[0], "exp_avg");
  const Tensor copy = m.clone();
  optimizer.reset();
  EXPECT_TRUE(torch::equal(m, copy));
}

TEST(Libtorch, GroupsAndSchedulers) {
  const auto train = [](auto& optimizer, const Tensors& params) {
    theirs::StepLR scheduler(optimizer, 5, 0.5);
    for (int step = 0; step < 20; ++step) {
      set_grads(params, step);
      optimizer.step();
      scheduler.step();
    }
  };
  const Tensors a = some_params(), b = some_params();
  const auto groups = [](const Tensors& params, auto options) {
    std::vector<theirs::OptimizerParamGroup> groups;
    groups.emplace_back(Tensors{params[0], params[1]});
    groups.emplace_back(Tensors{params[2], params[3]}, std::make_unique<decltype(options)>(options));
    return groups;
  };
  theirs::AdamW torchs(groups(a, theirs::AdamWOptions(0.1).weight_decay(0.0)), theirs::AdamWOptions(0.01));
  ours::AdamW mine(groups(b, ours::AdamWOptions(0.1).weight_decay(0.0)), ours::AdamWOptions(0.01));
  train(torchs, a);
  train(mine, b);
  expect_near(b, a);
  EXPECT_EQ(mine.param_groups()[1].options().get_lr(), 0.1 / 8);
  EXPECT_EQ(mine.engine().options(1).lr, 0.1 / 8);
}

// What a group leaves at its default is what torch of that version makes of it: that default, or the optimizer's own.
TEST(Libtorch, GroupsWithSomeOptions) {
  const auto groups = [](const Tensors& params, auto options) {
    std::vector<theirs::OptimizerParamGroup> groups;
    groups.emplace_back(Tensors{params[0]}, std::make_unique<decltype(options)>(options));
    return groups;
  };
  const Tensors a = some_params(), b = some_params();
  theirs::AdamW torchs(groups(a, theirs::AdamWOptions().weight_decay(0.5)), theirs::AdamWOptions(0.01).eps(1e-4));
  ours::AdamW mine(groups(b, ours::AdamWOptions().weight_decay(0.5)), ours::AdamWOptions(0.01).eps(1e-4));
  torchs.add_param_group({{a[1]}, std::make_unique<theirs::AdamWOptions>(theirs::AdamWOptions(0.2))});
  mine.add_param_group({{b[1]}, std::make_unique<ours::AdamWOptions>(ours::AdamWOptions(0.2))});
  for (std::size_t g = 0; g < 2; ++g) {
    const auto& expected = static_cast<const theirs::AdamWOptions&>(torchs.param_groups()[g].options());
    const auto& got = static_cast<const ours::AdamWOptions&>(mine.param_groups()[g].options());
    EXPECT_EQ(got.lr(), expected.lr());
    EXPECT_EQ(got.eps(), expected.eps());
    EXPECT_EQ(got.weight_decay(), expected.weight_decay());
  }
  EXPECT_EQ(mine.param_groups()[1].options().get_lr(), 0.2);
}

TEST(Libtorch, GroupsAddedLater) {
  const auto train = [](auto& optimizer, const Tensors& params) {
    const Tensors first = {params[0], params[1]};
    run(optimizer, first, 0, 5);
    optimizer.add_param_group(theirs::OptimizerParamGroup({params[2]}));
    optimizer.add_parameters({params[3]});
    run(optimizer, params, 5, 15);
  };
  const Tensors a = some_params(), b = some_params();
  theirs::AdamW torchs({a[0], a[1]}, theirs::AdamWOptions(0.01));
  ours::AdamW mine({b[0], b[1]}, ours::AdamWOptions(0.01));
  train(torchs, a);
  train(mine, b);
  expect_near(b, a);
  EXPECT_EQ(state_of(mine, b[0])->step(), 15);
  EXPECT_EQ(state_of(mine, b[2])->step(), 10);
  EXPECT_ANY_THROW(mine.add_param_group(theirs::OptimizerParamGroup({b[2]})));
}

TEST(Libtorch, AGroupMayUseAnotherRule) {
  const Tensors a = some_params(), b = some_params();
  theirs::AdamW adamw({a[0]}, theirs::AdamWOptions(0.01));
  theirs::SGD sgd({a[1]}, theirs::SGDOptions(0.1).momentum(0.9));
  std::vector<theirs::OptimizerParamGroup> groups;
  groups.emplace_back(Tensors{b[0]});
  groups.emplace_back(Tensors{b[1]}, std::make_unique<ours::SGDOptions>(ours::SGDOptions(0.1).momentum(0.9)));
  ours::AdamW mine(std::move(groups), ours::AdamWOptions(0.01));
  for (int step = 0; step < 10; ++step) {
    set_grads(a, step);
    set_grads(b, step);
    adamw.step();
    sgd.step();
    mine.step();
  }
  expect_near({b[0], b[1]}, {a[0], a[1]});
}

TEST(Libtorch, ArchivesContinueWithTheSameBits) {
  for (const char* preset : {"f32", "b16", "q8", "q8-lite"}) {
    const adamant::Settings settings = adamant::preset(preset);
    const Tensors a = some_params(at::kBFloat16), b = some_params(at::kBFloat16);
    ours::AdamW first(a, ours::AdamWOptions(0.01), settings);
    run(first, a, 0, 10, at::kBFloat16);
    ours::AdamW second(b, ours::AdamWOptions(0.01), settings);
    run(second, b, 90, 93, at::kBFloat16);  // what it has is replaced
    load(second, saved(first));
    {
      const torch::NoGradGuard guard;
      for (std::size_t i = 0; i < a.size(); ++i) b[i].copy_(a[i]);
    }
    run(first, a, 10, 20, at::kBFloat16);
    run(second, b, 10, 20, at::kBFloat16);
    expect_same_bits(a, b);
    EXPECT_EQ(state_of(second, b[0])->step(), 20);
    EXPECT_EQ(saved(first).size(), saved(second).size());
  }
}

TEST(Libtorch, ARefusedArchiveChangesNothing) {
  const Tensors a = some_params(), b = some_params();
  ours::AdamW mine(a, ours::AdamWOptions(0.01));
  run(mine, a, 0, 3);
  const Tensor m = state_of(mine, a[0], "exp_avg").clone();

  ours::SGD sgd(b, ours::SGDOptions(0.01).momentum(0.9));
  run(sgd, b, 0, 3);
  expect_refused(ErrorCode::not_found, {"\"exp_avg\"", "param_groups[0].params[0]", "momentum_buffer"},
                 [&] { load(mine, saved(sgd)); });
  ours::AdamW fewer({b[0]}, ours::AdamWOptions(0.01));
  expect_refused(ErrorCode::mismatch, {"param_groups[0]", "has 4", "has 1"}, [&] { load(mine, saved(fewer)); });
  ours::AdamW others({b[1], b[0], b[2], b[3]}, ours::AdamWOptions(0.01));
  run(others, b, 0, 1);
  expect_refused(ErrorCode::mismatch, {"\"exp_avg\"", "[129]", "[64, 65]"}, [&] { load(mine, saved(others)); });
  Tensors large = {torch::ones({5000}).requires_grad_()};
  ours::AdamW q8(large, ours::AdamWOptions(0.01), {.state = adamant::StateFormat::q8});
  run(q8, large, 0, 1);
  EXPECT_EQ(state_of(q8, large[0], "exp_avg_q8").scalar_type(), torch::kByte);
  ours::AdamW f32(large, ours::AdamWOptions(0.01));
  expect_refused(ErrorCode::not_found, {"\"exp_avg\"", "exp_avg_q8"}, [&] { load(f32, saved(q8)); });

  EXPECT_TRUE(torch::equal(state_of(mine, a[0], "exp_avg"), m));
  run(mine, a, 3, 4);
  EXPECT_EQ(state_of(mine, a[0])->step(), 4);
}

TEST(Libtorch, ClosuresAndZeroGrad) {
  const Tensor w = torch::ones({10}).requires_grad_();
  ours::SGD optimizer({w}, ours::SGDOptions(0.25));
  const torch::NoGradGuard guard;  // a closure can differentiate all the same
  const Tensor loss = optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor value = (w * w).sum();
    value.backward();
    return value;
  });
  EXPECT_EQ(loss.item<float>(), 10.0f);
  EXPECT_EQ(w[3].item<float>(), 0.5f);
  optimizer.zero_grad();
  optimizer.step();
  EXPECT_EQ(w[3].item<float>(), 0.5f);
}

TEST(Libtorch, ParametersWithoutGradientsAreLeftAlone) {
  const Tensors params = some_params();
  ours::AdamW optimizer(params, ours::AdamWOptions(0.01));
  const Tensor before = params[1].detach().clone();
  params[1].set_requires_grad(false);
  for (int step = 0; step < 3; ++step) {
    set_grads(params, step);
    params[1].mutable_grad() = Tensor();
    optimizer.step();
  }
  EXPECT_TRUE(same_bits(params[1], before));
  EXPECT_EQ(state_of(optimizer, params[1]), nullptr);
  params[1].set_requires_grad(true);
  run(optimizer, params, 3, 5);
  EXPECT_FALSE(same_bits(params[1], before));
  EXPECT_EQ(state_of(optimizer, params[1])->step(), 2);
  EXPECT_EQ(state_of(optimizer, params[0])->step(), 5);
}

// Whatever the layout and dtype of a gradient: the bits of a step with its plain copy.
TEST(Libtorch, GradientsOfOtherLayoutsAndDtypes) {
  const auto stepped = [](at::ScalarType dtype, const Tensor& grad) {
    torch::manual_seed(3);
    const Tensor w = torch::randn({6, 8}).to(dtype).requires_grad_();
    ours::AdamW optimizer({w}, ours::AdamWOptions(0.01));
    for (int i = 0; i < 3; ++i) {
      w.mutable_grad() = grad;
      optimizer.step();
    }
    return w;
  };
  const Tensor wide = torch::randn({8, 12});
  const Tensor transposed = wide.narrow(1, 2, 6).t();
  ASSERT_FALSE(transposed.is_contiguous());
  EXPECT_TRUE(same_bits(stepped(at::kFloat, transposed), stepped(at::kFloat, transposed.contiguous())));
  const Tensor expanded = torch::ones({1}).expand({6, 8});
  EXPECT_TRUE(same_bits(stepped(at::kFloat, expanded), stepped(at::kFloat, expanded.contiguous())));
  EXPECT_FALSE(same_bits(stepped(at::kFloat, expanded), stepped(at::kFloat, transposed)));
}

TEST(Libtorch, ParametersOfOtherLayouts) {
  const auto stepped = [](at::MemoryFormat layout) {
    torch::manual_seed(3);
    const Tensor w = torch::randn({2, 3, 4, 5}).contiguous(layout).requires_grad_();
    ours::AdamW optimizer({w}, ours::AdamWOptions(0.01));
    for (int i = 0; i < 3; ++i) {
      w.mutable_grad() = torch::randn({2, 3, 4, 5});
      optimizer.step();
    }
    std::ostringstream file;
    torch::save(optimizer, file);
    const Tensor other = w.detach().clone(at::MemoryFormat::Contiguous).requires_grad_();
    ours::AdamW loaded({other}, ours::AdamWOptions(0.01));
    load(loaded, file.str());
    other.mutable_grad() = torch::ones({2, 3, 4, 5});
    loaded.step();
    return Tensors{w, state_of(optimizer, w, "exp_avg").clone(), other};
  };
  expect_same_bits(stepped(at::MemoryFormat::ChannelsLast), stepped(at::MemoryFormat::Contiguous));
}

TEST(Libtorch, HalfParametersAndMixedGradients) {
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    const Tensors a = some_params(dtype);
    ours::AdamW optimizer(a, ours::AdamWOptions(0.05));
    const Tensor before = a[0].detach().clone();
    run(optimizer, a, 0, 5, dtype);
    EXPECT_FALSE(torch::equal(a[0], before));
    EXPECT_TRUE(torch::isfinite(a[0]).all().item<bool>());
    EXPECT_EQ(state_of(optimizer, a[0], "exp_avg").scalar_type(), at::kFloat);
  }
}

TEST(Libtorch, ParametersThatMove) {
  const Tensors a = some_params(), b = some_params();
  ours::AdamW still(a, ours::AdamWOptions(0.01)), moving(b, ours::AdamWOptions(0.01));
  run(still, a, 0, 3);
  run(moving, b, 0, 3);
  const Tensor old = b[0].detach();
  const Tensor old_values = old.clone();
  b[0].set_data(b[0].detach().clone());
  b[1].set_data(b[1].detach().clone());
  run(still, a, 3, 6);
  run(moving, b, 3, 6);
  expect_same_bits(a, b);
  EXPECT_EQ(state_of(moving, b[0])->step(), 6);

  // Two that exchange their memory.
  const Tensors c = {torch::ones({9}).requires_grad_(), torch::zeros({9}).requires_grad_()};
  ours::AdamW swapped(c, ours::AdamWOptions(0.5).weight_decay(0.0));
  run(swapped, c, 0, 1);
  const Tensor x = c[0].detach(), y = c[1].detach();
  c[0].set_data(y);
  c[1].set_data(x);
  run(swapped, c, 1, 2);
  EXPECT_EQ(state_of(swapped, c[0])->step(), 2);

  // Another dtype: the states stay.
  for (const Tensor& param : b) param.set_data(param.detach().to(at::kDouble));
  run(moving, b, 6, 7, at::kDouble);
  EXPECT_EQ(state_of(moving, b[0], "exp_avg").scalar_type(), at::kDouble);
  EXPECT_EQ(state_of(moving, b[0])->step(), 7);
}

TEST(Libtorch, ParametersThatChangeTheirLayout) {
  const auto params = [] {
    torch::manual_seed(5);
    return Tensors{torch::randn({2, 3, 4, 5}).requires_grad_()};
  };
  const Tensors a = params(), b = params();
  ours::AdamW still(a, ours::AdamWOptions(0.01)), changing(b, ours::AdamWOptions(0.01));
  run(still, a, 0, 3);
  run(changing, b, 0, 3);
  b[0].set_data(b[0].detach().contiguous(at::MemoryFormat::ChannelsLast));
  run(still, a, 3, 6);
  run(changing, b, 3, 6);
  expect_same_bits(a, b);
}

TEST(Libtorch, AParameterMovesToWhereAGradientLay) {
  const Tensors a = some_params();
  ours::AdamW optimizer(a, ours::AdamWOptions(0.01));
  run(optimizer, a, 0, 1);
  const Tensor grad = a[0].grad();
  a[0].mutable_grad() = Tensor();
  grad.copy_(a[0].detach());
  a[0].set_data(grad);
  run(optimizer, a, 1, 2);
  EXPECT_EQ(state_of(optimizer, a[0])->step(), 2);
}

TEST(Libtorch, StatesAreWidenedButNotNarrowed) {
  const Tensors a = some_params(), b = some_params();
  ours::AdamW half(a, ours::AdamWOptions(0.01), {.state = adamant::StateFormat::bf16});
  ours::AdamW full(b, ours::AdamWOptions(0.01));
  run(half, a, 0, 3);
  load(full, saved(half));
  EXPECT_TRUE(torch::equal(state_of(full, b[0]) == nullptr ? Tensor() : state_of(full, b[0], "exp_avg"),
                           state_of(half, a[0], "exp_avg").to(at::kFloat)));
  expect_refused(ErrorCode::mismatch, {"\"exp_avg\"", "is Float", "BFloat16"}, [&] { load(half, saved(full)); });
}

TEST(Libtorch, AutogradSeesTheStep) {
  const Tensor w = torch::ones({4}).requires_grad_();
  ours::SGD optimizer({w}, ours::SGDOptions(0.1));
  const Tensor loss = (w * w).sum();
  loss.backward({}, /*retain_graph=*/true);
  optimizer.step();
  EXPECT_ANY_THROW(loss.backward());
}

TEST(Libtorch, SettingsAndReports) {
  const Tensor w = torch::zeros({4}).requires_grad_();
  ours::SGD optimizer({w}, ours::SGDOptions(1.0), {.max_norm = 1.0});
  w.mutable_grad() = torch::full({4}, 5.0f);
  optimizer.step();
  EXPECT_NEAR(optimizer.last_report().grad_norm.value(), 10.0, 1e-6);
  EXPECT_NEAR(w[0].item<float>(), -0.5, 1e-6);
  w.mutable_grad() = torch::full({4}, std::numeric_limits<float>::quiet_NaN());
  optimizer.step();
  EXPECT_FALSE(optimizer.last_report().applied);
  EXPECT_NEAR(w[0].item<float>(), -0.5, 1e-6);
  EXPECT_EQ(state_of(optimizer, w)->step(), 1);
}

TEST(Libtorch, Refusals) {
  const auto leaf = [](const Tensor& tensor) { return tensor.detach().requires_grad_(); };
  const auto built = [](const Tensor& tensor) { return [tensor] { ours::AdamW optimizer({tensor}); }; };
  const std::string name = "\"param_groups[0].params[0]\"";
  const auto invalid = ErrorCode::invalid_argument;
  expect_refused(invalid, {name, "strides", "[16]"}, built(leaf(torch::ones({4, 16}).select(1, 0))));
  expect_refused(invalid, {name, "strides"}, built(leaf(torch::ones({1}).expand({3}))));
  expect_refused(invalid, {name, "Sparse"}, built(torch::ones({3}).to_sparse()));
  expect_refused(invalid, {name, "ComplexFloat"}, built(torch::ones({3}, torch::kComplexFloat)));
  expect_refused(invalid, {name, "Long"}, built(torch::ones({3}, torch::kLong)));
  expect_refused(invalid, {name, "meta"}, built(torch::ones({3}, torch::device(at::kMeta))));
  expect_refused(invalid, {"Invalid learning rate: -1"}, [] { ours::AdamW({torch::ones({3})}, -1.0); });

  const Tensor shared = torch::ones({8});
  expect_refused(ErrorCode::duplicate, {"params[1]", "params[0]"},
                 [&] { ours::AdamW optimizer({leaf(shared), leaf(shared.narrow(0, 0, 4))}); });
  expect_refused(invalid, {"param_groups[1]", "adamant::libtorch"}, [&] {
    ours::AdamW optimizer({theirs::OptimizerParamGroup({torch::ones({3})}),
                           theirs::OptimizerParamGroup({torch::ones({3})}, std::make_unique<theirs::AdamWOptions>())});
  });

  const Tensor w = torch::ones({4, 4}).requires_grad_();
  ours::AdamW optimizer({w});
  const auto stepped = [&](const Tensor& grad) {
    return [&, grad] {
      w.unsafeGetTensorImpl()->set_autograd_meta(nullptr);
      w.set_requires_grad(true);
      w.mutable_grad() = grad;
      optimizer.step();
    };
  };
  expect_refused(invalid, {"gradient of " + name, "Sparse"}, stepped(torch::ones({4, 4}).to_sparse()));
  expect_refused(invalid, {"gradient of " + name, "ComplexFloat"}, stepped(torch::ones({4, 4}, torch::kComplexFloat)));
  expect_refused(invalid, {"gradient of " + name, "meta"}, stepped(torch::ones({4, 4}, torch::device(at::kMeta))));
  expect_refused(ErrorCode::mismatch, {"gradient of " + name, "[2, 8]", "[4, 4]"}, stepped(torch::ones({2, 8})));
  EXPECT_TRUE(torch::equal(w, torch::ones({4, 4})));
  // Gradients of another width are converted.
  stepped(torch::ones({4, 4}, torch::kDouble))();
  EXPECT_FALSE(torch::equal(w, torch::ones({4, 4})));
  EXPECT_EQ(state_of(optimizer, w)->step(), 1);

  static_cast<ours::AdamWOptions&>(optimizer.param_groups()[0].options()).amsgrad(true);
  expect_refused(ErrorCode::mismatch, {"group 0", "max_exp_avg_sq"}, stepped(torch::ones({4, 4})));
}

}  // namespace
