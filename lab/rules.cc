// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/rules.h"

#include <adamant/error.hpp>
#include <string>

namespace adamant::lab {
namespace {

constexpr RuleConfig kRuleConfigs[] = {
    {"sgd", "plain gradient descent", Rule::sgd},
    {"momentum", "SGD with momentum 0.9", Rule::sgd, {.momentum = 0.9}},
    {"adagrad", "scaled by the sum of squares", Rule::adagrad},
    {"rmsprop", "scaled by an average of squares", Rule::rmsprop},
    {"adam", "momentum and scaling, decay in the gradient", Rule::adam},
    {"adamw", "momentum and scaling, decay apart", Rule::adamw},
    {"mixed", "adamw for matrices, momentum for vectors", Rule::adamw, {}, "adamw", "momentum"},
};

struct TunedFor {
  std::string_view workload;
  std::string_view rule;
  Tuned settings;
};

// Found by `adamant lab --tune`; see docs/lab.md.
constexpr TunedFor kTuned[] = {
    {"digits", "sgd", {0.3, 0.0}},         {"digits", "momentum", {0.03, 0.0}},
    {"digits", "adagrad", {0.03, 0.0}},    {"digits", "rmsprop", {0.003, 0.0}},
    {"digits", "adam", {0.003, 0.0}},      {"digits", "adamw", {0.003, 0.01}},
    {"words", "sgd", {1.0, 0.0}},          {"words", "momentum", {0.1, 0.0}},
    {"words", "adagrad", {0.1, 0.0}},      {"words", "rmsprop", {0.003, 0.0}},
    {"words", "adam", {0.01, 0.0}},        {"words", "adamw", {0.01, 0.01}},
    {"attention", "sgd", {1.0, 1e-4}},     {"attention", "momentum", {0.3, 1e-3}},
    {"attention", "adagrad", {0.1, 1e-4}}, {"attention", "rmsprop", {0.01, 1e-4}},
    {"attention", "adam", {0.01, 1e-3}},   {"attention", "adamw", {0.01, 0.1}},
    {"ravine", "sgd", {1e-3, 0.0}},        {"ravine", "momentum", {1e-3, 0.0}},
    {"ravine", "adagrad", {0.3, 0.0}},     {"ravine", "rmsprop", {0.03, 0.0}},
    {"ravine", "adam", {0.03, 0.0}},       {"ravine", "adamw", {0.03, 0.0}},
    {"rosenbrock", "sgd", {1e-3, 0.0}},    {"rosenbrock", "momentum", {1e-3, 0.0}},
    {"rosenbrock", "adagrad", {0.3, 0.0}}, {"rosenbrock", "rmsprop", {0.01, 0.0}},
    {"rosenbrock", "adam", {0.03, 0.0}},   {"rosenbrock", "adamw", {0.03, 0.0}},
};

}  // namespace

std::span<const RuleConfig> rule_configs() { return kRuleConfigs; }

const RuleConfig& rule_config(std::string_view name) {
  for (const RuleConfig& config : kRuleConfigs) {
    if (config.name == name) return config;
  }
  throw Error(ErrorCode::not_found, "no rule is called " + std::string(name));
}

Tuned tuned(std::string_view workload, std::string_view rule) {
  if (const std::string_view other = rule_config(rule).settings_of; !other.empty()) rule = other;
  for (const TunedFor& entry : kTuned) {
    if (entry.workload == workload && entry.rule == rule) return entry.settings;
  }
  throw Error(ErrorCode::not_found, "no tuned settings for " + std::string(rule) + " on " + std::string(workload));
}

Options options_of(const RuleConfig& config, const Tuned& settings) {
  Options options = config.options;
  options.lr = settings.lr;
  options.weight_decay = settings.weight_decay;
  return options;
}

}  // namespace adamant::lab
