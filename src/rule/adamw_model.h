// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What AdamW remembers of past gradients.
#pragma once

#include "rule/memory.h"
#include "rule/options.h"

namespace adamant::model {

template <bool kAmsgrad>
struct AdamW {
  static RuleModel at(const Options& o, std::uint64_t t) {
    const auto m = [&o](std::uint64_t step) { return averaging(given(o.betas)[0], step); };
    RuleModel model;
    model.lr = given(o.lr);
    model.decoupled_decay = given(o.weight_decay);
    model.first = model.direction = m(t);
    model.first_before = one_step_before(t, m);
    model.second = {corrected(averaging(given(o.betas)[1], t)),
                    kAmsgrad ? SecondMoment::Kind::above : SecondMoment::Kind::mean,
                    added_eps(given(o.eps), 1.0 - given(o.betas)[1]), true};
    model.first_corrected = true;
    return model;
  }
};

}  // namespace adamant::model
