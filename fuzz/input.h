// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a target makes of the fuzzer's bytes. Where they end, zeros follow.
#pragma once

#include <adamant/error.hpp>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>

namespace adamant::fuzz {

/// What a target returns: whether libFuzzer may go on from this input. It goes on from logs without a fault: a line
/// that is refused hides those behind it.
inline constexpr int kKeep = 0, kLeave = -1;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// Below `count`, which is at most 256.
  std::size_t choice(std::size_t count) { return byte() % count; }
  template <class List>
  auto& one_of(List&& list) {
    return list[choice(std::size(list))];
  }
  std::uint64_t word() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8 | byte();
    return bits;
  }
  /// Of any bits, or one at which ranges end.
  double number() {
    using Limits = std::numeric_limits<double>;
    using Floats = std::numeric_limits<float>;
    constexpr double kEdges[] = {0.0,
                                 -0.0,
                                 1.0,
                                 0.5,
                                 0.9,
                                 0.999,
                                 1e-8,
                                 Floats::min(),
                                 Floats::max(),
                                 Floats::denorm_min(),
                                 Limits::min(),
                                 Limits::max(),
                                 Limits::denorm_min(),
                                 Limits::infinity(),
                                 Limits::quiet_NaN(),
                                 -1.0,
                                 -1e-300,
                                 1.0 - 0x1p-53,
                                 1.0 - 0x1p-25,
                                 1.0 - 0x1p-24,
                                 0x1p126,
                                 0x1.8p126,
                                 0x1p-127,
                                 1e-60,
                                 4e38};
    const std::size_t which = choice(std::size(kEdges) + 8);
    return which < std::size(kEdges) ? kEdges[which] : std::bit_cast<double>(word());
  }
  std::string text() {
    std::string characters(choice(24), '\0');
    for (char& c : characters) c = static_cast<char>(byte());
    return characters;
  }

 private:
  std::span<const std::uint8_t> left_;
};

/// Calls `run`, which may refuse what it is given, and says whether it did not. Nothing but an Error is a refusal.
template <class Run>
bool accepted(const Run& run) {
  try {
    run();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// What must hold, or the fuzzer keeps the input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace adamant::fuzz
