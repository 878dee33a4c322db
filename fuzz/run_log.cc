// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// RunLogReader on a file of any bytes: what it does not understand it refuses with an Error.
#include <adamant/run_log.hpp>

#include "fuzz/file.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamant;
  const fuzz::File file(data, size);
  fuzz::accepted([&] {
    RunLogReader reader(file.path());
    RunStep step;
    while (reader.next(step)) {
      for (const TensorStatistics& seen : step.tensors) fuzz::require(seen.tensor < reader.info().tensors.size());
    }
  });
  return 0;
}
