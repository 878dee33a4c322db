// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What Adam remembers of past gradients: what AdamW does, with the decay in them.
#pragma once

#include "rule/adamw_model.h"

namespace adamant::model {

template <bool kAmsgrad>
struct Adam {
  static RuleModel at(const Options& o, std::uint64_t t) {
    RuleModel model = AdamW<kAmsgrad>::at(o, t);
    model.decoupled_decay.reset();
    return model;
  }
};

}  // namespace adamant::model
