// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What `adamant bench` measured, as a table and as JSON on standard output.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/cases.h"
#include "bench/machine.h"
#include "bench/result.h"

namespace adamant::cli {

/// A case that was measured.
struct BenchReport {
  bench::Case what;
  bench::Workload workload;
  std::vector<bench::Result> results;  ///< one for each of its policies
};

/// "bf16+split8/bf16/q8": of parameters, gradients and states.
[[nodiscard]] std::string formats_text(const bench::Case& what);

void print_machine(const bench::Machine& machine);

/// Prints lines as they are measured, under a heading for each workload and number of threads.
class BenchTable {
 public:
  void print(const BenchReport& report);

 private:
  std::string workload_;
  int threads_ = 0;
};

void print_bench_json(const bench::Machine& machine, std::span<const BenchReport> reports);

}  // namespace adamant::cli
