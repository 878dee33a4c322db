// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// JSON, written as it is built: a value is its text. For what writes much and reads nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adamant::report {

class Json {
 public:
  using Member = std::pair<std::string_view, Json>;

  Json() : text_("null") {}
  Json(bool value) : text_(value ? "true" : "false") {}
  /// null where it is not finite.
  Json(double value);
  template <std::integral Number>
  Json(Number value) : text_(std::to_string(value)) {}
  /// Bytes that are not UTF-8 become U+FFFD.
  Json(std::string_view value);
  Json(const std::string& value) : Json(std::string_view(value)) {}
  Json(const char* value) : Json(std::string_view(value)) {}
  template <class Item>
  Json(const std::vector<Item>& items) : Json(array()) {
    for (const Item& item : items) push(item);
  }

  /// With so many digits; null where it is not finite.
  [[nodiscard]] static Json rounded(double value, int digits);
  [[nodiscard]] static Json object(std::initializer_list<Member> members = {});
  [[nodiscard]] static Json array(std::initializer_list<Json> items = {});

  /// One more member of an object.
  Json& set(std::string_view name, const Json& value);
  /// One more item of an array.
  Json& push(const Json& value);

  /// Whether it is an object or an array with nothing in it.
  [[nodiscard]] bool empty() const { return text_ == "{}" || text_ == "[]"; }
  [[nodiscard]] const std::string& text() const { return text_; }
  bool operator==(const Json&) const = default;

 private:
  void append(std::string_view text);

  std::string text_;
};

}  // namespace adamant::report
