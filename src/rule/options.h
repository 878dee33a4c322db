// The list of option fields, and their ranges.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <optional>
#include <stdexcept>

namespace adamant {

/// Calls visit(name, member pointer) for each field of Options, in order. Whoever needs all options iterates here.
template <class Visit>
void for_each_option(Visit&& visit) {
  visit("lr", &Options::lr);
  visit("betas", &Options::betas);
  visit("alpha", &Options::alpha);
  visit("momentum", &Options::momentum);
  visit("dampening", &Options::dampening);
  visit("eps", &Options::eps);
  visit("weight_decay", &Options::weight_decay);
  visit("lr_decay", &Options::lr_decay);
  visit("initial_accumulator_value", &Options::initial_accumulator_value);
  visit("nesterov", &Options::nesterov);
  visit("amsgrad", &Options::amsgrad);
  visit("centered", &Options::centered);
  visit("maximize", &Options::maximize);
}

/// An option that the rule has, of options in which all of these are set.
template <class T>
const T& given(const std::optional<T>& option) {
  if (!option) throw std::logic_error("an option of the rule is not set");
  return *option;
}

/// `changes` over `base`, checked: every option one of the rule's and in its range. `base` is complete and valid.
[[nodiscard]] Options resolve(Rule rule, const Options& base, const Options& changes);

}  // namespace adamant
