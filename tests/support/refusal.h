// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a refused call says.
#pragma once

#include <adamant/error.hpp>
#include <exception>
#include <functional>
#include <string>

namespace adamant::testing {

/// The text of the Error that a call throws, after its code: "invalid_argument: ...".
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    constexpr const char* kCodes[] = {"",         "invalid_argument", "not_found", "duplicate",
                                      "mismatch", "non_finite",       "busy",      "io"};
    return std::string(kCodes[static_cast<int>(error.code())]) + ": " + error.what();
  } catch (const std::exception& error) {
    return std::string("not an adamant::Error: ") + error.what();
  }
  return "accepted";
}

}  // namespace adamant::testing
