// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A statement that an experiment examines: what theory says, what was measured, and whether the statement holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "claim/plot.h"

namespace adamant::claim {

/// How a measured number is held against the theory's.
enum class Check {
  near,      ///< at most `tolerance` away from it
  at_least,  ///< not below it: shown where it is at least `tolerance` above, refuted where it is that far below
  at_most,   ///< not above it, likewise
  none,      ///< told for its own sake; there is no theory
};

enum class Finding { shown, open, refuted };

/// One number that theory gives and the experiment measures.
struct Figure {
  std::string id{};    ///< within its claim: "0.9"; in documents it is then "noise.0.9"
  std::string what{};  ///< in words
  double theory = 0.0;
  double measured = 0.0;
  double tolerance = 0.0;  ///< absolute
  Check check = Check::near;
  bool beyond = false;          ///< measured where the condition of the claim is not met
  double standard_error = 0.0;  ///< of the measured number, where chance decides it

  [[nodiscard]] Finding finding() const;
};

enum class Verdict { holds, holds_if, not_shown, does_not_hold };

struct Claim {
  std::string id{};
  std::string statement{};
  std::string formula{};          ///< of the first figure
  std::vector<Figure> figures{};  ///< the first speaks for the claim
  std::string condition{};        ///< what the figures beyond it lack: "holds if <condition>"
  std::string words{};            ///< a paragraph
  std::vector<Plot> plots{};
  std::vector<std::string> notes{};  ///< what was left out, and why

  /// does_not_hold where a figure refutes it, not_shown where one leaves it open, holds_if where one beyond the
  /// condition is not as the statement says, else holds.
  [[nodiscard]] Verdict verdict() const;
};

/// "holds", "holds if", "not shown", "does not hold".
[[nodiscard]] std::string_view name(Verdict verdict);
/// "near", "at least", "at most", "none".
[[nodiscard]] std::string_view name(Check check);

}  // namespace adamant::claim
