// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "checkpoint/header.h"

namespace adamant::checkpoint {
namespace {

using Json = nlohmann::json;

// Makes values from the events of the parser.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::size_t depth) : depth_(depth) {}

  JsonValue whole;

  bool null() override { return add(JsonValue()); }
  bool boolean(bool value) override { return add(JsonValue(value)); }
  bool number_integer(number_integer_t value) override { return add(JsonValue(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(JsonValue(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(JsonValue(value)); }
  bool string(string_t& value) override { return add(JsonValue(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonValue(JsonValue::Object())); }
  bool start_array(std::size_t) override { return open(JsonValue(JsonValue::Array())); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    const auto [member, is_new] = open_.back()->as<JsonValue::Object>()->try_emplace(std::move(key));
    if (!is_new) throw Wrong{"has " + printable(member->first) + " twice"};
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    throw Wrong{"is not JSON"};
  }

 private:
  JsonValue& place() {
    if (open_.empty()) return whole;
    auto* array = open_.back()->as<JsonValue::Array>();
    return array != nullptr ? array->emplace_back() : *member_;
  }
  bool add(JsonValue value) {
    place() = std::move(value);
    return true;
  }
  bool open(JsonValue value) {
    if (open_.size() == depth_) throw Wrong{"is nested too deeply"};
    JsonValue& its = place();
    its = std::move(value);
    open_.push_back(&its);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t depth_;
  std::vector<JsonValue*> open_;  // those within which the next event is
  JsonValue* member_ = nullptr;   // of the innermost, if that is an object
};

}  // namespace

std::optional<double> JsonValue::number() const {
  if (const auto* value = as<double>()) return *value;
  if (const auto* value = as<std::uint64_t>()) return static_cast<double>(*value);
  if (const auto* value = as<std::int64_t>()) return static_cast<double>(*value);
  return {};
}

JsonValue parse_json(std::string_view text, std::size_t depth) {
  check_zero_bytes(text, "is");
  Builder builder(depth);
  Json::sax_parse(text, &builder);
  return std::move(builder.whole);
}

std::string json_text(std::string_view value) { return Json(value).dump(); }
std::string json_text(double value) { return Json(value).dump(); }
std::string json_text(std::uint64_t value) { return std::to_string(value); }
std::string json_text(bool value) { return value ? "true" : "false"; }

std::string array_text(const std::vector<std::string>& values) {
  return "[" + listed(values, [](const std::string& value) { return value; }, ",") + "]";
}

std::string object_text(const std::map<std::string, std::string>& members) {
  return "{" +
         listed(
             members,
             [](const auto& member) { return json_text(std::string_view(member.first)) + ":" + member.second; }, ",") +
         "}";
}

}  // namespace adamant::checkpoint
