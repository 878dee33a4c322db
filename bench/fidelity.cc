// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/fidelity.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

namespace adamant::fidelity {
namespace {

constexpr std::size_t kGroup = 128;
constexpr double kEps = 1e-8;  // for gradients of 1e-4 to 1e-3

// SplitMix64 of a counter.
std::uint64_t mixed(std::uint64_t x) {
  x = (x + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

// In [0, 1).
double uniform(std::uint64_t counter) { return std::ldexp(static_cast<double>(mixed(counter) >> 40), -24); }

// Nearly normal: a sum of four uniform numbers, with mean 0 and deviation 1.
float normal(std::uint64_t counter) {
  const std::uint64_t bits = mixed(counter);
  const auto part = [&](int shift) { return static_cast<float>(bits >> shift & 0xFFFF); };
  return (part(0) + part(16) + part(32) + part(48) - 131070.0f) * (1.0f / 37837.0f);
}

// Log-uniform over that many decades, the same within each group.
std::vector<float> deviations(std::size_t size, double decades, double scale = 1.0) {
  std::vector<float> all(size);
  for (std::size_t i = 0; i < size; ++i) {
    all[i] = static_cast<float>(scale * std::pow(10.0, decades * (uniform(i) - 0.5)));
  }
  return all;
}

// Two optimizers that see the same gradients.
class Twins {
 public:
  explicit Twins(const Setting& setting, double eps = 0.0)
      : grad(setting.size),
        f32_weights_(setting.size),
        weights_(setting.size),
        f32_(make(StateFormat::f32, setting.beta2, eps, f32_weights_)),
        kept_(make(setting.state, setting.beta2, eps, weights_)) {}

  // Gradients of that deviation; none where it is 0.
  void fill(std::span<const float> deviation, std::uint64_t step) {
    for (std::size_t i = 0; i < grad.size(); ++i) grad[i] = deviation[i] * normal(step * grad.size() + i);
  }
  void step() {
    f32_.step();
    kept_.step();
  }
  // From here on movements count.
  void mark() {
    std::ranges::fill(f32_weights_, 0.0f);
    std::ranges::fill(weights_, 0.0f);
  }
  // ‖movement - movement in f32‖ ÷ ‖movement in f32‖ of the elements that `counts` chooses.
  template <class Counts>
  double movement_error(const Counts& counts) const {
    double error = 0.0, all = 0.0;
    for (std::size_t i = 0; i < grad.size(); ++i) {
      if (!counts(i)) continue;
      const double truth = static_cast<double>(f32_weights_[i]), here = static_cast<double>(weights_[i]);
      error += (here - truth) * (here - truth);
      all += truth * truth;
    }
    return std::sqrt(error / all);
  }
  double movement_error() const {
    return movement_error([](std::size_t) { return true; });
  }
  std::vector<float> v_in_f32() const { return f32_.export_state("w", "exp_avg_sq"); }
  std::vector<float> v() const { return kept_.export_state("w", "exp_avg_sq"); }

  std::vector<float> grad;

 private:
  Optimizer make(StateFormat state, double beta2, double eps, std::vector<float>& weights) {
    Settings settings;
    settings.state = state;
    settings.nonfinite = NonFinite::propagate;
    return Optimizer(Rule::adamw, {{"w", weights, grad}},
                     {.lr = 1.0, .betas = {0.9, beta2}, .eps = eps, .weight_decay = 0.0}, settings);
  }

  std::vector<float> f32_weights_, weights_;
  Optimizer f32_, kept_;
};

std::uint64_t horizon(const Setting& setting) {
  return static_cast<std::uint64_t>(std::llround(1.0 / (1.0 - setting.beta2)));
}

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {at(0.05), at(0.5), at(0.95)};
}

bool chosen(std::size_t i) { return mixed(i) % 2 == 0; }

// What x becomes in touches that make it keep·x + input, rounded right on average, at random and independently, to
// multiples of a unit that it is one of: mean and variance.
struct Walk {
  double keep, input, unit;
  struct End {
    double mean, variance;
  };
  [[nodiscard]] End after(int touches, double start) const {
    End end{start, 0.0};
    for (int touch = 0; touch < touches; ++touch) {
      const double next = keep * end.mean + input;
      const double up = std::abs(next - end.mean) / unit;
      end = {next, keep * keep * end.variance + unit * unit * up * (1.0 - up)};
    }
    return end;
  }
};

// A table of which rows get the same gradient, and one number of each of its elements, which starts at 1 or nearly.
class Table {
 public:
  Table(Rounded what, std::size_t rows, std::uint64_t seed)
      : weights(what == Rounded::dithered_weight || what == Rounded::split8_weight),
        state_(what == Rounded::q8_first ? "exp_avg" : "exp_avg_sq"),
        start_(rows * kGroup, 1.0f),
        narrow_(weights ? rows * kGroup : 0),
        wide_(weights ? 0 : rows * kGroup),
        optimizer_(make(rows, seed)) {
    constexpr double kUp = 0.5;
    switch (what) {
      case Rounded::dithered_weight:
      case Rounded::split8_weight:
        optimizer_.set_formats(StateFormat::f32,
                               what == Rounded::split8_weight ? WeightFormat::split8 : WeightFormat::dithered);
        optimizer_.import_param("table", start_);
        walk.unit = what == Rounded::split8_weight ? 0x1p-15 : 0x1p-7;
        walk.keep = 1.0;
        walk.input = kUp * walk.unit;
        drive = -static_cast<float>(walk.input);
        break;
      case Rounded::b16_second:
      case Rounded::q8_second: {
        walk.unit = what == Rounded::b16_second ? 0x1p-7 : 0x1p-4;
        constexpr double kBeta = 0.999;
        const double square = 1.0 + kUp * walk.unit / (1.0 - kBeta);
        become({0.9, kBeta}, {std::sqrt(1.0 / (1.0 - kBeta))},
               what == Rounded::b16_second ? StateFormat::b16 : StateFormat::q8);
        drive = static_cast<float>(std::sqrt(square));
        walk.keep = kBeta;
        walk.input = (1.0 - kBeta) * square;
        break;
      }
      case Rounded::q8_first: {
        // The second moment is the square of the last gradient, so that the unit stays: √v, which is near 2, over 16.
        constexpr double kDrive = 1.9, kStart = 0.9375;
        walk.unit = 0x1p-4;
        walk.keep = 1.0 - kUp * walk.unit / (kDrive - kStart);
        walk.input = (1.0 - walk.keep) * kDrive;
        become({walk.keep, 0.0}, {(kStart - walk.input) / ((1.0 - walk.keep) * walk.keep), kDrive}, StateFormat::q8);
        drive = static_cast<float>(kDrive);
        break;
      }
    }
    start_ = values();
    begin_ = optimizer_.state_dict();
  }

  void restart() {
    ++begin_.seed;
    begin_.tensors.at("table").step = step_;
    optimizer_.load_state_dict(begin_);
    if (weights) optimizer_.import_param("table", start_);
  }
  void touch(std::span<const std::int64_t> rows) {
    grads_.resize(std::max(grads_.size(), rows.size() * kGroup), drive);
    optimizer_.set_lazy_row_grad("table", rows, std::span(grads_.data(), rows.size() * kGroup));
    optimizer_.step();
    ++step_;
  }
  [[nodiscard]] std::vector<float> values() const {
    return weights ? optimizer_.export_param("table") : optimizer_.export_state("table", state_);
  }
  [[nodiscard]] double start() const { return static_cast<double>(start_.front()); }

  Walk walk{};
  float drive = 0.0f;  // the gradient of a touch
  const bool weights;

 private:
  Optimizer make(std::size_t rows, std::uint64_t seed) {
    Settings settings;
    settings.nonfinite = NonFinite::propagate;
    settings.threads = 1;
    settings.seed = seed;
    const std::vector<std::size_t> shape = {rows, kGroup};
    if (weights) return Optimizer(Rule::sgd, {{"table", narrow_, {}, shape}}, {.lr = 1.0}, settings);
    return Optimizer(Rule::adamw, {{"table", wide_, {}, shape}}, {.lr = 0.0, .weight_decay = 0.0}, settings);
  }
  // Steps with such gradients of all elements in f32, then in that format.
  void become(const std::array<double, 2>& betas, std::initializer_list<double> gradients, StateFormat format) {
    optimizer_.set_options(0, {.betas = betas});
    for (const double gradient : gradients) {
      std::vector<float> grad(wide_.size(), static_cast<float>(gradient));
      optimizer_.set_grad("table", grad);
      optimizer_.step();
      optimizer_.set_grad("table", {});
      ++step_;
    }
    optimizer_.set_formats(format, WeightFormat::plain);
  }

  std::string state_;
  std::vector<float> start_;
  std::vector<bf16> narrow_;
  std::vector<float> wide_;
  std::vector<float> grads_;
  Optimizer optimizer_;
  StateDict begin_;
  std::uint64_t step_ = 0;
};

}  // namespace

Spread tracking(const Setting& setting) {
  Twins twins(setting);
  std::vector<float> deviation = deviations(setting.size, 1.5);
  std::uint64_t step = 0;
  for (; step < 3 * horizon(setting); ++step) {
    twins.fill(deviation, step);
    twins.step();
  }
  for (std::size_t i = 0; i < setting.size; ++i) deviation[i] *= chosen(i) ? 0.1f : 1.0f;
  for (const std::uint64_t end = step + 5 * horizon(setting); step < end; ++step) {
    twins.fill(deviation, step);
    twins.step();
  }
  const std::vector<float> truth = twins.v_in_f32(), kept = twins.v();
  std::vector<double> ratios;
  for (std::size_t i = 0; i < setting.size; ++i) {
    if (chosen(i)) ratios.push_back(std::sqrt(static_cast<double>(kept[i]) / static_cast<double>(truth[i])));
  }
  return spread_of(std::move(ratios));
}

double stopped(const Setting& setting, std::uint64_t steps) {
  Twins twins(setting, kEps);
  std::vector<float> deviation = deviations(setting.size, 1.0, 3e-4);
  std::uint64_t step = 0;
  for (; step < 200; ++step) {
    twins.fill(deviation, step);
    twins.step();
  }
  for (std::size_t i = 0; i < setting.size; ++i) deviation[i] *= chosen(i) ? 0.0f : 1.0f;
  twins.mark();
  for (const std::uint64_t end = step + steps; step < end; ++step) {
    twins.fill(deviation, step);
    twins.step();
  }
  return twins.movement_error(chosen);
}

double rare(const Setting& setting, std::uint64_t steps) {
  Twins twins(setting, kEps);
  const std::vector<float> deviation = deviations(setting.size, 1.0, 3e-4);
  for (std::uint64_t step = 0; step < steps; ++step) {
    for (std::size_t row = 0; row < setting.size; row += kGroup) {
      const bool hit = mixed(~(step * setting.size + row)) % 500 == 0;
      for (std::size_t i = row; i < row + kGroup; ++i) {
        twins.grad[i] = hit ? deviation[i] * normal(step * setting.size + i) : 0.0f;
      }
    }
    twins.step();
  }
  return twins.movement_error();
}

double periodic(const Setting& setting, std::uint64_t period, std::uint64_t steps) {
  Twins twins(setting);
  const std::vector<float> deviation = deviations(setting.size, 1.0), none(setting.size);
  for (std::uint64_t step = 0; step < steps; ++step) {
    twins.fill(step % period == 0 ? deviation : none, step);
    twins.step();
  }
  return twins.movement_error();
}

double update_error(const Setting& setting, double decades, double scale) {
  Twins twins(setting);
  const std::vector<float> deviation = deviations(setting.size, decades, scale);
  std::uint64_t step = 0;
  for (; step < 3 * horizon(setting); ++step) {
    twins.fill(deviation, step);
    twins.step();
  }
  constexpr int kUpdates = 50;
  double sum = 0.0;
  for (int i = 0; i < kUpdates; ++i, ++step) {
    twins.fill(deviation, step);
    twins.mark();
    twins.step();
    sum += twins.movement_error() / kUpdates;
  }
  return sum;
}

Spread weight_movement(WeightFormat format, std::size_t size) {
  constexpr int kSteps = 2000;
  constexpr double kPart = 1e-5;
  std::vector<float> start(size), grad(size);
  for (std::size_t i = 0; i < size; ++i) start[i] = static_cast<float>(bf16(static_cast<float>(1.0 + uniform(i))));
  std::vector<bf16> weights(size);
  Settings settings;
  settings.weights = format;
  Optimizer optimizer(Rule::sgd, {{"w", weights, grad}}, {.lr = 1.0}, settings);
  optimizer.import_param("w", start);
  for (std::size_t i = 0; i < size; ++i) grad[i] = -static_cast<float>(kPart) * start[i];
  for (int step = 0; step < kSteps; ++step) optimizer.step();
  const std::vector<float> end = optimizer.export_param("w");
  std::vector<double> shares(size);
  for (std::size_t i = 0; i < size; ++i) {
    shares[i] = (static_cast<double>(end[i]) / static_cast<double>(start[i]) - 1.0) / (kPart * kSteps);
  }
  return spread_of(std::move(shares));
}

std::string_view name_of(Rounded what) {
  switch (what) {
    case Rounded::dithered_weight:
      return "weights, `dithered`";
    case Rounded::split8_weight:
      return "weights, `split8`";
    case Rounded::b16_second:
      return "second moments, `b16`";
    case Rounded::q8_second:
      return "second moments, `q8`";
    case Rounded::q8_first:
      return "first moments, `q8`";
  }
  return {};
}

std::vector<Deviation> strided(Rounded what, std::span<const std::uint64_t> strides, std::uint64_t seed) {
  // A binade of q8 has 16 units: every row begins anew there after 13 touches, with words of its own.
  const bool q8 = what == Rounded::q8_second || what == Rounded::q8_first;
  const int rounds = q8 ? 4 : 1, touches = 52 / rounds;
  constexpr std::size_t kLeastRows = 32;  // what a compact format needs
  const std::size_t rows = std::max(strides.size(), kLeastRows);
  Table table(what, rows, seed);
  std::vector<std::vector<std::int64_t>> touched;  // by step
  for (std::size_t row = 0; row < strides.size(); ++row) {
    const std::uint64_t phase = mixed(row) % strides[row];
    touched.resize(
        std::max<std::size_t>(touched.size(), phase + static_cast<std::uint64_t>(touches - 1) * strides[row] + 1));
    for (int touch = 0; touch < touches; ++touch) {
      touched[phase + static_cast<std::uint64_t>(touch) * strides[row]].push_back(static_cast<std::int64_t>(row));
    }
  }
  std::vector<double> sums(rows * kGroup);
  for (int round = 0; round < rounds; ++round) {
    table.restart();
    for (const std::vector<std::int64_t>& now : touched) table.touch(now);
    const std::vector<float> ends = table.values();
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(ends[i]);
  }
  const Walk::End right = table.walk.after(touches, table.start());
  std::vector<Deviation> all;
  for (std::size_t row = 0; row < strides.size(); ++row) {
    Deviation of_row{};
    for (std::size_t i = row * kGroup; i < (row + 1) * kGroup; ++i) {
      const double deviation = (sums[i] - rounds * right.mean) / std::sqrt(rounds * right.variance);
      of_row.rms += deviation * deviation / kGroup;
      of_row.most = std::max(of_row.most, std::abs(deviation));
    }
    of_row.rms = std::sqrt(of_row.rms);
    all.push_back(of_row);
  }
  return all;
}

}  // namespace adamant::fidelity
