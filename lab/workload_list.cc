// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/workload_list.h"

#include <cstdio>

namespace adamant::lab {
namespace {

std::string printed(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::string percent(double value) { return printed("%.1f%%", 100.0 * value); }
std::string one_decimal(double value) { return printed("%.1f", value); }
std::string three_digits(double value) { return printed("%.3g", value); }

constexpr WorkloadInfo kWorkloads[] = {
    {.name = "digits",
     .metric = "accuracy",
     .metric_text = percent,
     .steps = 1000,
     .batch_size = 64,
     .target_loss = 0.1,
     .make = make_digits},
    {.name = "words",
     .metric = "perplexity",
     .metric_text = one_decimal,
     .steps = 600,
     .batch_size = 64,
     .seeds = 2,
     .target_loss = 5.8,
     .reads_text = true,
     .make = make_words},
    {.name = "attention",
     .metric = "perplexity",
     .metric_text = one_decimal,
     .steps = 300,
     .warmup = 50,
     .batch_size = 16,
     .seeds = 2,
     .target_loss = 5.8,
     .reads_text = true,
     .slow = true,
     .make = make_attention},
    {.name = "ravine",
     .metric = "distance",
     .metric_text = three_digits,
     .steps = 2000,
     .batch_size = 1,
     .target_loss = 1.0,
     .decays = false,
     .make = make_ravine},
    {.name = "rosenbrock",
     .metric = "distance",
     .metric_text = three_digits,
     .steps = 2000,
     .batch_size = 1,
     .target_loss = 1.0,
     .decays = false,
     .make = make_rosenbrock},
};

}  // namespace

std::span<const WorkloadInfo> workloads() { return kWorkloads; }

}  // namespace adamant::lab
