// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What RMSprop remembers of past gradients.
#pragma once

#include "rule/memory.h"
#include "rule/options.h"

namespace adamant::model {

template <bool kCentered>
struct RmsPropOf {
  static RuleModel at(const Options& o, std::uint64_t t) {
    RuleModel model;
    model.lr = given(o.lr);
    model.direction = Memory{};
    model.update_momentum = given(o.momentum);
    // Of centered scales nothing is sure: they may be 0 where g is not.
    model.second = {averaging(given(o.alpha), t), kCentered ? SecondMoment::Kind::other : SecondMoment::Kind::mean,
                    added_eps(given(o.eps), 1.0 - given(o.alpha))};
    return model;
  }
};

using RmsProp = RmsPropOf<false>;
using RmsPropMomentum = RmsPropOf<false>;
using RmsPropCentered = RmsPropOf<true>;
using RmsPropCenteredMomentum = RmsPropOf<true>;

}  // namespace adamant::model
