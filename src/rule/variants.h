// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The list of everything the engine can compute: each update rule in each of its forms. A rule's options decide which
// form it takes; a form has its own states and its own formula id. Everything else iterates over this list.
#pragma once

#include <adamant/options.hpp>
#include <adamant/rule.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace adamant {

inline constexpr std::size_t kMaxStates = 3;

// X(name, type in its rule file, rule, formula id, names of the states...)
// A formula id names the exact tree of operations: whoever changes an operation of a rule gives it a new id.
#define ADAMANT_VARIANTS(X)                                                                                         \
  X(adamw, AdamW<false>, Rule::adamw, "adamw-1", "exp_avg", "exp_avg_sq")                                           \
  X(adamw_amsgrad, AdamW<true>, Rule::adamw, "adamw-amsgrad-1", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")          \
  X(adam, Adam<false>, Rule::adam, "adam-1", "exp_avg", "exp_avg_sq")                                               \
  X(adam_amsgrad, Adam<true>, Rule::adam, "adam-amsgrad-1", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")              \
  X(sgd, Sgd, Rule::sgd, "sgd-1")                                                                                   \
  X(sgd_momentum, SgdMomentum<false>, Rule::sgd, "sgd-momentum-1", "momentum_buffer")                               \
  X(sgd_nesterov, SgdMomentum<true>, Rule::sgd, "sgd-nesterov-1", "momentum_buffer")                                \
  X(rmsprop, RmsProp, Rule::rmsprop, "rmsprop-1", "square_avg")                                                     \
  X(rmsprop_momentum, RmsPropMomentum, Rule::rmsprop, "rmsprop-momentum-1", "square_avg", "momentum_buffer")        \
  X(rmsprop_centered, RmsPropCentered, Rule::rmsprop, "rmsprop-centered-1", "square_avg", "grad_avg")               \
  X(rmsprop_centered_momentum, RmsPropCenteredMomentum, Rule::rmsprop, "rmsprop-centered-momentum-1", "square_avg", \
    "grad_avg", "momentum_buffer")                                                                                  \
  X(adagrad, AdaGrad, Rule::adagrad, "adagrad-1", "sum")

enum class Variant : std::uint8_t {
#define ADAMANT_NAME(name, ...) name,
  ADAMANT_VARIANTS(ADAMANT_NAME)
#undef ADAMANT_NAME
};

/// How many elements a state has: as many as the tensor, its first dimension, the others together, or one.
enum class Extent : std::uint8_t { elements, rows, columns, scalar };
/// What a state holds before the first step: zeros, the value of an option, or a copy of the parameter.
enum class Start : std::uint8_t { zero, option, parameter };

/// How a state measures the size of the gradients, if it does.
enum class Measures : std::uint8_t { nothing, squares, sizes };

/// What a state is, for the formats that keep it and for those who observe it.
struct StateInfo {
  std::string_view name;
  bool negative;               // may it be below zero? Second moments may not
  std::string_view companion;  // the second moment whose root bounds it, where there is one
  bool may_fall;               // a maximum must never fall, not by rounding either
  Measures measures;           // the first one of a variant that measures is its second moment
  Extent extent = Extent::elements;
  Start start = Start::zero;
  std::optional<double> Options::* start_option = nullptr;
};

inline constexpr StateInfo kStateList[] = {
    {"exp_avg", true, "exp_avg_sq", true, Measures::nothing},
    {"exp_avg_sq", false, {}, true, Measures::squares},
    {"max_exp_avg_sq", false, {}, false, Measures::squares},
    {"momentum_buffer", true, {}, true, Measures::nothing},
    {"square_avg", false, {}, true, Measures::squares},
    {"grad_avg", true, "square_avg", true, Measures::nothing},
    {"sum", false, {}, true, Measures::squares, Extent::elements, Start::option, &Options::initial_accumulator_value},
};

struct VariantInfo {
  Variant variant;
  std::string_view name;
  Rule rule;
  std::string_view formula;
  std::size_t state_count;
  std::array<std::string_view, kMaxStates> state_names;
  std::array<StateInfo, kMaxStates> state_infos;
  std::array<int, kMaxStates> companions;  // index of the companion, or -1
  int second_moment;                       // index, or -1
  [[nodiscard]] std::span<const std::string_view> states() const { return {state_names.data(), state_count}; }
};

namespace detail {
template <class... Names>
constexpr VariantInfo variant_info(Variant id, std::string_view name, Rule rule, std::string_view formula,
                                   Names... names) {
  VariantInfo variant = {id, name, rule, formula, sizeof...(names), {names...}, {}, {-1, -1, -1}, -1};
  for (std::size_t s = 0; s < variant.state_count; ++s) {
    for (const StateInfo& state : kStateList) {
      if (state.name == variant.state_names[s]) variant.state_infos[s] = state;
    }
    const bool measures = variant.state_infos[s].measures != Measures::nothing;
    if (measures && variant.second_moment < 0) variant.second_moment = static_cast<int>(s);
    for (std::size_t other = 0; other < variant.state_count; ++other) {
      if (variant.state_names[other] == variant.state_infos[s].companion)
        variant.companions[s] = static_cast<int>(other);
    }
  }
  return variant;
}
}  // namespace detail

inline constexpr VariantInfo kVariants[] = {
#define ADAMANT_INFO(name, type, rule, formula, ...) \
  detail::variant_info(Variant::name, #name, rule, formula __VA_OPT__(, ) __VA_ARGS__),
    ADAMANT_VARIANTS(ADAMANT_INFO)
#undef ADAMANT_INFO
};
inline constexpr std::size_t kVariantCount = std::size(kVariants);

constexpr const VariantInfo& info(Variant variant) { return kVariants[static_cast<std::size_t>(variant)]; }

/// The form that resolved options of a rule ask for.
[[nodiscard]] Variant variant_of(Rule rule, const Options& options);

}  // namespace adamant
