// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The memory of an optimizer's states: which planes there are, and planes in memory of the caller's.
#include <gtest/gtest.h>

#if defined(__linux__)
#include <sys/resource.h>
#include <unistd.h>
#endif

#include <cstring>
#include <fstream>
#include <limits>
#include <new>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

constexpr std::size_t kSize = 5000;

std::string text_of(const Plane& plane) {
  constexpr const char* kKinds[] = {"values", "exponents", "low_bits"};
  return std::string(plane.state) + " " + kKinds[static_cast<std::size_t>(plane.kind)] + " " +
         std::to_string(plane.bytes.size());
}

std::vector<std::string> texts_of(const std::vector<Plane>& planes) {
  std::vector<std::string> texts;
  for (const Plane& plane : planes) texts.push_back(text_of(plane));
  return texts;
}

class PlanesOf : public ::testing::Test {
 protected:
  Buffer w = Buffer(Format::bf16, kSize).fill(1), g = Buffer(Format::bf16, kSize).fill(2);
};

TEST_F(PlanesOf, AreWhatTheFormatsKeep) {
  using Texts = std::vector<std::string>;
  const auto planes = [&](const Settings& settings, const Options& options = {}) {
    return texts_of(Optimizer(Rule::adamw, {{"w", w.view()}}, options, settings).planes("w"));
  };
  EXPECT_EQ(planes({}), (Texts{"exp_avg values 20000", "exp_avg_sq values 20000"}));
  EXPECT_EQ(planes(preset("b16")), (Texts{"exp_avg values 10000", "exp_avg_sq values 10000", " low_bits 5000"}));
  EXPECT_EQ(planes(preset("q8"), {.amsgrad = true}),
            (Texts{"exp_avg values 5000", "exp_avg_sq values 5000", "exp_avg_sq exponents 40",
                   "max_exp_avg_sq values 5000", "max_exp_avg_sq exponents 40", " low_bits 5000"}));
  EXPECT_EQ(texts_of(Optimizer(Rule::sgd, {{"w", w.view()}}).planes(0)), Texts{});
}

TEST_F(PlanesOf, AreTheBytesOfTheStateDict) {
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, preset("q8"));
  optimizer.step();
  const StateDict dict = optimizer.state_dict();
  const StateDict::Entry& entry = dict.tensors.at("w");
  for (const Plane& plane : optimizer.planes("w")) {
    const auto& kept = plane.kind == PlaneKind::low_bits ? entry.weight_bits
                       : plane.kind == PlaneKind::values ? entry.states.at(std::string(plane.state)).bytes
                                                         : entry.states.at(std::string(plane.state)).exponents;
    EXPECT_TRUE(std::ranges::equal(plane.bytes, kept)) << text_of(plane);
  }
}

// A state dict needs no memory of its own: the planes of one optimizer are loaded by another.
TEST_F(PlanesOf, AreLoadedWithoutACopy) {
  for (const std::string_view name : presets()) {
    Buffer other_w = w;
    Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {.lr = 0.5}, preset(name));
    for (int step = 0; step < 3; ++step) optimizer.step();
    StateDictView view;
    view.steps = optimizer.steps();
    view.groups = {
        {std::string(info(optimizer.rule()).name), std::string(optimizer.formula()), optimizer.options(), {"w"}}};
    StateDictView::Entry& entry = view.tensors["w"];
    const TensorInfo tensor = optimizer.tensor(0);
    entry.shape = tensor.shape;
    entry.step = tensor.step;
    entry.weight_format = tensor.weight_format;
    for (const Plane& plane : optimizer.planes("w")) {
      if (plane.kind == PlaneKind::low_bits) {
        entry.weight_bits = plane.bytes;
        continue;
      }
      auto& state = entry.states[std::string(plane.state)];
      state.format = tensor.state_format;
      (plane.kind == PlaneKind::values ? state.bytes : state.exponents) = plane.bytes;
    }
    Optimizer other(Rule::adamw, {{"w", other_w.view(), g.view()}}, {}, preset(name));
    other.load_state_dict(view);
    EXPECT_EQ(bits_of(other.state_dict()), bits_of(optimizer.state_dict())) << name;
    EXPECT_EQ(*other.options().lr, 0.5);
    EXPECT_EQ(other.steps(), 3u);
    // Its own memory too.
    optimizer.load_state_dict(view);
    EXPECT_EQ(bits_of(other.state_dict()), bits_of(optimizer.state_dict())) << name;
  }
}

// What a load writes it does not read, but for a plane that is loaded into itself.
TEST_F(PlanesOf, AreNotLoadedFromEachOther) {
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  optimizer.step();
  const StateDict before = optimizer.state_dict();
  StateDictView view = before;
  auto& states = view.tensors.at("w").states;
  const std::vector<Plane> planes = optimizer.planes("w");
  states.at("exp_avg").bytes = planes[1].bytes;
  EXPECT_EQ(refusal([&] { optimizer.load_state_dict(view); }),
            "duplicate: state_dict: memory for state 'exp_avg' of tensor 'w' is that of state 'exp_avg_sq' of tensor "
            "'w'");
  EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(before));
  states.at("exp_avg").bytes = planes[0].bytes;
  EXPECT_EQ(refusal([&] { optimizer.load_state_dict(view); }), "accepted");
  EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(before));
}

// Every plane of each preset, moved before the first step, between steps, and back.
TEST_F(PlanesOf, MayBeTheCallersMemory) {
  for (const std::string_view name : presets()) {
    Buffer own_w = w;
    Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, preset(name));
    Optimizer own(Rule::adamw, {{"w", own_w.view(), g.view()}}, {}, preset(name));
    std::vector<std::vector<double>> memory;  // aligned to 8 bytes
    const auto bytes_at = [](std::vector<double>& at, std::size_t bytes) {
      return std::as_writable_bytes(std::span(at)).first(bytes);
    };
    const auto move_all = [&] {
      for (const Plane& plane : optimizer.planes("w")) {
        std::vector<double>& place = memory.emplace_back(plane.bytes.size() / 8 + 1);
        optimizer.set_plane("w", plane.state, plane.kind, bytes_at(place, plane.bytes.size()));
      }
      std::size_t i = memory.size() - optimizer.planes("w").size();
      for (const Plane& plane : optimizer.planes("w")) {
        EXPECT_EQ(static_cast<const void*>(plane.bytes.data()), memory[i++].data()) << name;
      }
    };
    move_all();
    optimizer.step();
    own.step();
    move_all();
    optimizer.step();
    own.step();
    EXPECT_EQ(w, own_w) << name;
    EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(own.state_dict())) << name;
    for (const Plane& plane : optimizer.planes("w")) optimizer.set_plane("w", plane.state, plane.kind, {});
    memory.clear();
    optimizer.step();
    own.step();
    EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(own.state_dict())) << name;
    EXPECT_EQ(w, own_w) << name;
  }
}

TEST_F(PlanesOf, AreCheckedLikeParameters) {
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}}, {}, preset("b16"));
  std::vector<double> memory(2 * kSize);
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(memory));
  const auto refused = [&](std::string_view state, PlaneKind kind, std::span<std::byte> at) {
    return refusal([&] { optimizer.set_plane("w", state, kind, at); });
  };
  EXPECT_EQ(refused("sum", PlaneKind::values, bytes),
            "not_found: tensor 'w' has no state 'sum': it has [exp_avg, exp_avg_sq]");
  EXPECT_EQ(refused("exp_avg", PlaneKind::exponents, bytes),
            "not_found: exponents of state 'exp_avg' of tensor 'w': its formats keep none");
  EXPECT_EQ(refused("exp_avg", PlaneKind::values, bytes.first(3)),
            "mismatch: memory for values of state 'exp_avg' of tensor 'w' has 3 bytes, must have 10000");
  EXPECT_EQ(refused("exp_avg", PlaneKind::values, bytes.subspan(4, 2 * kSize)),
            "invalid_argument: memory for values of state 'exp_avg' of tensor 'w' is misaligned: its address must be a "
            "multiple of 8 bytes");
  EXPECT_EQ(refused("exp_avg", PlaneKind::values, {w.data(), 2 * kSize}),
            "duplicate: memory for values of state 'exp_avg' of tensor 'w' is that of parameter 'w'");
  EXPECT_EQ(refused("exp_avg", PlaneKind::values, {g.data(), 2 * kSize}),
            "duplicate: memory for values of state 'exp_avg' of tensor 'w' is that of the gradient of 'w'");
  EXPECT_EQ(refused("exp_avg", PlaneKind::values, bytes.first(2 * kSize)), "accepted");
  EXPECT_EQ(
      refused("exp_avg_sq", PlaneKind::values, bytes.subspan(8, 2 * kSize)),
      "duplicate: memory for values of state 'exp_avg_sq' of tensor 'w' is that of state 'exp_avg' of tensor 'w'");
  // Its own memory is in use too.
  const auto own = [&](std::size_t plane) {
    const std::span<const std::byte> at = optimizer.planes("w")[plane].bytes;
    return std::span(const_cast<std::byte*>(at.data()), at.size());
  };
  EXPECT_EQ(
      refused("exp_avg_sq", PlaneKind::values, own(1)),
      "duplicate: memory for values of state 'exp_avg_sq' of tensor 'w' is that of state 'exp_avg_sq' of tensor 'w'");
  EXPECT_EQ(refusal([&] { optimizer.set_grad("w", Tensor(static_cast<void*>(own(1).data()), kSize, Format::bf16)); }),
            "duplicate: gradient of 'w' shares memory with state 'exp_avg_sq' of tensor 'w'");
  EXPECT_EQ(refusal([&] { optimizer.set_grad("w", Tensor(reinterpret_cast<void*>(-64), kSize, Format::bf16)); }),
            "invalid_argument: gradient of 'w' reaches beyond the address space");
  EXPECT_EQ(refused("", PlaneKind::low_bits, bytes.subspan(2 * kSize, kSize)), "accepted");
  EXPECT_EQ(refusal([&] { optimizer.set_grad("w", Tensor(static_cast<void*>(memory.data()), kSize, Format::bf16)); }),
            "duplicate: gradient of 'w' shares memory with state 'exp_avg' of tensor 'w'");
  EXPECT_EQ(refusal([&] {
              optimizer.add_param_group({{{"v", Tensor(static_cast<void*>(memory.data()), kSize, Format::bf16)}}});
            }),
            "duplicate: state 'exp_avg' of tensor 'w' and parameter 'v' share memory");
  EXPECT_EQ(optimizer.tensor_count(), 1u);
  // Back in its own memory, or in another format, the old memory is free again.
  optimizer.set_plane("w", "exp_avg", PlaneKind::values, {});
  optimizer.set_formats(StateFormat::f32, WeightFormat::plain);
  EXPECT_EQ(refusal([&] { optimizer.set_grad("w", Tensor(static_cast<void*>(memory.data()), kSize, Format::bf16)); }),
            "accepted");
  optimizer.set_grad("w", {});
  const std::span<std::byte> was_low_bits = bytes.subspan(2 * kSize, kSize);
  EXPECT_EQ(
      refusal([&] {
        optimizer.add_param_group({{{"v", Tensor(static_cast<void*>(was_low_bits.data()), kSize / 2, Format::bf16)}}});
      }),
      "accepted");
}

TEST(BytesPerParameter, CountAllThatIsKeptOfATensor) {
  const auto bytes = [](const std::string& name, const std::vector<std::size_t>& shape, std::size_t size) {
    Buffer w(Format::f32, size);
    return Optimizer(Rule::adamw, {{name, w.view(), {}, shape}}).bytes_per_parameter();
  };
  EXPECT_EQ(bytes("w", {0}, 0), 0.0);
  const double one = bytes("w", {1}, 1);
  EXPECT_EQ(bytes("w with a longer name", {1}, 1) - one, 19.0);
  EXPECT_EQ(bytes("w", {1, 1, 1}, 1) - one, 2.0 * sizeof(std::size_t));
  constexpr std::size_t kMany = std::size_t{1} << 20;
  EXPECT_NEAR(bytes("w", {kMany}, kMany), 3.0 * sizeof(float), 0.01);
}

#if defined(__linux__)
// f64 has one format of states: a change of formats makes no second copy of them, not even for a moment.
TEST(Formats, OfDoublesChangeWithoutNewMemory) {
  constexpr std::size_t kMany = std::size_t{1} << 21;
  Buffer w = Buffer(Format::f64, kMany);
  Optimizer optimizer(Rule::adamw, {{"w", w.view()}}, {}, {.threads = 1});
  const double before = optimizer.bytes_per_parameter();
  const std::byte* const place = optimizer.planes("w").front().bytes.data();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit tight = {pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + kMany, limit.rlim_max};  // 2 MB more
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  std::string result;
  try {
    result = refusal([&] { optimizer.set_formats(StateFormat::q8, WeightFormat::plain); });
  } catch (const std::bad_alloc&) {
    result = "bad_alloc";
  }
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  EXPECT_EQ(result, "accepted");
  EXPECT_EQ(optimizer.bytes_per_parameter(), before);
  EXPECT_EQ(optimizer.planes("w").front().bytes.data(), place);
}
#endif

TEST(Params, MayMove) {
  Buffer w = Buffer(Format::f32, kSize).fill(1), g = Buffer(Format::f32, kSize).fill(2), alone = w;
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}});
  Optimizer other(Rule::adamw, {{"w", alone.view(), g.view()}});
  optimizer.step();
  other.step();
  Buffer moved = w;
  const Buffer before = w;
  optimizer.set_param("w", moved.view());
  optimizer.step();
  other.step();
  EXPECT_EQ(moved, alone);
  EXPECT_EQ(w, before);
  EXPECT_EQ(refusal([&] { optimizer.set_param("w", g.view()); }),
            "duplicate: gradient of 'w' shares memory with parameter 'w'");
  Buffer shorter(Format::f32, 7), narrow(Format::bf16, kSize);
  EXPECT_EQ(refusal([&] { optimizer.set_param("w", shorter.view()); }),
            "mismatch: parameter 'w' has 5000 elements of f32 and cannot move to memory of 7 elements of f32");
  EXPECT_EQ(refusal([&] { optimizer.set_param(0, narrow.view()); }),
            "mismatch: parameter 'w' has 5000 elements of f32 and cannot move to memory of 5000 elements of bf16");
  const Buffer constant = w;
  EXPECT_EQ(refusal([&] { optimizer.set_param("w", {static_cast<const void*>(constant.data()), kSize, Format::f32}); }),
            "invalid_argument: parameter 'w' is read-only");
  optimizer.step();
  other.step();
  EXPECT_EQ(moved, alone) << "refused calls change nothing";
  // The old memory is free again.
  optimizer.set_grad("w", w.view());
}

TEST(Tensors, CanBeRemoved) {
  Buffer a = Buffer(Format::f32, 300).fill(1), b = Buffer(Format::f32, 300).fill(2),
         c = Buffer(Format::f32, 300).fill(3);
  Buffer g = Buffer(Format::f32, 300).fill(4), c_alone = c;
  Optimizer optimizer(Rule::adamw, {{"a", a.view(), g.view()}, {"b", b.view(), g.view()}, {"c", c.view(), g.view()}});
  Optimizer alone(Rule::adamw, {{"c", c_alone.view(), g.view()}});
  optimizer.step();
  alone.step();
  const Buffer b_before = b;
  optimizer.remove_tensor("b");
  EXPECT_EQ(optimizer.tensor_count(), 2u);
  EXPECT_EQ(optimizer.tensor_index("c"), 1u);
  EXPECT_EQ(optimizer.tensor(1).name, "c");
  optimizer.step();
  alone.step();
  EXPECT_EQ(b, b_before);
  EXPECT_EQ(c, c_alone);
  optimizer.set_grad("a", b.view());  // no longer a parameter
  EXPECT_EQ(refusal([&] { optimizer.set_grad("a", c.view()); }),
            "duplicate: gradient of 'a' shares memory with parameter 'c'");
  EXPECT_EQ(refusal([&] { optimizer.remove_tensor("b"); }), "not_found: no tensor 'b' in this optimizer");
  EXPECT_EQ(refusal([&] { optimizer.remove_tensor(2); }), "not_found: no tensor 2: the optimizer has 2 tensors");
  Buffer other = b;
  EXPECT_EQ(optimizer.add_param_group({{{"b", other.view()}}}), 1u) << "the name is free again";
}

TEST(Tensors, AreMeantByIndexOrName) {
  Buffer a = Buffer(Format::f32, 30).fill(1), g = Buffer(Format::f32, 30).fill(4);
  Optimizer optimizer(Rule::adamw, {{"a", a.view(), g.view()}});
  optimizer.step();
  const std::string name = "a";
  EXPECT_EQ(optimizer.export_state(0, "exp_avg"), optimizer.export_state("a", "exp_avg"));
  EXPECT_EQ(optimizer.export_param(0u), optimizer.export_param(name));
  EXPECT_EQ(optimizer.state(std::size_t{0}, "exp_avg").data, optimizer.state(std::string_view("a"), "exp_avg").data);
  EXPECT_EQ(refusal([&] { static_cast<void>(optimizer.export_param(-1)); }),
            "not_found: no tensor 18446744073709551615: the optimizer has 1 tensor");
}

}  // namespace
}  // namespace adamant::testing
