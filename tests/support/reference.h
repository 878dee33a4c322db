// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The update rules as their papers and the documentation of torch.optim define them, one element at a time in f64.
// Nothing here comes from the engine but the names of the options.
#pragma once

#include <adamant/adamant.hpp>
#include <algorithm>
#include <cmath>

namespace adamant::testing {

/// One parameter with its states.
struct ReferenceElement {
  double p = 0.0;
  double m = 0.0;     // first moment, momentum buffer
  double v = 0.0;     // second moment, sum of squares
  double vmax = 0.0;  // amsgrad
  double mean = 0.0;  // centered RMSprop
  long t = 0;

  // The last step in the notation of statistics.hpp. The first moment is m where the rule has one, or else g.
  struct Seen {
    double g = 0.0, m = 0.0, m_old = 0.0, r = 1.0, u = 0.0;
  } seen;
};

/// Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2; Reddi et al. 2018, algorithm 2 with torch's
/// bias correction.
inline void reference_adam(const Options& o, bool decoupled, ReferenceElement& x, double g) {
  const auto [beta1, beta2] = *o.betas;
  const double t = static_cast<double>(++x.t);
  const double before = x.p;
  if (!decoupled) g += *o.weight_decay * x.p;
  const double m_old = x.m;
  x.m = beta1 * x.m + (1.0 - beta1) * g;
  x.v = beta2 * x.v + (1.0 - beta2) * g * g;
  x.vmax = std::max(x.vmax, x.v);
  const double m_hat = x.m / (1.0 - std::pow(beta1, t));
  const double v_hat = (*o.amsgrad ? x.vmax : x.v) / (1.0 - std::pow(beta2, t));
  const double r = 1.0 / (std::sqrt(v_hat) + *o.eps);
  x.p = before - (decoupled ? *o.lr * *o.weight_decay * before : 0.0) - *o.lr * m_hat * r;
  x.seen = {g, x.m, m_old, r, m_hat * r};
}

/// Sutskever et al. 2013 in torch's form: the learning rate is outside the buffer, which starts as the first gradient.
inline void reference_sgd(const Options& o, ReferenceElement& x, double g) {
  g += *o.weight_decay * x.p;
  x.seen = {g, g, 0.0, 1.0, g};
  if (*o.momentum > 0.0) {
    x.seen.m_old = x.m;
    x.m = x.t == 0 ? g : *o.momentum * x.m + (1.0 - *o.dampening) * g;
    x.seen.m = x.m;
    x.seen.u = *o.nesterov ? g + *o.momentum * x.m : x.m;
  }
  ++x.t;
  x.p -= *o.lr * x.seen.u;
}

/// Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, equations 38-45, with torch's momentum.
inline void reference_rmsprop(const Options& o, ReferenceElement& x, double g) {
  ++x.t;
  g += *o.weight_decay * x.p;
  x.v = *o.alpha * x.v + (1.0 - *o.alpha) * g * g;
  double average = x.v;
  if (*o.centered) {
    x.mean = *o.alpha * x.mean + (1.0 - *o.alpha) * g;
    average = x.v - x.mean * x.mean;
  }
  const double r = 1.0 / (std::sqrt(std::max(0.0, average)) + *o.eps);
  x.m = *o.momentum * x.m + g * r;
  x.p -= *o.lr * x.m;
  x.seen = {g, g, 0.0, r, x.m};
}

/// Duchi et al. 2011, figure 1 with diagonal matrices.
inline void reference_adagrad(const Options& o, ReferenceElement& x, double g) {
  if (x.t == 0) x.v = *o.initial_accumulator_value;
  const double lr = *o.lr / (1.0 + static_cast<double>(x.t++) * *o.lr_decay);
  g += *o.weight_decay * x.p;
  x.v += g * g;
  const double r = 1.0 / (std::sqrt(x.v) + *o.eps);
  x.p -= lr * g * r;
  x.seen = {g, g, 0.0, r, g * r};
}

/// `options` must be complete.
inline void reference_step(Rule rule, const Options& options, ReferenceElement& x, double g) {
  if (*options.maximize) g = -g;
  switch (rule) {
    case Rule::adamw:
      return reference_adam(options, true, x, g);
    case Rule::adam:
      return reference_adam(options, false, x, g);
    case Rule::sgd:
      return reference_sgd(options, x, g);
    case Rule::rmsprop:
      return reference_rmsprop(options, x, g);
    case Rule::adagrad:
      return reference_adagrad(options, x, g);
  }
}

}  // namespace adamant::testing
