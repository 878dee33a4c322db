// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a run keeps its weights and states in.
#pragma once

#include <adamant/optimizer.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "lab/workload.h"

namespace adamant::lab {

struct MemoryFormats {
  std::string_view name = "f32";
  bool bf16_weights = false;  ///< the model computes with bf16 weights; the optimizer keeps what is below them
  StateFormat state = StateFormat::f32;
  WeightFormat weights = WeightFormat::plain;
};

/// f32 first: what the others are compared with.
[[nodiscard]] std::span<const MemoryFormats> memory_formats();

/// The parameters that an optimizer works on: the model's own, or bf16 ones of which the model then sees f32 copies.
class TrainedWeights {
 public:
  TrainedWeights(Workload& workload, const MemoryFormats& formats);
  [[nodiscard]] std::vector<Param> params();
  /// Gives the optimizer the model's weights as they are, and the model what the optimizer keeps of them.
  void start(Optimizer& optimizer);
  /// After a step: the model sees its weights.
  void show();

 private:
  std::vector<Weight<float>*> weights_;
  std::vector<std::vector<bf16>> narrow_;  // empty where the model's own are trained
};

}  // namespace adamant::lab
