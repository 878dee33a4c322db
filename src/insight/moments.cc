#include <adamant/moments.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

namespace adamant {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double square(double x) { return x * x; }
// 0/0 and x/0 are no statement.
double ratio(double a, double b) { return b == 0.0 ? kNaN : a / b; }
double cosine(double ab, double aa, double bb) {
  return std::clamp(ratio(ab, std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
}

// Σ q^k over k < count.
double geometric(double q, std::uint64_t count) {
  const auto n = static_cast<double>(count);
  return q == 1.0 ? n : (1.0 - std::pow(q, n)) / (1.0 - q);
}

// How a mean remembers: a gradient of k steps ago has the weight newest·ratio^k. The weights add up to 1; what the rule
// keeps is `total` times that mean.
struct Memory {
  double ratio = 0.0, newest = 1.0, total = 1.0;
  double squares = 1.0;  // sum of the squared weights
};

Memory averaging(double beta, std::uint64_t t) {
  const double total = 1.0 - std::pow(beta, static_cast<double>(t));
  const double newest = (1.0 - beta) / total;
  return {beta, newest, total, square(newest) * geometric(square(beta), t)};
}

// torch's momentum: the first gradient enters whole, later ones without their dampened share.
Memory momentum(double mu, double dampening, std::uint64_t t) {
  const double first = std::pow(mu, static_cast<double>(t - 1));
  const double fresh = 1.0 - dampening;
  const double total = fresh * geometric(mu, t - 1) + first;
  const double squares = square(fresh) * geometric(square(mu), t - 1) + square(first);
  return {mu, (t == 1 ? 1.0 : fresh) / total, total, squares / square(total)};
}

bool has_betas(Rule rule) { return rule == Rule::adamw || rule == Rule::adam; }
bool has_second(Rule rule) { return rule != Rule::sgd; }

// Of m after t steps; nothing for a rule without one, and before the first step.
std::optional<Memory> first_memory(Rule rule, const Options& o, std::uint64_t t) {
  if (t == 0) return std::nullopt;
  if (has_betas(rule)) return averaging((*o.betas)[0], t);
  if (rule == Rule::sgd && *o.momentum > 0.0) return momentum(*o.momentum, *o.dampening, t);
  return std::nullopt;
}

// Of v̂, which is `total` times the mean of g².
std::optional<Memory> second_memory(Rule rule, const Options& o, std::uint64_t t) {
  if (t == 0) return std::nullopt;
  if (has_betas(rule)) {
    Memory memory = averaging((*o.betas)[1], t);
    memory.total = 1.0;  // bias correction
    return memory;
  }
  if (rule == Rule::rmsprop) return averaging(*o.alpha, t);
  if (rule == Rule::adagrad) {
    const auto n = static_cast<double>(t);
    return Memory{1.0, 1.0 / n, n, 1.0 / n};
  }
  return std::nullopt;
}

// RMSprop's momentum is a sum of updates: how many of them, and the root of the sum of their squared weights.
double buffer_momentum(Rule rule, const Options& o) { return rule == Rule::rmsprop ? *o.momentum : 0.0; }

// Is v the plain mean of g² that its memory says?
bool plain_second(Rule rule, const Options& o) {
  if (has_betas(rule)) return !*o.amsgrad;
  if (rule == Rule::rmsprop) return !*o.centered;
  return rule == Rule::adagrad && *o.initial_accumulator_value == 0.0;
}

double learning_rate(Rule rule, const Options& o, std::uint64_t t) {
  return rule == Rule::adagrad ? *o.lr / (1.0 + static_cast<double>(t - 1) * *o.lr_decay) : *o.lr;
}

double decoupled_decay(Rule rule, const Options& o) { return rule == Rule::adamw ? *o.weight_decay : 0.0; }

// RMS of (Σ c g)/√(Σ a g²) for independent normal g, with c and a the weights of direction and scale. By the delta
// method around the means, E x/y = E x - cov(x, y) + E x·var(y), with var g² = 2.
double noise_of(const Memory& direction, const Memory& scale, std::uint64_t t) {
  const double shared = square(direction.newest) * scale.newest * geometric(square(direction.ratio) * scale.ratio, t);
  const double mean = direction.squares - 2.0 * shared + 2.0 * direction.squares * scale.squares;
  return std::sqrt(mean / scale.total);
}

// The largest (Σ c g)/√(Σ a g²), by the Cauchy-Schwarz inequality.
double bound_of(const Memory& direction, const Memory& scale, std::uint64_t t) {
  const double growth = direction.ratio == 0.0 ? 0.0 : square(direction.ratio) / scale.ratio;
  const double sum = t == 1 ? 1.0 : std::isinf(growth) ? kInfinity : geometric(growth, t);
  return direction.newest * std::sqrt(sum / (scale.newest * scale.total));
}

}  // namespace

Moments moments_of(const TensorStatistics& statistics, Rule rule, const Options& o) {
  Moments moments;
  for (const MomentInfo& info : moment_list()) moments.*info.value = kNaN;
  const std::uint64_t t = statistics.step;

  if (statistics.elements > 0 && t > 0) {
    const MomentSums& sums = statistics.sums;
    const auto n = static_cast<double>(statistics.elements);
    const double lr = learning_rate(rule, o, t), decay = decoupled_decay(rule, o);
    const std::optional<Memory> first = first_memory(rule, o, t), before = first_memory(rule, o, t - 1);
    moments.update = std::sqrt(sums.uu / n);
    moments.relative_step = lr * std::sqrt(ratio(sums.uu, sums.ww));
    moments.peak_update = sums.max_u;
    moments.alignment = cosine(sums.gu, sums.gg, sums.uu);
    moments.decrease = lr * sums.gu;
    moments.radial = cosine(sums.wu, sums.ww, sums.uu);
    if (before) moments.signal = ratio(sums.mg / before->total, sums.gg);
    if (first) moments.smoothing = std::sqrt(ratio(sums.mm, sums.gg)) / first->total;
    if (has_second(rule)) {
      moments.lag = std::sqrt(sums.rr / n);
      moments.eps_tax = std::max(*o.eps, static_cast<double>(std::numeric_limits<float>::min())) * sums.r / n;
      if (buffer_momentum(rule, o) == 0.0) {
        moments.angle = 180.0 / std::numbers::pi * std::acos(cosine(sums.mu, sums.mm, sums.uu));
      }
    }
    if (rule == Rule::adamw) {
      const double decayed = decay * std::sqrt(sums.ww);
      moments.decay_share = ratio(decayed, decayed + std::sqrt(sums.uu));
      if (decay > 0.0) moments.equilibrium = ratio(std::sqrt(sums.ww / n), std::sqrt(lr / (2.0 * decay)));
    }
  }

  const ScaleSample& scales = statistics.scales;
  if (scales.elements > 0) {
    const auto n = static_cast<double>(scales.elements);
    moments.zero_grads = static_cast<double>(scales.zero_grads) / n;
    if (has_second(rule)) moments.dead = 1.0 - static_cast<double>(scales.scaled) / n;
  }
  if (scales.scaled > 0 && has_second(rule) && t > 0) {
    const auto n = static_cast<double>(scales.scaled);
    const double mean = scales.log_sum / n;
    moments.typical_lr = learning_rate(rule, o, t) * std::exp2(-mean);
    moments.spread = std::sqrt(std::max(0.0, scales.log_sq_sum / n - square(mean)));
  }
  return moments;
}

MomentFloors floors_of(Rule rule, const Options& o, std::uint64_t t, std::uint64_t elements) {
  MomentFloors floors{kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kInfinity, kNaN, kNaN, kNaN, kNaN};
  if (t == 0) return floors;
  const std::optional<Memory> first = first_memory(rule, o, t), before = first_memory(rule, o, t - 1);
  const std::optional<Memory> second = second_memory(rule, o, t);
  const Memory direction = first.value_or(Memory{});
  const double buffer = buffer_momentum(rule, o);

  if (first) floors.smoothing_noise = std::sqrt(first->squares);
  if (before && elements > 0) floors.signal_noise = std::sqrt(before->squares / static_cast<double>(elements));
  const bool nesterov = rule == Rule::sgd && *o.nesterov;
  if (buffer == 0.0 && !nesterov) floors.alignment_noise = direction.newest / std::sqrt(direction.squares);
  if (!second) return floors;

  if (plain_second(rule, o)) {
    floors.lag_noise = noise_of(Memory{}, *second, t);
    floors.update_noise = noise_of(direction, *second, t) * std::sqrt(geometric(square(buffer), t));
    floors.update_signal = geometric(buffer, t) / std::sqrt(second->total);
  }
  const bool centered = rule == Rule::rmsprop && *o.centered;  // then the scale may be 0 where g is not
  if (!centered) {
    floors.peak_bound = bound_of(direction, *second, t) * geometric(buffer, t);
    floors.lone_hit = direction.newest / std::sqrt(second->newest * second->total);
  }
  if (const double decay = decoupled_decay(rule, o); decay > 0.0) {
    const double balance = 2.0 * learning_rate(rule, o, t) * decay;
    floors.relative_equilibrium = std::sqrt(balance) * floors.update_noise;
    const double decayed = 0.5 * std::sqrt(balance);  // λ·RMS(w)
    floors.decay_equilibrium = ratio(decayed, decayed + floors.update_noise);
    const double beta1 = (*o.betas)[0];
    floors.radial_equilibrium =
        std::max(-1.0, -std::sqrt(balance * (1.0 - beta1) / (1.0 + beta1)) * beta1 / (1.0 - beta1));
  }
  return floors;
}

std::span<const MomentInfo> moment_list() {
  using F = const MomentFloors&;
  static constexpr MomentInfo kList[] = {
      {"lag", "Lag of v", "", "Is v keeping up with the gradients?", "RMS(g·r), r = 1/(√v̂ + ε)",
       "1: it does. Above 2 gradients have grown faster than v: steps are too long. Below 0.5 for long: v remembers "
       "gradients that are gone, and steps are too short.",
       &Moments::lag, [](F f) { return Guides{f.lag_noise, kNaN, 0.5 * f.lag_noise, 2.0 * f.lag_noise}; }},
      {"update", "Length of the update", "lr", "How long is the step, in units of the learning rate?",
       "RMS(u), u = m̂·r",
       "On the noise line gradients are noise; at 1 they all agree. Below the noise line ε or an old v shortens the "
       "step, or gradients alternate.",
       &Moments::update, [](F f) { return Guides{f.update_noise, kNaN, 0.5 * f.update_noise, f.update_signal}; }},
      {"signal", "Signal in m", "", "How much of this gradient did m already know?", "<m̂_old, g> / ‖g‖²",
       "0: nothing, gradients are noise at this batch size. 1: all of it. Below 0: m points the wrong way, steps "
       "overshoot.",
       &Moments::signal, [](F f) { return Guides{0.0, kNaN, -2.0 * f.signal_noise, 1.0}; }},
      {"relative_step", "Relative step", "", "How far do the weights move in a step?", "η·RMS(u) / RMS(w)",
       "About 1e-3 is usual. Above 1e-2 the learning rate is high for these weights; below 1e-4 they hardly move.",
       &Moments::relative_step, [](F f) { return Guides{f.relative_equilibrium, kNaN, 1e-4, 1e-2}; }},
      {"peak_update", "Longest coordinate", "lr", "Does one coordinate take a runaway step?", "max |u|",
       "At most 1 where gradients come steadily; a gradient after a long silence gives more. Nothing can exceed the "
       "bound.",
       &Moments::peak_update, [](F f) { return Guides{kNaN, f.peak_bound, 0.0, std::max(1.0, f.lone_hit)}; }},
      {"eps_tax", "Share of ε", "", "Is v still deciding the scale, or is ε?", "ε·mean(r)",
       "Below 1% v decides. At 1 the rule is momentum with learning rate η/ε. Elements that never had a gradient count "
       "as 1.",
       &Moments::eps_tax, [](F) { return Guides{kNaN, 1.0, 0.0, 0.01}; }},
      {"typical_lr", "Typical learning rate", "lr of SGD", "What learning rate do weights really get?",
       "η / geometric mean of √v̂", "What plain gradient descent would need to move a typical weight as far.",
       &Moments::typical_lr, [](F) { return Guides{kNaN, kNaN, kNaN, kNaN}; }},
      {"angle", "Angle between m and the step", "degrees", "How far did v turn the step?", "acos(<m,u> / (‖m‖·‖u‖))",
       "0: v gives all coordinates one learning rate. The larger, the more v decides about the direction.",
       &Moments::angle, [](F) { return Guides{kNaN, 90.0, kNaN, kNaN}; }},
      {"spread", "Spread of the scales", "octaves", "Over how many octaves do the weights' learning rates differ?",
       "standard deviation of log2 √v̂",
       "0: all weights have one learning rate, as with SGD. Several octaves are usual, most in embeddings.",
       &Moments::spread, [](F) { return Guides{kNaN, kNaN, kNaN, kNaN}; }},
      {"smoothing", "Noise that m leaves", "", "How much noise did averaging remove?", "RMS(m̂) / RMS(g)",
       "On the noise line all that m can take away; at 1 there was nothing to smooth; below the line gradients "
       "alternate and cancel.",
       &Moments::smoothing, [](F f) { return Guides{f.smoothing_noise, kNaN, 0.5 * f.smoothing_noise, 1.0}; }},
      {"alignment", "Alignment with the gradient", "", "Does the step still go downhill?", "<g,u> / (‖g‖·‖u‖)",
       "Above 0: downhill for this batch. Noise alone gives more than 0, because m holds the gradient itself.",
       &Moments::alignment, [](F f) { return Guides{f.alignment_noise, 1.0, 0.0, 1.0}; }},
      {"decrease", "Predicted decrease", "loss", "How much of the loss does the step take away?", "η·<g,u>",
       "To first order and for this batch, so it promises too much; compare tensors by it.", &Moments::decrease,
       [](F) { return Guides{kNaN, kNaN, 0.0, kInfinity}; }},
      {"decay_share", "Share of the decay", "", "How much of the step is weight decay?", "λ·‖w‖ / (λ·‖w‖ + ‖u‖)",
       "On the line decay and updates are in balance. Above a half the decay decides what becomes of the weights.",
       &Moments::decay_share, [](F f) { return Guides{f.decay_equilibrium, 1.0, 0.0, 0.5}; }},
      {"radial", "Radial part of the step", "", "Does the update grow or shrink the weights?", "<w,u> / (‖w‖·‖u‖)",
       "u is subtracted: below 0 the update lengthens the weights, against the decay; above 0 it shortens them.",
       &Moments::radial, [](F f) { return Guides{f.radial_equilibrium, 1.0, kNaN, kNaN}; }},
      {"equilibrium", "Distance from balance", "", "Have decay and updates come into balance?", "RMS(w) / √(η/2λ)",
       "1: balance. It is reached in about 1/(ηλ) steps; weights below 1 still grow.", &Moments::equilibrium,
       [](F) { return Guides{1.0, kNaN, kNaN, kNaN}; }},
      {"zero_grads", "Zero gradients", "", "How many weights got no gradient in this step?",
       "share of elements with g = 0",
       "Rows that were not looked up, units that were off. What is usual depends on the model.", &Moments::zero_grads,
       [](F) { return Guides{kNaN, 1.0, kNaN, kNaN}; }},
      {"dead", "Never touched", "", "How many weights never had a gradient?", "share of elements with v̂ = 0",
       "They never learn; only the decay moves them.", &Moments::dead, [](F) { return Guides{kNaN, 1.0, kNaN, kNaN}; }},
  };
  return kList;
}

}  // namespace adamant
