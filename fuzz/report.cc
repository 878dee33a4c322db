// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The report of a run log of any bytes: a page or an Error.
#include "report/report.h"

#include "fuzz/file.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamant;
  const fuzz::File file(data, size);
  fuzz::accepted([&] { fuzz::require(report::report_html({.runs = {file.path()}}).ends_with("</html>\n")); });
  return 0;
}
