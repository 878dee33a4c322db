// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// JSON as values and as text. Values of the parser's library take memory when they go, where there may be none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace adamant::checkpoint {

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue>;

  JsonValue() = default;
  template <class T>
  explicit JsonValue(T value) : value_(std::move(value)) {}

  /// Null where it is of another kind.
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value_);
  }
  template <class T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&value_);
  }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// Of a whole number, too.
  [[nodiscard]] std::optional<double> number() const;

 private:
  std::variant<std::monostate, bool, std::uint64_t, std::int64_t, double, std::string, Array, Object> value_;
};

/// Throws Wrong for what is not JSON, has a key twice in an object, or more than `depth` arrays and objects within each
/// other.
[[nodiscard]] JsonValue parse_json(std::string_view text, std::size_t depth);

[[nodiscard]] std::string json_text(std::string_view value);
[[nodiscard]] std::string json_text(double value);
[[nodiscard]] std::string json_text(std::uint64_t value);
[[nodiscard]] std::string json_text(bool value);
/// Of texts: an array, and an object in the order of its keys.
[[nodiscard]] std::string array_text(const std::vector<std::string>& values);
[[nodiscard]] std::string object_text(const std::map<std::string, std::string>& members);

}  // namespace adamant::checkpoint
