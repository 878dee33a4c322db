// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/memory_formats.h"

#include <algorithm>

#include "lab/matrix.h"

namespace adamant::lab {
namespace {

std::vector<MemoryFormats> make_list() {
  std::vector<MemoryFormats> all = {
      {}, {.name = "bf16", .state = StateFormat::bf16}, {.name = "f16", .state = StateFormat::f16}};
  for (const std::string_view name : presets()) {
    const Settings settings = preset(name);
    if (name != all.front().name) all.push_back({name, true, settings.state, settings.weights});
  }
  return all;
}

std::span<float> values_of(Weight<float>& weight) {
  return {weight.value.data(), static_cast<std::size_t>(weight.value.size())};
}

}  // namespace

std::span<const MemoryFormats> memory_formats() {
  static const std::vector<MemoryFormats> all = make_list();
  return all;
}

TrainedWeights::TrainedWeights(Workload& workload, const MemoryFormats& formats) : weights_(workload.weights()) {
  if (!formats.bf16_weights) return;
  for (Weight<float>* weight : weights_) narrow_.emplace_back(values_of(*weight).size());
}

std::vector<Param> TrainedWeights::params() {
  std::vector<Param> params;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    Weight<float>& weight = *weights_[i];
    const Tensor values = narrow_.empty() ? Tensor(weight.value) : Tensor(narrow_[i]);
    params.emplace_back(weight.name, values, weight.grad,
                        std::vector<std::size_t>{static_cast<std::size_t>(weight.value.rows()),
                                                 static_cast<std::size_t>(weight.value.cols())});
  }
  return params;
}

void TrainedWeights::start(Optimizer& optimizer) {
  if (narrow_.empty()) return;
  for (Weight<float>* weight : weights_) optimizer.import_param(weight->name, values_of(*weight));
  show();
}

void TrainedWeights::show() {
  for (std::size_t i = 0; i < narrow_.size(); ++i) {
    std::ranges::transform(narrow_[i], values_of(*weights_[i]).begin(),
                           [](bf16 value) { return static_cast<float>(value); });
  }
}

}  // namespace adamant::lab
