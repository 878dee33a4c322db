// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Health checks that find what goes wrong in a run while it goes on: a light each for the data, both moments, ε, the
// step, the decay and the loss.
#pragma once

#include <adamant/export.h>

#include <adamant/moments.hpp>
#include <adamant/run_log.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// What is checked. The findings of a step come in this order, red ones first.
enum class Light : std::uint8_t { input, v, eps, m, step, decay, loss };

struct LightInfo {
  Light light;
  std::string_view name;
  std::string_view question;  ///< the question that it answers
};
[[nodiscard]] ADAMANT_EXPORT std::span<const LightInfo> lights();

enum class Severity : std::uint8_t {
  yellow,  ///< worth a look
  red,     ///< this run is not what it could be
};

enum class Cause : std::uint8_t {
  non_finite,
  bad_batch,
  dead_elements,
  clipping,
  v_too_slow,
  v_too_old,
  eps_too_large,
  overshoot,
  lr_too_high,
  decay_too_strong,
  diverged,
  loss_spike,
};

/// How a cause is recognised: `measure`, smoothed over about 20 steps, exceeds a limit for that many steps in a row. A
/// limit of NaN is never exceeded.
struct CauseInfo {
  Cause cause;
  Light light;
  bool above;                ///< whether the limits are upper limits; else they are lower limits
  std::string_view name;     ///< "lr_too_high"
  std::string_view measure;  ///< what is measured
  double yellow, red;
  std::uint64_t yellow_steps, red_steps;
  std::string_view advice;  ///< what helps
};
[[nodiscard]] ADAMANT_EXPORT std::span<const CauseInfo> causes();

struct Finding {
  Light light = Light::input;
  Severity severity = Severity::yellow;
  Cause cause = Cause::non_finite;
  std::uint64_t step = 0;
  std::string tensor;    ///< the tensor where it is worst; empty if it is the whole run
  std::size_t more = 0;  ///< number of other tensors with the same finding in this step
  double value = 0.0;    ///< the measured value
  std::string sentence;  ///< plain English, with the figures
};

/// Watches a run, step by step, from a log (RunLogReader) or while it trains (run_step). Keeps about 2 KB for each
/// tensor. A tensor is reported once per episode when it turns yellow, once when it turns red, and again after it has
/// recovered.
///
/// Limits: in the step in which gradients jump up it cannot tell a bad batch from weights that earlier steps have
/// thrown off. It cannot know whether elements that never had a gradient were meant to have one. It does not find a
/// failure that does not show in the moments, such as a learning rate that is too low.
class ADAMANT_EXPORT Health {
 public:
  /// How many numbers before one say whether it stands out, as a loss or a gradient.
  static constexpr std::size_t kWindow = 128;
  /// g·r of this many times its noise comes before spikes of the loss (Wortsman et al. 2023, arXiv 2304.13013).
  static constexpr double kLeap = 2.3;

  Health();
  ~Health();
  Health(Health&&) noexcept;
  Health& operator=(Health&&) noexcept;

  /// The next step of the run.
  void record(const RunStep& step);
  /// The same for callers that have computed moments_of each tensor. Refuses another number of them (mismatch).
  void record(const RunStep& step, std::span<const Moments> moments);
  /// All findings so far, in the order in which they were found; at most the first 10,000.
  [[nodiscard]] const std::vector<Finding>& findings() const;
  /// The worst severity so far; nothing if the light is green.
  [[nodiscard]] std::optional<Severity> state(Light light) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adamant
