// What a rule remembers of past gradients at one step of a tensor: all that its statistics need to know of it.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <cstdint>
#include <optional>

namespace adamant {

/// How a mean of past gradients, or of their squares, remembers them: that of k steps ago has the weight
/// newest·ratio^k. The weights add up to 1; what the rule keeps is `total` times that mean.
struct Memory {
  double ratio = 0.0;  ///< 0: only today's; 1: all alike
  double newest = 1.0;
  double total = 1.0;
  double squares = 1.0;  ///< sum of the squared weights
};

/// What a rule divides by, element by element: √v̂ + ε.
struct SecondMoment {
  enum class Kind : std::uint8_t {
    mean,   ///< v̂ is `total` times the mean of g² that the memory describes
    above,  ///< v̂ is never below that: a maximum of such means, or a sum that began above 0
    other,  ///< √v̂ measures the gradients in another way; `ratio` alone says how it forgets
  };
  Memory memory;
  Kind kind = Kind::mean;
  double eps = 0.0;  ///< 0 counts as the smallest normal number
};

/// A rule with its options at step t of a tensor. `first` and `second` are there where the rule has the moment.
struct RuleModel {
  std::uint64_t step = 1;                 ///< t, counted from 1
  double lr = 0.0;                        ///< η of this step
  std::optional<double> decoupled_decay;  ///< λ; nothing where the decay is a part of the gradient
  std::optional<Memory> first;            ///< of m after the step
  std::optional<Memory> first_before;     ///< of m before it; nothing at the first step
  std::optional<SecondMoment> second;     ///< nothing where nothing is divided
  bool corrected = false;                 ///< both moments are corrected for their start at 0
  std::optional<Memory> direction;        ///< of what is divided; nothing where it is no such mean
  double update_momentum = 0.0;           ///< μ, where the step is a sum of updates: b ← μ·b + direction/(√v̂ + ε)
};

/// The model of a rule; an option that is not set has the rule's default. Step 0 counts as 1.
[[nodiscard]] RuleModel model_of(Rule rule, const Options& options, std::uint64_t step);

}  // namespace adamant
