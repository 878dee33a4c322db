// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A run whose checkpoints are small, and whose state after so many steps is always the same.
#pragma once

#include <adamant/adamant.hpp>
#include <adamant/checkpoint.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/buffers.h"

namespace adamant::testing {

struct SmallRun {
  explicit SmallRun(std::size_t size = 200, const Settings& settings = {.weights = WeightFormat::split16})
      : w(Buffer(Format::bf16, size).fill(1)),
        bias(Buffer(Format::f32, 5).fill(2)),
        g(Format::bf16, size),
        bias_grad(Format::f32, 5) {
    Settings own = settings;
    own.threads = 1;
    std::vector<ParamGroup> groups;
    groups.push_back({{{"w", w.view(), g.view()}}, {}, {}});
    groups.push_back({{{"bias", bias.view(), bias_grad.view()}}, {.momentum = 0.9}, Rule::sgd});
    optimizer.emplace(Rule::adamw, std::move(groups), Options{}, own);
  }
  SmallRun& step(int count = 1) {
    for (int i = 0; i < count; ++i) {
      g.fill(100 + optimizer->steps());
      bias_grad.fill(200 + optimizer->steps());
      optimizer->step();
    }
    return *this;
  }
  /// Every bit of it.
  [[nodiscard]] std::string bits() const {
    std::string all = bits_of(optimizer->state_dict()) + std::to_string(optimizer->steps()) + ";";
    for (const Buffer* buffer : {&w, &bias}) {
      all.append(reinterpret_cast<const char*>(buffer->data()), buffer->size() * info(buffer->format()).bytes);
    }
    return all;
  }

  Buffer w, bias, g, bias_grad;
  std::optional<Optimizer> optimizer;
};

}  // namespace adamant::testing
