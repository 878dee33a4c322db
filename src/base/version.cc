// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include <adamant/version.hpp>

#define ADAMANT_TEXT_OF(number) #number
#define ADAMANT_TEXT(number) ADAMANT_TEXT_OF(number)

namespace adamant {

std::string_view version() noexcept {
  return ADAMANT_TEXT(ADAMANT_VERSION_MAJOR) "." ADAMANT_TEXT(ADAMANT_VERSION_MINOR) "." ADAMANT_TEXT(
      ADAMANT_VERSION_PATCH);
}

}  // namespace adamant
