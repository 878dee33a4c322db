// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What every C call is made of: no exception leaves it, structs have the sizes of their callers, nothing is NULL.
#pragma once

#include <adamant/adamant.h>

#include <adamant/adamant.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct adamant_optimizer {
  adamant::Optimizer optimizer;
};
/// Its own, or those of a run log.
struct adamant_statistics {
  adamant::Statistics own;
  adamant::Statistics* filled = &own;
};

namespace adamant::c {

/// The status of the exception that is being handled; keeps its text for adamant_last_error().
adamant_status status_of_exception() noexcept;

template <class Body>
adamant_status guarded(Body&& body) noexcept {
  try {
    body();
    return ADAMANT_OK;
  } catch (...) {
    return status_of_exception();
  }
}

[[noreturn]] void refuse(ErrorCode code, const std::string& message);

/// What a pointer points to; refuses NULL.
template <class T>
T& given(T* pointer, const char* what) {
  if (pointer == nullptr) refuse(ErrorCode::invalid_argument, std::string(what) + " is NULL");
  return *pointer;
}
/// `count` elements from there; refuses NULL where there are some.
template <class T>
std::span<T> given(T* first, std::size_t count, const char* what) {
  return {count == 0 ? first : &given(first, what), count};
}
inline std::string_view given_text(const char* text, const char* what) { return &given(text, what); }

inline Optimizer& of(adamant_optimizer* handle) { return given(handle, "optimizer").optimizer; }
inline const Optimizer& of(const adamant_optimizer* handle) { return given(handle, "optimizer").optimizer; }

/// Refuses an index beyond a list.
void check_index(const char* what, std::size_t index, std::size_t count);

/// Copies a struct from memory of the caller's, whose first member is its size: what it lacks becomes zeros, what it
/// has beyond `size` must be zeros.
void read_struct(void* to, std::size_t size, const void* from, const char* what);
/// Refuses an array whose structs do not all have the size of the first, which it returns; 0 if there are none.
[[nodiscard]] std::size_t check_array(const void* first, std::size_t count, const char* what);
/// Refuses a struct of the caller's whose size is none.
void check_struct(const void* to, const char* what);
/// Fills a struct of the caller's, as far as it goes; zeros what it has beyond `size`.
void write_struct(void* to, const void* from, std::size_t size, const char* what);

/// A struct of the caller's; `what` names it, with its type, in errors.
template <class S>
S read(const S* from, const char* what) {
  S own{};
  read_struct(&own, sizeof(S), from, what);
  return own;
}
/// The same, where NULL means one of zeros.
template <class S>
S read_or_default(const S* from, const char* what) {
  return from == nullptr ? S{} : read(from, what);
}
/// An array of structs, all of the size of the first.
template <class S>
std::vector<S> read_all(const S* first, std::size_t count, const char* what) {
  std::vector<S> all;
  const std::size_t stride = check_array(first, count, what);
  const auto* at = reinterpret_cast<const std::byte*>(first);
  for (std::size_t i = 0; i < count; ++i, at += stride) all.push_back(read(reinterpret_cast<const S*>(at), what));
  return all;
}
template <class S>
void write(S* to, const S& value, const char* what) {
  write_struct(to, &value, sizeof(S), what);
}

/// An enumerator from its number.
template <class E>
E enumerator(std::int32_t number, std::size_t count, const char* what) {
  if (number < 0 || static_cast<std::size_t>(number) >= count) {
    refuse(ErrorCode::invalid_argument, std::string(what) + " is number " + std::to_string(number) +
                                            ", must be from 0 to " + std::to_string(count - 1));
  }
  return static_cast<E>(number);
}
inline Format format_of(std::int32_t number, const char* what) {
  return enumerator<Format>(number, formats().size(), what);
}

// Values by name (values.cc).

[[nodiscard]] Options read_options(const adamant_value* values, std::size_t count);
void read_settings(Settings& settings, const adamant_value* values, std::size_t count);
[[nodiscard]] Notes read_notes(const adamant_value* values, std::size_t count);
/// `name` is that of a list; `text` is what the value says, and outlives it.
[[nodiscard]] adamant_value value_of(std::string_view name, const OptionValue& value, const std::string& text);
/// The options that are set, by name.
class OptionList {
 public:
  OptionList() = default;
  explicit OptionList(const Options& options);
  [[nodiscard]] const adamant_value* data() const { return values_.data(); }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::vector<std::string> texts_;  // to which the values point
  std::vector<adamant_value> values_;
};
/// ADAMANT_NUMBER, ADAMANT_PAIR or ADAMANT_FLAG.
[[nodiscard]] std::int32_t kind_of(const OptionValue& value);

/// What the library said of a step, from what the caller has kept of it.
[[nodiscard]] StepReport read_report(const adamant_step_report* report, const Optimizer& optimizer);

}  // namespace adamant::c
