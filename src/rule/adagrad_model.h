// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What Adagrad remembers of past gradients: all of them.
#pragma once

#include "rule/memory.h"
#include "rule/options.h"

namespace adamant::model {

struct AdaGrad {
  static RuleModel at(const Options& o, std::uint64_t t) {
    const bool from_zero = given(o.initial_accumulator_value) == 0.0;
    RuleModel model;
    model.lr = given(o.lr) / (1.0 + static_cast<double>(t - 1) * given(o.lr_decay));
    model.direction = Memory{};
    model.second = {summing(t), from_zero ? SecondMoment::Kind::mean : SecondMoment::Kind::above,
                    added_eps(given(o.eps), 1.0)};
    return model;
  }
};

}  // namespace adamant::model
