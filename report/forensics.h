// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the tensors did around a spike of the loss: who moved first.
#pragma once

#include <adamant/run_log.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::report {

constexpr std::size_t kAround = 20;      ///< logged steps before and after a spike that are shown
constexpr double kReach = 6.0;           ///< robust standard deviations from which a number is out of the ordinary
constexpr std::uint64_t kStaleLead = 8;  ///< steps by which a v that is out of date precedes the loss

/// What is watched of a tensor: R, U, S and ‖g‖.
enum Watched : std::size_t { kLag, kUpdate, kSignal, kNorm, kWatched };
constexpr std::array<std::string_view, kWatched> kWatchedNames = {"R", "U", "S", "‖g‖"};

/// What a spike looks like.
enum class Pattern : std::uint8_t {
  unknown,
  too_young,       ///< of too few steps to tell what is normal
  stale_v,         ///< gradients had grown faster than v
  lined_up,        ///< updates grew, gradients did not
  bad_batch,       ///< nothing moved before; then the gradients did
  gradients_grew,  ///< and v followed them
};
/// "bad_batch"
[[nodiscard]] std::string_view name(Pattern pattern);

/// A spike of the loss and kAround logged steps before and after it.
struct Spike {
  struct Mover {
    std::size_t tensor = 0;
    std::uint64_t step = 0;                           ///< where it first left its band
    Watched what = kLag;                              ///< by which statistic
    double before = 0.0;                              ///< its median until kAround steps before the spike
    double there = 0.0;                               ///< its value at that step
    double score = 0.0;                               ///< how far that is, 1 being the edge of the band
    std::array<std::vector<float>, kWatched> values;  ///< at `steps`
  };
  std::uint64_t step = 0;
  double loss = 0.0, score = 0.0;    ///< score: as Cause::loss_spike measures it
  std::vector<std::uint64_t> steps;  ///< logged
  std::vector<float> losses;         ///< there
  std::vector<Mover> movers;         ///< who moved first, first; at most 8
  std::size_t moved = 0;             ///< how many in all
  Pattern pattern = Pattern::unknown;
  std::string words;  ///< a sentence on the pattern
};

class Forensics {
 public:
  /// Keeps the `spikes` highest.
  explicit Forensics(std::size_t spikes);
  /// A step; `watched` of each tensor, NaN where not seen.
  void add(const RunStep& step, std::vector<std::array<float, kWatched>> watched);
  /// The step last added is a spike of the loss.
  void spike(double score);
  [[nodiscard]] std::vector<Spike> finish();

 private:
  struct Moment {
    std::uint64_t step = 0;
    double loss = 0.0;
    std::vector<std::array<float, kWatched>> tensors;
  };
  void close();
  [[nodiscard]] std::vector<float> series(std::size_t tensor, Watched what, std::size_t from, std::size_t to) const;

  std::size_t limit_;
  std::deque<Moment> recent_;  // the band before a spike, and its neighbourhood
  bool open_ = false;
  std::size_t since_ = 0;  // steps after the open spike
  Spike current_;
  std::vector<Spike> spikes_;
};

}  // namespace adamant::report
