// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Gradients of a few rows of a table: only those rows move, as with torch's SparseAdam.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <numeric>

#include "tests/support/buffers.h"
#include "tests/support/refusal.h"

namespace adamant::testing {
namespace {

using Rows = std::vector<std::int64_t>;

/// The gradient of the whole table that the rows are a part of; repeated ones added in order, in the arithmetic's type.
void sum_rows(const Rows& rows, const Buffer& values, std::size_t width, Buffer& table) {
  table.fill(0, 0.0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = static_cast<std::size_t>(rows[r]) * width + i;
      table.set(at, table[at] + values[r * width + i]);
    }
  }
}

/// Makes the rows of `to` that are not listed those of `from`.
void restore_other_rows(const Rows& rows, std::size_t row_bytes, std::span<const std::byte> from,
                        std::span<std::byte> to) {
  for (std::size_t at = 0; at < to.size(); at += row_bytes) {
    if (std::ranges::count(rows, static_cast<std::int64_t>(at / row_bytes)) > 0) continue;
    std::ranges::copy(from.subspan(at, row_bytes), to.begin() + static_cast<std::ptrdiff_t>(at));
  }
}
std::span<std::byte> bytes_of(Buffer& buffer) { return {buffer.data(), buffer.size() * info(buffer.format()).bytes}; }

class LazyRows : public ::testing::TestWithParam<Form> {};

// The model is a dense step after which the rows that are not listed get back what they had.
TEST_P(LazyRows, AreADenseStepOfTheirRowsAlone) {
  EXPECT_TRUE(rc::check(GetParam().name, [] {
    const Form& form = GetParam();
    const auto height = *rc::gen::inRange<std::size_t>(1, 12);
    const auto width = *rc::gen::inRange<std::size_t>(1, 40);
    const bool wide = *rc::gen::arbitrary<bool>();
    const Format format = wide ? Format::f64 : Format::f32;
    const Format grad_format = wide ? Format::f64 : *rc::gen::element(Format::f32, Format::bf16, Format::f16);

    Buffer w = Buffer(format, height * width).fill(1), model = w, dense(format, w.size());
    const std::vector<std::size_t> shape = {height, width};
    Optimizer lazy(form.rule, {{"table", w.view(), {}, shape}}, form.options);
    Optimizer whole(form.rule, {{"table", model.view(), dense.view(), shape}}, form.options);
    for (std::uint64_t step = 1; step <= 6; ++step) {
      const Rows rows = *rc::gen::container<Rows>(rc::gen::inRange<std::int64_t>(0, static_cast<std::int64_t>(height)));
      Buffer values = Buffer(grad_format, rows.size() * width).fill(step);
      lazy.set_lazy_row_grad("table", rows, values.view());
      RC_ASSERT(lazy.step().applied);

      sum_rows(rows, values, width, dense);
      Buffer before = model;
      const StateDict dict_before = whole.state_dict();
      whole.step();
      const std::size_t row_bytes = width * info(format).bytes;
      restore_other_rows(rows, row_bytes, bytes_of(before), bytes_of(model));
      StateDict dict = whole.state_dict();
      for (auto& [name, state] : dict.tensors["table"].states) {
        restore_other_rows(rows, row_bytes, dict_before.tensors.at("table").states.at(name).bytes, state.bytes);
      }
      whole.load_state_dict(dict);
      RC_ASSERT(w == model);
      RC_ASSERT(bits_of(lazy.state_dict()) == bits_of(whole.state_dict()));
    }
  }));
}

TEST_P(LazyRows, AllOfThemAreADenseStepInEveryFormat) {
  struct Kept {
    Format param, grad;
    Settings settings;
  };
  const Kept kKept[] = {
      {Format::f32, Format::f32, {}},
      {Format::f64, Format::f64, {}},
      {Format::bf16, Format::bf16, {}},
      {Format::f16, Format::f32, {.state = StateFormat::f16}},
      {Format::f32, Format::bf16, {.state = StateFormat::bf16}},
      {Format::bf16, Format::bf16, preset("b16")},
      {Format::bf16, Format::f32, preset("q8")},
      {Format::bf16, Format::f16, preset("q8-lite")},
  };
  for (const Kept& kept : kKept) {
    // Rows of one and a half blocks, enough of them for the compact formats.
    constexpr std::size_t kRows = 13, kWidth = 384;
    Buffer w = Buffer(kept.param, kRows * kWidth).fill(1), same = w, g(kept.grad, w.size());
    Buffer values(kept.grad, w.size());
    const std::vector<std::size_t> shape = {kRows, 3, kWidth / 3};
    Optimizer lazy(GetParam().rule, {{"table", w.view(), {}, shape}}, GetParam().options, kept.settings);
    Optimizer dense(GetParam().rule, {{"table", same.view(), g.view(), shape}}, GetParam().options, kept.settings);
    Rows rows(kRows);
    std::iota(rows.begin(), rows.end(), 0);
    lazy.set_lazy_row_grad("table", rows, values.view());
    for (std::uint64_t step = 1; step <= 5; ++step) {
      g.fill(step);
      std::ranges::rotate(rows, rows.begin() + 5);
      std::ranges::reverse(rows);
      for (std::size_t i = 0; i < w.size(); ++i) {
        values.set(i, g[static_cast<std::size_t>(rows[i / kWidth]) * kWidth + i % kWidth]);
      }
      lazy.step();
      dense.step();
    }
    EXPECT_EQ(w, same) << info(kept.param).name << " " << info(kept.settings.state).name;
    EXPECT_EQ(bits_of(lazy.state_dict()), bits_of(dense.state_dict()))
        << info(kept.param).name << " " << info(kept.settings.state).name;
  }
}

TEST_P(LazyRows, NoneAtAllOnlyCountAsAStep) {
  Buffer w = Buffer(Format::f32, 12).fill(1);
  const Buffer before = w;
  Optimizer optimizer(GetParam().rule, {{"table", w.view(), {}, {4, 3}}}, GetParam().options);
  StateDict dict = optimizer.state_dict();
  optimizer.set_lazy_row_grad("table", {}, Tensor(static_cast<float*>(nullptr), 0));
  EXPECT_TRUE(optimizer.step().applied);
  EXPECT_EQ(w, before);
  dict.tensors["table"].step = 1;
  EXPECT_EQ(bits_of(optimizer.state_dict()), bits_of(dict));
}

INSTANTIATE_TEST_SUITE_P(Rules, LazyRows, ::testing::ValuesIn(forms()),
                         [](const auto& info) { return std::string(info.param.name); });

// What one step of SGD with learning rate 1 takes off a table of zeros: the gradient as it was summed.
std::vector<double> summed(Format param, const Rows& rows, Buffer values, std::size_t height) {
  const std::size_t width = values.size() / rows.size();
  Buffer w(param, height * width);
  Optimizer optimizer(Rule::sgd, {{"table", w.view(), {}, {height, width}}}, {.lr = 1.0, .maximize = true});
  optimizer.set_lazy_row_grad("table", rows, values.view());
  optimizer.step();
  return w.values();
}

TEST(RepeatedRows, AreSummedInTheirOrder) {
  EXPECT_EQ(summed(Format::f32, {1, 0, 1, 1}, Buffer(Format::f32, {1, 10, 100, 200, 2, 20, 3, 30}), 2),
            (std::vector<double>{100, 200, 6, 60}));
  // As f32, 1e8 + 1 is 1e8.
  EXPECT_EQ(summed(Format::f32, {0, 0, 0}, Buffer(Format::f32, {1e8, 1, -1e8}), 1), std::vector<double>{0});
  EXPECT_EQ(summed(Format::f32, {0, 0, 0}, Buffer(Format::f32, {1e8, -1e8, 1}), 1), std::vector<double>{1});
  EXPECT_EQ(summed(Format::f64, {0, 0, 0}, Buffer(Format::f64, {1e8, 1, -1e8}), 1), std::vector<double>{1});
}

TEST(RepeatedRows, OfNarrowFormatsAreSummedAsF32) {
  // 257 is no number of bf16, 4097 none of f16.
  EXPECT_EQ(summed(Format::f32, {0, 0}, Buffer(Format::bf16, {256, 1}), 1), std::vector<double>{257});
  EXPECT_EQ(summed(Format::f32, {0, 0}, Buffer(Format::f16, {4096, 1}), 1), std::vector<double>{4097});
}

TEST(RepeatedRows, ManyOnManyThreads) {
  constexpr std::size_t kRows = 3000, kWidth = 50, kGiven = 5000;
  Rows rows(kGiven);
  for (std::size_t i = 0; i < kGiven; ++i) rows[i] = static_cast<std::int64_t>(random_bits(i) % kRows);
  Buffer values = Buffer(Format::f32, kGiven * kWidth).fill(1);
  std::vector<Buffer> results;
  for (const int threads : {1, 2, 5}) {
    Buffer w = Buffer(Format::f32, kRows * kWidth).fill(2);
    Optimizer optimizer(Rule::adamw, {{"table", w.view(), {}, {kRows, kWidth}}}, {}, {.threads = threads});
    optimizer.set_lazy_row_grad("table", rows, values.view());
    optimizer.step();
    optimizer.step();
    results.push_back(w);
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

/// A table of four rows that can be given rows.
struct Table {
  Buffer w = Buffer(Format::f32, 12).fill(1), values = Buffer(Format::f32, 6).fill(2);
  Optimizer optimizer = Optimizer(Rule::adamw, {{"table", w.view(), {}, {4, 3}}});
};

// The norm is that of the dense gradient with zeros elsewhere, bit for bit, and so is its part of a larger model's.
TEST(RowGradients, HaveTheNormOfTheDenseGradient) {
  EXPECT_TRUE(rc::check([] {
    const auto height = *rc::gen::inRange<std::size_t>(1, 400);
    const auto width = *rc::gen::inRange<std::size_t>(1, 400);
    const Format format = *rc::gen::element(Format::f32, Format::bf16, Format::f16);
    auto rows = *rc::gen::container<Rows>(rc::gen::inRange<std::int64_t>(0, static_cast<std::int64_t>(height)));
    std::ranges::sort(rows);
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    Buffer before = Buffer(Format::f32, 300).fill(1), after = Buffer(Format::f32, 20000).fill(2);
    Buffer table = Buffer(Format::f32, height * width).fill(3), other = table, dense(format, table.size());
    Buffer values = Buffer(format, rows.size() * width).fill(4);
    Buffer before_grad = before, after_grad = after;
    sum_rows(rows, values, width, dense);
    const auto norm = [&](Buffer& w, Tensor grad, bool lazy) {
      Optimizer sgd(Rule::sgd,
                    {{"before", before.view(), before_grad.view()},
                     {"table", w.view(), grad, {height, width}},
                     {"after", after.view(), after_grad.view()}},
                    {.lr = 0.0}, {.report_norm = true});
      if (lazy) sgd.set_lazy_row_grad("table", rows, values.view());
      return *sgd.step().grad_norm;
    };
    RC_ASSERT(norm(table, {}, true) == norm(other, dense.view(), false));
  }));
}

TEST(RowGradients, AreReadInTheStep) {
  Table late, early;
  Rows rows = {0, 1};
  late.values.fill(7);
  late.optimizer.set_lazy_row_grad("table", rows, late.values.view());
  rows = {3, 2};
  late.values.fill(2);
  late.optimizer.step();
  early.optimizer.set_lazy_row_grad("table", rows, early.values.view());
  early.optimizer.step();
  EXPECT_EQ(late.w, early.w);
}

TEST(RowGradients, TakeThePlaceOfAGradientAndAreTakenAway) {
  Table table;
  Buffer g = Buffer(Format::f32, 12).fill(3), dense = table.w;
  const Rows rows = {0, 2};
  Optimizer other(Rule::adamw, {{"table", dense.view(), g.view(), {4, 3}}});
  table.optimizer.set_grad("table", g.view());
  table.optimizer.set_lazy_row_grad(0, rows, table.values.view());
  other.set_lazy_row_grad("table", rows, table.values.view());
  table.optimizer.step();
  other.step();
  EXPECT_EQ(table.w, dense);
  table.optimizer.set_grad("table", {});
  const Buffer before = table.w;
  table.optimizer.step();
  EXPECT_EQ(table.w, before);
  EXPECT_EQ(table.optimizer.tensor(0).step, 1u);
  table.optimizer.set_grad("table", g.view());
  table.optimizer.step();
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NE(table.w[i], before[i]) << "a dense step again";
}

TEST(RowGradients, AreClearedByZeroGrad) {
  Table table;
  const Rows rows = {0, 2};
  table.optimizer.set_lazy_row_grad("table", rows, table.values.view());
  table.optimizer.zero_grad();
  EXPECT_EQ(table.values.values(), std::vector<double>(6));
}

TEST(RowGradients, OutsideTheTableAreRefusedInTheStep) {
  Table table;
  const Buffer before = table.w;
  const std::string state_before = bits_of(table.optimizer.state_dict());
  const auto step = [&](const Rows& rows) {
    table.optimizer.set_lazy_row_grad("table", rows, table.values.view());
    return refusal([&] { table.optimizer.step(); });
  };
  EXPECT_EQ(step({0, 4}), "invalid_argument: row gradient of 'table': row 4 at index 1 must be in [0, 4)");
  EXPECT_EQ(step({-1, 0}), "invalid_argument: row gradient of 'table': row -1 at index 0 must be in [0, 4)");
  EXPECT_EQ(step({3, std::numeric_limits<std::int64_t>::min()}),
            "invalid_argument: row gradient of 'table': row -9223372036854775808 at index 1 must be in [0, 4)");
  EXPECT_EQ(step({std::numeric_limits<std::int64_t>::max(), 3}),
            "invalid_argument: row gradient of 'table': row 9223372036854775807 at index 0 must be in [0, 4)");
  EXPECT_EQ(table.w, before);
  EXPECT_EQ(bits_of(table.optimizer.state_dict()), state_before);
  EXPECT_EQ(step({3, 0}), "accepted");
}

TEST(RowGradients, RefuseAWrongRowBeforeAnotherTensorMoves) {
  Buffer w = Buffer(Format::f32, 12).fill(1), table = w, g = Buffer(Format::f32, 12).fill(2);
  const Buffer before = w;
  Optimizer optimizer(Rule::adamw, {{"w", w.view(), g.view()}, {"table", table.view(), {}, {4, 3}}});
  const Rows rows = {9};
  Buffer values = Buffer(Format::f32, 3).fill(3);
  optimizer.set_lazy_row_grad("table", rows, values.view());
  EXPECT_NE(refusal([&] { optimizer.step(); }), "accepted");
  EXPECT_EQ(w, before);
  EXPECT_EQ(optimizer.tensor(0).step, 0u);
}

TEST(RowGradients, ThatDoNotFitAreRefused) {
  std::vector<float> flat(12), table(12), values(6);
  std::vector<double> wide(6);
  float nothing;
  Optimizer optimizer(Rule::adamw, {{"flat", flat},
                                    {"table", table, {}, {4, 3}},
                                    {"thin", Tensor(&nothing, 0), {}, {4, 0}},
                                    {"short", Tensor(&nothing, 0), {}, {0, 3}}});
  const Rows rows = {1, 2};
  const auto set = [&](const char* name, std::span<const std::int64_t> some, Tensor given) {
    return refusal([&] { optimizer.set_lazy_row_grad(name, some, given); });
  };
  EXPECT_EQ(set("flat", rows, values),
            "mismatch: row gradient of 'flat': the tensor must have a shape [rows, width...], has [12]");
  EXPECT_EQ(set("thin", rows, values),
            "mismatch: row gradient of 'thin': the tensor must have a shape [rows, width...], has [4, 0]");
  EXPECT_EQ(set("short", Rows{}, Tensor(&nothing, 0)), "accepted");
  EXPECT_EQ(set("table", Rows{1}, values), "mismatch: row gradient of 'table' has 6 values but 1 row of 3 elements");
  EXPECT_EQ(set("table", rows, Tensor(static_cast<float*>(nullptr), 6)),
            "invalid_argument: row gradient of 'table' is null but has 6 elements");
  EXPECT_EQ(set("table", rows, wide),
            "mismatch: gradient of 'table' is f64 but its parameter is f32: f64 goes with f64 only");
  EXPECT_EQ(set("table", rows, Tensor(flat.data() + 2, 6)),
            "duplicate: row gradient of 'table' shares memory with parameter 'flat'");
  EXPECT_EQ(set("tables", rows, values), "not_found: no tensor 'tables' in this optimizer");
  EXPECT_EQ(refusal([&] { optimizer.set_lazy_row_grad(4, rows, values); }),
            "not_found: no tensor 4: the optimizer has 4 tensors");
  optimizer.step();
  EXPECT_EQ(optimizer.tensor(1).step, 0u) << "none was taken";
  EXPECT_EQ(set("table", rows, values), "accepted");
}

TEST(RowGradients, OfQ8StatesNeedRowsOfWholeGroups) {
  constexpr const char* kRefused =
      "mismatch: row gradient of 'table': its rows have 64 elements; q8 states need a multiple of 128, so that no "
      "group "
      "is shared between rows";
  const Rows rows = {1};
  std::vector<float> narrow(8192), fitting(8192), small(640), values(128);
  const auto optimizer_of = [](std::vector<float>& table, std::size_t width, StateFormat state) {
    return Optimizer(Rule::adamw, {{"table", table, {}, {table.size() / width, width}}}, {}, {.state = state});
  };
  const auto set = [&](Optimizer& optimizer, std::size_t width) {
    return refusal([&] { optimizer.set_lazy_row_grad("table", rows, Tensor(values.data(), width)); });
  };
  Optimizer in_q8 = optimizer_of(narrow, 64, StateFormat::q8);
  EXPECT_EQ(set(in_q8, 64), kRefused);
  Optimizer of_groups = optimizer_of(fitting, 128, StateFormat::q8);
  EXPECT_EQ(set(of_groups, 128), "accepted");
  Optimizer too_small_for_q8 = optimizer_of(small, 64, StateFormat::q8);
  EXPECT_EQ(set(too_small_for_q8, 64), "accepted");

  // It does not matter what came first.
  std::vector<float> table(8192);
  Optimizer optimizer = optimizer_of(table, 64, StateFormat::f32);
  EXPECT_EQ(set(optimizer, 64), "accepted");
  EXPECT_EQ(refusal([&] { optimizer.set_formats(StateFormat::q8, WeightFormat::plain); }), kRefused);
  EXPECT_EQ(optimizer.tensor(0).state_format, StateFormat::f32);
  EXPECT_EQ(optimizer.settings().state, StateFormat::f32);
  optimizer.set_grad("table", {});
  EXPECT_EQ(refusal([&] { optimizer.set_formats(StateFormat::q8, WeightFormat::plain); }), "accepted");
}

}  // namespace
}  // namespace adamant::testing
