// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Experiments that several claims look at are made once in a process.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "lab/claims/claims.h"

namespace adamant::lab {

/// make(), or what it returned before: for one kind of result T, its name, and what results depend on in the setup.
template <class T, class Make>
const T& remembered(std::string_view name, const Setup& setup, const Make& make) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::uint64_t, std::string>, T> known;
  const std::lock_guard lock(mutex);
  const std::tuple key(std::string(name), setup.seeds, setup.text);
  const auto found = known.find(key);
  return found != known.end() ? found->second : known.emplace(key, make()).first->second;
}

}  // namespace adamant::lab
