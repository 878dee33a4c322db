// Instruction sets. The engine picks the best one this CPU has; the result is the same bits on each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adamant {

/// Names of the instruction sets that this build holds and this CPU runs, best first: "AVX3", "AVX2", "SSE4", ...
[[nodiscard]] std::vector<std::string> targets();
/// The one in use.
[[nodiscard]] std::string current_target();
/// Makes all optimizers of the process use that instruction set from now on; an empty name returns to the best one. For
/// comparisons and tests: not to be called while a step runs. Throws Error (not_found) for one that targets() does not
/// list.
void use_target(std::string_view name);

}  // namespace adamant
