// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What is left of streams when a loop has taken all that fills its vectors.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "rule/variants.h"

namespace adamant {

/// The last elements of the streams of a step, copied to where zeros follow, so that the loop can take them too.
class Rest {
 public:
  /// Bytes of an element of the parameter, the gradient and each state.
  struct Widths {
    std::size_t param, grad, state;
  };
  static constexpr std::size_t kMost = 64;  ///< elements

  /// Elements [first, end), at most kMost.
  Rest(Widths widths, void* param, const void* grad, std::span<void* const> states, std::size_t first, std::size_t end);
  /// Copies back what a step changes.
  void put_back() const;

  [[nodiscard]] void* param() { return streams_[0].padded; }
  [[nodiscard]] const void* grad() const { return grad_; }
  [[nodiscard]] void* const* states() const { return states_.data(); }

 private:
  struct Stream {
    void* from;
    std::size_t bytes;
    alignas(64) std::byte padded[kMost * sizeof(double)];
  };
  std::size_t count_;  // of streams that a step changes: the parameter and the states
  std::array<Stream, 1 + kMaxStates> streams_;
  std::array<void*, kMaxStates> states_;
  alignas(64) std::byte grad_[kMost * sizeof(double)];
};

}  // namespace adamant
