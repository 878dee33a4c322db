// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What an object holds that can be moved from.
#pragma once

#include <adamant/error.hpp>
#include <memory>
#include <string>

namespace adamant {

/// Throws Error (invalid_argument) where the object was moved from.
template <class Impl>
Impl& held(const std::unique_ptr<Impl>& impl, const char* what) {
  if (!impl) throw Error(ErrorCode::invalid_argument, std::string(what) + " was moved from: it holds nothing");
  return *impl;
}

}  // namespace adamant
