// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "kernel/rest.h"

#include <cstring>

namespace adamant {
namespace {

void pad(std::byte (&to)[Rest::kMost * sizeof(double)], const void* from, std::size_t bytes) {
  std::memset(to, 0, sizeof(to));
  std::memcpy(to, from, bytes);
}

}  // namespace

Rest::Rest(Widths widths, void* param, const void* grad, std::span<void* const> states, std::size_t first,
           std::size_t end)
    : count_(1 + states.size()) {
  const std::size_t n = end - first;
  for (std::size_t s = 0; s < count_; ++s) {
    Stream& stream = streams_[s];
    const std::size_t width = s == 0 ? widths.param : widths.state;
    stream.from = static_cast<std::byte*>(s == 0 ? param : states[s - 1]) + first * width;
    stream.bytes = n * width;
    pad(stream.padded, stream.from, stream.bytes);
    if (s > 0) states_[s - 1] = stream.padded;
  }
  pad(grad_, static_cast<const std::byte*>(grad) + first * widths.grad, n * widths.grad);
}

void Rest::put_back() const {
  for (std::size_t s = 0; s < count_; ++s) std::memcpy(streams_[s].from, streams_[s].padded, streams_[s].bytes);
}

}  // namespace adamant
