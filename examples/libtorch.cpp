// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Training with libtorch: the only line that names Adamant is the one that makes the optimizer. The model is a
// perceptron that learns a sine.
// Prints: the loss fell from above 0.3 to below 0.01
// Prints: the state of the first weight: exp_avg [32, 1]
#include <torch/torch.h>

#include <adamant/torch.hpp>
#include <cstdio>
#include <sstream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model(torch::nn::Linear(1, 32), torch::nn::Tanh(), torch::nn::Linear(32, 1));
  const torch::Tensor x = torch::linspace(-3.0, 3.0, 256).unsqueeze(1);
  const torch::Tensor y = torch::sin(x);

  adamant::libtorch::AdamW optimizer(model->parameters(), adamant::libtorch::AdamWOptions(1e-2).weight_decay(0.0));
  torch::optim::StepLR scheduler(optimizer, /*step_size=*/300, /*gamma=*/0.3);

  double first = 0.0, last = 0.0;
  for (int step = 0; step < 800; ++step) {
    optimizer.zero_grad();
    const torch::Tensor loss = torch::mse_loss(model->forward(x), y);
    loss.backward();
    optimizer.step();
    scheduler.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  std::printf("the loss fell from %s 0.3 to %s 0.01\n", first > 0.3 ? "above" : "below",
              last < 0.01 ? "below" : "above");

  std::stringstream checkpoint;
  torch::save(optimizer, checkpoint);
  torch::load(optimizer, checkpoint);
  for (const auto& [key, state] : optimizer.state()) {
    const auto& tensors = static_cast<const adamant::libtorch::ParamState&>(*state).tensors();
    if (const torch::Tensor& m = tensors.at("exp_avg"); m.dim() == 2 && m.size(0) == 32) {
      std::printf("the state of the first weight: exp_avg [%d, %d]\n", static_cast<int>(m.size(0)),
                  static_cast<int>(m.size(1)));
    }
  }
}
