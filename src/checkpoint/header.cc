// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "checkpoint/header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "checkpoint/json.h"

namespace adamant {

std::span<const SafetensorsType> safetensors_types() noexcept {
  static constexpr SafetensorsType kTypes[] = {
      {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
      {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
      {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};
  return kTypes;
}

}  // namespace adamant

namespace adamant::checkpoint {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMetadata = "__metadata__";

// Takes the events of the JSON parser, which knows no depth and keeps nothing itself. What may come next depends on
// where in the header it is.
class Reader final : public nlohmann::json_sax<Json> {
 public:
  Header header;

  bool start_object(std::size_t) override {
    if (in_ == In::nothing) {
      in_ = In::top;
    } else if (in_ == In::value_of_top && key_ == kMetadata) {
      in_ = In::metadata;
    } else if (in_ == In::value_of_top) {
      in_ = In::entry;
      entry_ = {};
      entry_.name = key_;
      seen_ = {};
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (in_ == In::entry) {
      finish_entry();
      in_ = In::top;
    } else {
      in_ = in_ == In::metadata ? In::top : In::done;
    }
    return true;
  }

  bool key(string_t& key) override {
    if (in_ == In::top) {
      if (has_control_character(key)) throw Wrong{"the name " + printable(key) + " has a control character"};
      if (!names_.insert(key).second) throw Wrong{"the name " + printable(key) + " is there twice"};
      in_ = In::value_of_top;
    } else if (in_ == In::metadata) {
      if (header.metadata.contains(key)) throw Wrong{"the metadata has " + printable(key) + " twice"};
    } else {
      const auto field = std::ranges::find(kFields, key);
      if (field == kFields.end()) throw Wrong{what() + " has an unknown field " + printable(key)};
      bool& seen = seen_[static_cast<std::size_t>(field - kFields.begin())];
      if (seen) throw Wrong{what() + " has " + printable(key) + " twice"};
      seen = true;
    }
    key_ = std::move(key);
    return true;
  }

  bool string(string_t& value) override {
    if (in_ == In::metadata) {
      header.metadata.emplace(key_, std::move(value));
    } else if (in_ == In::entry && key_ == kFields[0]) {
      entry_.type = type_of(value);
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (in_ != In::entry || key_ == kFields[0]) unexpected("an array");
    in_ = key_ == kFields[1] ? In::shape : In::offsets;
    return true;
  }

  bool end_array() override {
    if (in_ == In::offsets && offsets_ != 2) throw Wrong{what() + " has not two data_offsets"};
    in_ = In::entry;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (in_ == In::shape) {
      if (value > std::numeric_limits<std::size_t>::max()) unexpected("a number too large");
      entry_.shape.push_back(static_cast<std::size_t>(value));
    } else if (in_ == In::offsets) {
      if (offsets_ == 2) throw Wrong{what() + " has not two data_offsets"};
      (offsets_++ == 0 ? entry_.offset : end_) = value;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a number that is not whole"); }
  bool binary(binary_t&) override { unexpected("bytes"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw Wrong{"the header is not JSON at its byte " + std::to_string(position)};
  }

 private:
  enum class In { nothing, top, value_of_top, metadata, entry, shape, offsets, done };
  static constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};

  [[nodiscard]] std::string what() const { return "tensor " + printable(entry_.name); }
  [[noreturn]] void unexpected(const std::string& value) const {
    throw Wrong{"the header has " + value + " where it must not, " +
                (in_ == In::nothing ? std::string("in place of all") : "as or in " + printable(key_))};
  }

  void finish_entry() {
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      if (!seen_[i]) throw Wrong{what() + " has no " + std::string(kFields[i])};
    }
    if (end_ < entry_.offset) throw Wrong{what() + " ends before it begins"};
    entry_.bytes = end_ - entry_.offset;
    if (entry_.bytes != bytes_of_shape(entry_.shape, entry_.type)) {
      throw Wrong{what() + " has " + std::to_string(entry_.bytes) + " bytes, which are not those of its shape"};
    }
    header.entries.push_back(std::move(entry_));
    offsets_ = 0;
  }

  In in_ = In::nothing;
  std::string key_;
  std::unordered_set<std::string> names_;
  SafetensorsEntry entry_;
  std::array<bool, kFields.size()> seen_{};
  std::uint64_t end_ = 0;
  int offsets_ = 0;
};

std::string metadata_text(const Metadata& metadata) {
  std::map<std::string, std::string> members;
  for (const auto& [key, value] : metadata) members[key] = json_text(std::string_view(value));
  return object_text(members);
}

}  // namespace

bool has_control_character(std::string_view name) {
  return std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void check_zero_bytes(std::string_view json, const std::string& what) {
  const std::size_t found = json.find('\0');
  if (found != std::string_view::npos) throw Wrong{what + " not JSON at its byte " + std::to_string(found + 1)};
}

std::array<std::byte, kLengthBytes> length_bytes(std::uint64_t length) {
  std::array<std::byte, kLengthBytes> bytes{};
  for (std::size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<std::byte>(length >> 8 * i);
  return bytes;
}

std::uint64_t length_from(std::span<const std::byte, kLengthBytes> bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
  return length;
}

const SafetensorsType& type_of(std::string_view name) {
  for (const SafetensorsType& type : safetensors_types()) {
    if (type.name == name) return type;
  }
  throw Wrong{"unknown dtype " + printable(name)};
}

std::uint64_t bytes_of_shape(const std::vector<std::size_t>& shape, const SafetensorsType& type) {
  std::uint64_t bits = type.bits;
  for (const std::size_t extent : shape) {
    if (extent != 0 && bits > std::numeric_limits<std::uint64_t>::max() / extent) {
      throw Wrong{"a shape has more elements than can be addressed"};
    }
    bits *= extent;
  }
  if (bits % 8 != 0) throw Wrong{"a shape has " + std::to_string(bits) + " bits, which are no whole bytes"};
  return bits / 8;
}

Header parse_header(std::string_view text, std::uint64_t data) {
  // The parser would also take a byte order mark and white space.
  const std::size_t padding = text.size() - (text.find_last_not_of(' ') + 1);
  const std::string_view json = text.substr(0, text.size() - padding);
  if (!json.starts_with('{') || !json.ends_with('}')) throw Wrong{"the header is not a JSON object"};
  check_zero_bytes(json, "the header is");
  Reader reader;
  Json::sax_parse(json, &reader);

  Header header = std::move(reader.header);
  std::ranges::sort(header.entries, {}, [](const SafetensorsEntry& e) { return std::tuple(e.offset, e.bytes); });
  std::uint64_t end = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.offset != end) {
      throw Wrong{"tensor " + printable(entry.name) + " begins at byte " + std::to_string(entry.offset) +
                  ", must begin at " + std::to_string(end) + ", where the one before it ends"};
    }
    end += entry.bytes;  // does not overflow: it is the end that was read
  }
  if (end != data) {
    throw Wrong{"the tensors have " + std::to_string(end) + " bytes, but " + std::to_string(data) +
                " follow the header"};
  }
  return header;
}

std::string header_text(const Header& header) {
  std::string text = "{";
  if (!header.metadata.empty()) text += json_text(kMetadata) + ":" + metadata_text(header.metadata);
  for (const SafetensorsEntry& entry : header.entries) {
    if (text.size() > 1) text += ',';
    text +=
        json_text(std::string_view(entry.name)) + ":{\"dtype\":\"" + std::string(entry.type.name) + "\",\"shape\":[" +
        listed(
            entry.shape, [](std::size_t extent) { return std::to_string(extent); }, ",") +
        "],\"data_offsets\":[" + std::to_string(entry.offset) + "," + std::to_string(entry.offset + entry.bytes) + "]}";
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace adamant::checkpoint
