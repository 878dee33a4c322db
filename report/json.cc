// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace adamant::report {
namespace {

std::string in_quotes(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Json::Json(double value) : text_(std::isfinite(value) ? fmt::format("{}", value) : "null") {}

Json::Json(std::string_view value) : text_(in_quotes(value)) {}

Json Json::rounded(double value, int digits) {
  Json json;
  if (std::isfinite(value)) json.text_ = fmt::format("{:.{}g}", value, digits);
  return json;
}

Json Json::object(std::initializer_list<Member> members) {
  Json json;
  json.text_ = "{}";
  for (const auto& [name, value] : members) json.set(name, value);
  return json;
}

Json Json::array(std::initializer_list<Json> items) {
  Json json;
  json.text_ = "[]";
  for (const Json& item : items) json.push(item);
  return json;
}

Json& Json::set(std::string_view name, const Json& value) {
  append(in_quotes(name) + ":" + value.text_);
  return *this;
}

Json& Json::push(const Json& value) {
  append(value.text_);
  return *this;
}

// Before the bracket that closes.
void Json::append(std::string_view text) {
  const bool first = empty();
  const char close = text_.back();
  text_.back() = ',';
  if (first) text_.pop_back();
  text_ += text;
  text_ += close;
}

}  // namespace adamant::report
