// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What SGD remembers of past gradients.
#pragma once

#include "rule/memory.h"
#include "rule/options.h"

namespace adamant::model {

struct Sgd {
  static RuleModel at(const Options& o, std::uint64_t) {
    RuleModel model;
    model.lr = given(o.lr);
    model.direction = Memory{};
    return model;
  }
};

template <bool kNesterov>
struct SgdMomentum {
  static RuleModel at(const Options& o, std::uint64_t t) {
    const auto m = [&o](std::uint64_t step) { return dampened(given(o.momentum), given(o.dampening), step); };
    RuleModel model;
    model.lr = given(o.lr);
    model.first = m(t);
    model.first_before = one_step_before(t, m);
    if (!kNesterov) model.direction = model.first;
    return model;
  }
};

}  // namespace adamant::model
