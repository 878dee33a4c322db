// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Words on standard error, beside the results on standard output.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace adamant::cli {

/// Where standard error is closed or full nobody listens, and the work goes on.
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  std::fputs(fmt::format(format, std::forward<Values>(values)...).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace adamant::cli
