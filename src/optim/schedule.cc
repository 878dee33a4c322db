// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <adamant/schedule.hpp>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/float_environment.h"
#include "base/scalars.h"

namespace adamant::schedule {
namespace {

// Calls it where floating-point exceptions are masked. The compiler may move arithmetic out of a scope, but not out of
// a call that it cannot see through.
template <class... Args>
double masked(double (*schedule)(Args...), Args... args) {
  double (*volatile opaque)(Args...) = schedule;
  const FloatEnvironment environment;
  return opaque(args...);
}

// How far `step` is from `begin` to `end`, in [0, 1].
double progress(double step, double begin, double end) {
  if (step >= end) return 1.0;
  return step <= begin ? 0.0 : (step - begin) / (end - begin);
}

// From `from` to `to` along half a cosine.
double anneal(double from, double to, double share) {
  return to + (from - to) * (1.0 + std::cos(std::numbers::pi * share)) / 2.0;
}

namespace plain {

double linear(double lr, std::uint64_t step, std::uint64_t total, double start_factor, double end_factor) {
  const double share = progress(static_cast<double>(step), 0.0, static_cast<double>(total));
  return lr * (start_factor + (end_factor - start_factor) * share);
}

double warmup(double lr, std::uint64_t step, std::uint64_t warmup) {
  if (warmup == 0 || step >= warmup - 1) return lr;
  return lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
}

double cosine(double lr, std::uint64_t step, std::uint64_t total, double min_lr) {
  return anneal(lr, min_lr, progress(static_cast<double>(step), 0.0, static_cast<double>(total)));
}

double warmup_cosine(double lr, std::uint64_t step, std::uint64_t warmup, std::uint64_t total, double min_lr) {
  if (step < warmup) return plain::warmup(lr, step, warmup);
  return anneal(lr, min_lr,
                progress(static_cast<double>(step), static_cast<double>(warmup), static_cast<double>(total)));
}

double step_decay(double lr, std::uint64_t step, std::uint64_t period, double gamma) {
  return period == 0 ? lr : lr * integer_power(gamma, step / period);
}

double one_cycle(double max_lr, std::uint64_t step, std::uint64_t total, double pct_start, double div_factor,
                 double final_div_factor) {
  const double initial = max_lr / div_factor;
  // As torch counts: the first step has the initial rate, the last one (total - 1) the final rate.
  const double top = pct_start * static_cast<double>(total) - 1.0;
  const double last = static_cast<double>(total) - 1.0;
  const auto now = static_cast<double>(step);
  if (now <= top) return anneal(initial, max_lr, progress(now, 0.0, top));
  return anneal(max_lr, initial / final_div_factor, progress(now, top, last));
}

}  // namespace plain
}  // namespace

double constant(double lr, std::uint64_t) { return lr; }

double linear(double lr, std::uint64_t step, std::uint64_t total, double start_factor, double end_factor) {
  return masked(plain::linear, lr, step, total, start_factor, end_factor);
}

double warmup(double lr, std::uint64_t step, std::uint64_t warmup) { return masked(plain::warmup, lr, step, warmup); }

double cosine(double lr, std::uint64_t step, std::uint64_t total, double min_lr) {
  return masked(plain::cosine, lr, step, total, min_lr);
}

double warmup_cosine(double lr, std::uint64_t step, std::uint64_t warmup, std::uint64_t total, double min_lr) {
  return masked(plain::warmup_cosine, lr, step, warmup, total, min_lr);
}

double step_decay(double lr, std::uint64_t step, std::uint64_t period, double gamma) {
  return masked(plain::step_decay, lr, step, period, gamma);
}

double one_cycle(double max_lr, std::uint64_t step, std::uint64_t total, double pct_start, double div_factor,
                 double final_div_factor) {
  return masked(plain::one_cycle, max_lr, step, total, pct_start, div_factor, final_div_factor);
}

}  // namespace adamant::schedule
