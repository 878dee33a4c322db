#pragma once

#include <stdexcept>
#include <string>

namespace adamant {

/// What kind of rule an input broke. The values are stable: C and the exit codes of programs rely on them.
enum class ErrorCode : int {
  invalid_argument = 1,  ///< a value outside its documented range
  not_found = 2,         ///< no tensor, group, rule, format or instruction set of that name
  duplicate = 3,         ///< a name or a buffer given twice
  mismatch = 4,          ///< sizes, formats, rules or formula ids that do not belong together
  non_finite = 5,        ///< a NaN or infinite gradient under NonFinite::error; nothing was changed
  busy = 6,              ///< a second call on an optimizer while one is running
};

/// Thrown by constructors, setters and loads. The text names the offending thing, its value and the rule it broke;
/// where PyTorch has a wording for the same mistake, the text starts with it. Nothing was changed when it is thrown.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace adamant
