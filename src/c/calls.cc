// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "c/calls.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace adamant::c {
namespace {

// A plain array: the text of an error is kept where memory is exhausted too.
constexpr std::size_t kMostErrorBytes = 2048;
thread_local char last_error[kMostErrorBytes];

adamant_status keep(adamant_status status, std::string_view message) noexcept {
  std::size_t size = std::min(message.size(), kMostErrorBytes - 1);
  // Not within a character of several bytes.
  while (size < message.size() && size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  std::memcpy(last_error, message.data(), size);
  last_error[size] = '\0';
  return status;
}

// What no struct of ours reaches: a size beyond it was never set.
constexpr std::size_t kMostStructBytes = 4096;

std::size_t size_of_struct(const void* pointer, const char* what) {
  std::size_t size = 0;
  std::memcpy(&size, &given(static_cast<const std::byte*>(pointer), what), sizeof(size));
  if (size < sizeof(size) || size > kMostStructBytes) {
    refuse(ErrorCode::invalid_argument,
           std::string(what) + " has struct_size " + std::to_string(size) + ", must be its sizeof");
  }
  return size;
}

}  // namespace

adamant_status status_of_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return keep(static_cast<adamant_status>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return keep(ADAMANT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {  // of a container that no memory could hold
    return keep(ADAMANT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return keep(ADAMANT_INTERNAL, error.what());
  } catch (...) {
    return keep(ADAMANT_INTERNAL, "an exception of unknown type");
  }
}

void refuse(ErrorCode code, const std::string& message) { throw Error(code, message); }

void check_index(const char* what, std::size_t index, std::size_t count) {
  if (index < count) return;
  refuse(ErrorCode::not_found,
         "no " + std::string(what) + " " + std::to_string(index) + ": there are " + std::to_string(count));
}

void read_struct(void* to, std::size_t size, const void* from, const char* what) {
  const std::size_t theirs = size_of_struct(from, what);
  const auto* bytes = static_cast<const std::byte*>(from);
  if (std::any_of(bytes + std::min(size, theirs), bytes + theirs, [](std::byte b) { return b != std::byte{0}; })) {
    refuse(ErrorCode::invalid_argument, std::string(what) + " has struct_size " + std::to_string(theirs) +
                                            ", of which this library knows " + std::to_string(size) +
                                            " bytes: what is beyond must be zeros");
  }
  std::memcpy(to, from, std::min(size, theirs));
}

void check_struct(const void* to, const char* what) { static_cast<void>(size_of_struct(to, what)); }

void write_struct(void* to, const void* from, std::size_t size, const char* what) {
  const std::size_t theirs = size_of_struct(to, what);
  auto* bytes = static_cast<std::byte*>(to);
  const std::size_t known = std::min(size, theirs);
  const std::size_t first = sizeof(std::size_t);  // the caller's struct_size stays
  std::memcpy(bytes + first, static_cast<const std::byte*>(from) + first, known - first);
  std::memset(bytes + known, 0, theirs - known);
}

}  // namespace adamant::c

using namespace adamant;
using namespace adamant::c;

uint32_t adamant_abi(void) { return ADAMANT_ABI; }

const char* adamant_version(void) { return version().data(); }

const char* adamant_status_name(adamant_status status) {
  constexpr const char* kNames[] = {
      "ok", "invalid_argument", "not_found", "duplicate", "mismatch", "non_finite", "busy",
      "io", "out_of_memory",    "internal"};
  return status < 0 || static_cast<std::size_t>(status) >= std::size(kNames) ? "unknown" : kNames[status];
}

const char* adamant_last_error(void) { return last_error; }
