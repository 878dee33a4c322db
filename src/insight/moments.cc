// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <adamant/model.hpp>
#include <adamant/moments.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/float_environment.h"
#include "insight/nan.h"
#include "rule/memory.h"

namespace adamant {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Where nothing can be said, the bound is infinite.
constexpr MomentFloors kNoFloors = {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kInfinity, kNaN, kNaN, kNaN, kNaN};

double square(double x) { return x * x; }
// 0/0 and x/0 are no statement.
double ratio(double a, double b) { return b == 0.0 ? kNaN : a / b; }
double cosine(double ab, double aa, double bb) {
  return std::clamp(ratio(ab, std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
}

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

Moments moments_of(const TensorStatistics& statistics, const RuleModel& model) {
  const FloatEnvironment environment;
  Moments moments;
  for (const MomentInfo& info : moment_list()) moments.*info.value = kNaN;
  if (statistics.step == 0) return moments;

  if (statistics.elements > 0) {
    const MomentSums& sums = statistics.sums;
    const auto n = static_cast<double>(statistics.elements);
    moments.update = std::sqrt(sums.uu / n);
    moments.relative_step = model.lr * std::sqrt(ratio(sums.uu, sums.ww));
    moments.peak_update = sums.max_u;
    moments.alignment = cosine(sums.gu, sums.gg, sums.uu);
    moments.decrease = model.lr * sums.gu;
    moments.radial = cosine(sums.wu, sums.ww, sums.uu);
    if (model.first_before) moments.signal = ratio(sums.mg / model.first_before->total, sums.gg);
    if (model.first) moments.smoothing = std::sqrt(ratio(sums.mm, sums.gg)) / model.first->total;
    if (model.second) {
      moments.lag = std::sqrt(sums.grgr / n);
      moments.eps_tax = model.second->eps * sums.r / n;
      if (model.update_momentum == 0.0) {
        moments.angle = 180.0 / std::numbers::pi * std::acos(cosine(sums.mu, sums.mm, sums.uu));
      }
    }
    if (model.decoupled_decay) {
      const double decay = *model.decoupled_decay, decayed = decay * std::sqrt(sums.ww);
      moments.decay_share = ratio(decayed, decayed + std::sqrt(sums.uu));
      if (decay > 0.0) moments.equilibrium = ratio(std::sqrt(sums.ww / n), std::sqrt(model.lr / (2.0 * decay)));
    }
  }

  const ScaleSample& scales = statistics.scales;
  if (scales.elements > 0) {
    const auto n = static_cast<double>(scales.elements);
    moments.zero_grads = static_cast<double>(scales.zero_grads) / n;
    if (model.second) moments.dead = 1.0 - static_cast<double>(scales.scaled) / n;
  }
  if (scales.scaled > 0 && model.second) {
    const auto n = static_cast<double>(scales.scaled);
    const double mean = scales.log_sum / n;
    moments.typical_lr = model.lr * std::exp2(-mean);
    moments.spread = std::sqrt(std::max(0.0, scales.log_sq_sum / n - square(mean)));
  }
  return moments;
}

Moments moments_of(const TensorStatistics& statistics, Rule rule, const Options& options) {
  return moments_of(statistics, model_of(rule, options, statistics.step));
}

MomentFloors floors_of(const RuleModel& model, std::uint64_t elements) {
  const FloatEnvironment environment;
  MomentFloors floors = kNoFloors;
  const std::uint64_t t = model.step;
  if (model.first) floors.smoothing_noise = std::sqrt(model.first->squares);
  if (model.first_before && elements > 0) {
    floors.signal_noise = std::sqrt(model.first_before->squares / static_cast<double>(elements));
  }
  if (!model.direction) return floors;
  const Memory& direction = *model.direction;
  const double buffer = model.update_momentum;
  if (buffer == 0.0) floors.alignment_noise = direction.newest / std::sqrt(direction.squares);
  if (!model.second) return floors;

  const Memory& scale = model.second->memory;
  if (model.second->kind == SecondMoment::Kind::mean) {
    floors.lag_noise = noise_of(Memory{}, scale, t);
    floors.update_noise = noise_of(direction, scale, t) * std::sqrt(geometric(square(buffer), t));
    floors.update_signal = geometric(buffer, t) / std::sqrt(scale.total);
  }
  if (model.second->kind != SecondMoment::Kind::other) {
    floors.peak_bound = bound_of(direction, scale, t) * geometric(buffer, t);
    floors.lone_hit = direction.newest / std::sqrt(scale.newest * scale.total);
  }
  if (const double decay = model.decoupled_decay.value_or(0.0); decay > 0.0) {
    const double balance = 2.0 * model.lr * decay;
    floors.relative_equilibrium = std::sqrt(balance) * floors.update_noise;
    const double decayed = 0.5 * std::sqrt(balance);  // λ·RMS(w)
    floors.decay_equilibrium = ratio(decayed, decayed + floors.update_noise);
    const double beta1 = direction.ratio;
    floors.radial_equilibrium =
        std::max(-1.0, -std::sqrt(balance * (1.0 - beta1) / (1.0 + beta1)) * beta1 / (1.0 - beta1));
  }
  return floors;
}

MomentFloors floors_of(Rule rule, const Options& options, std::uint64_t step, std::uint64_t elements) {
  return step == 0 ? kNoFloors : floors_of(model_of(rule, options, step), elements);
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
       &Moments::peak_update, [](F f) { return Guides{kNaN, f.peak_bound, 0.0, std::fmax(1.0, f.lone_hit)}; }},
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
