// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <adamant/export.h>

#include <stdexcept>
#include <string>

namespace adamant {

/// What kind of rule an input broke. The values are stable: C and the exit codes of programs rely on them.
enum class ErrorCode : int {
  invalid_argument = 1,  ///< a value outside its documented range, or a call at the wrong time
  not_found = 2,         ///< no tensor, state, group, rule, format, preset or instruction set of that name
  duplicate = 3,         ///< a name or memory given twice, or a tensor updated twice in one step
  mismatch = 4,          ///< sizes, formats, rules or formula ids that do not belong together
  non_finite = 5,        ///< a NaN or infinite gradient under NonFinite::error; nothing was changed
  busy = 6,              ///< a call while another one runs on the optimizer, or while a tensor-by-tensor step is open
  io = 7,                ///< a file that cannot be read or written, or does not contain what it should
};

/// Thrown by constructors, setters and loads. The text names the offending thing, its value and the rule it broke;
/// if PyTorch has a wording for the same mistake, the text starts with it. When it is thrown, nothing has changed.
class ADAMANT_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace adamant
