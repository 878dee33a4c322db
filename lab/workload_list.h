// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How the workloads are made; for the list of them in workload_list.cc.
#pragma once

#include "lab/workload.h"

namespace adamant::lab {

std::unique_ptr<Workload> make_digits(const WorkloadOptions& options);
std::unique_ptr<Workload> make_words(const WorkloadOptions& options);
std::unique_ptr<Workload> make_attention(const WorkloadOptions& options);
std::unique_ptr<Workload> make_ravine(const WorkloadOptions& options);
std::unique_ptr<Workload> make_rosenbrock(const WorkloadOptions& options);

}  // namespace adamant::lab
