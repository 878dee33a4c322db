// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What a refused call says.
#pragma once

#include <gtest/gtest.h>

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

/// Is the call refused with this code and a text that contains `part`?
inline ::testing::AssertionResult refused(ErrorCode code, const std::string& part, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() == code && std::string(error.what()).find(part) != std::string::npos) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << refusal([&] { throw error; });
  } catch (const std::exception& error) {
    return ::testing::AssertionFailure() << "not an adamant::Error: " << error.what();
  }
  return ::testing::AssertionFailure() << "accepted";
}

}  // namespace adamant::testing

/// The call comes last, for it may have commas.
#define EXPECT_REFUSED(code, part, ...) \
  EXPECT_TRUE(::adamant::testing::refused(code, part, [&] { static_cast<void>(__VA_ARGS__); }))
