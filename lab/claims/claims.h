// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Statements about the two moments of AdamW, each as an experiment on the engine: what theory says, what was measured,
// and whether the statement holds. Table, JSON, report, documents and tests iterate over the one list of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "claim/claim.h"

namespace adamant::lab {

using claim::Check;
using claim::Claim;
using claim::Figure;
using claim::Plot;
using claim::Series;
using claim::Stroke;
using claim::Verdict;

/// Thrown out of an experiment when `watch` says so.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// The note of a claim whose part about a text is left out.
inline constexpr std::string_view kTextMissing =
    "what learns a text is left out: there is none (apt install jargon-text; or --text FILE)";

/// What experiments work with. No number they measure depends on `threads`.
struct Setup {
  int threads = 0;          ///< experiments at once; 0: one for each processor
  std::uint64_t seeds = 6;  ///< runs of a setting where chance decides
  std::string text{};       ///< path of the text for `words` and `attention`; where empty, they are left out
  std::function<bool(std::size_t done, std::size_t total)> watch{};  ///< returns whether to go on

  /// Runs run(0) ... run(count-1), some at once. Throws what one of them threw, or Interrupted.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& run) const;
};

struct ClaimInfo {
  std::string_view id;
  Claim (*experiment)(const Setup&);
};

/// All claims, in the order in which they are told.
[[nodiscard]] std::span<const ClaimInfo> claims();

/// Makes the experiment. The result is a pure function of the claim and of `seeds` and `text`; where models are
/// trained, as everywhere in the lab, its last digits also depend on the compiler.
[[nodiscard]] Claim measure(const ClaimInfo& claim, const Setup& setup);

}  // namespace adamant::lab
