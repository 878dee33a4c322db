// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// TensorBoard event files, read a second time: nothing here is shared with what writes them.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::testing {

/// CRC-32C bit by bit: the remainder modulo Castagnoli's polynomial, with reflected bits.
inline std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFFu;
  for (const char byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool high = ((remainder ^ static_cast<std::uint32_t>(static_cast<unsigned char>(byte) >> bit)) & 1) != 0;
      remainder >>= 1;
      if (high) remainder ^= 0x82F63B78u;
    }
  }
  return remainder ^ 0xFFFFFFFFu;
}

struct EventHistogram {
  double min = 0.0, max = 0.0, num = 0.0, sum = 0.0, sum_squares = 0.0;
  std::vector<double> limits, counts;
};

struct ReadEvent {
  double wall_time = 0.0;
  std::uint64_t step = 0;
  std::string version;
  std::uint64_t session = 0;  // 1: START
  std::map<std::string, float> scalars;
  std::map<std::string, EventHistogram> histograms;
};

/// The fields of a message, one after the other.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = varint();
    field = static_cast<int>(key >> 3);
    switch (key & 7) {
      case 0:
        integer = varint();
        break;
      case 1:
        bytes = take(8);
        break;
      case 2:
        bytes = take(varint());
        break;
      case 5:
        bytes = take(4);
        break;
      default:
        throw std::runtime_error("unknown wire type");
    }
    return true;
  }
  template <class T>
  [[nodiscard]] T as() const {
    if (bytes.size() != sizeof(T)) throw std::runtime_error("a field of another size");
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  [[nodiscard]] std::vector<double> doubles() const {
    std::vector<double> values(bytes.size() / sizeof(double));
    if (values.size() * sizeof(double) != bytes.size()) throw std::runtime_error("a field of another size");
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  int field = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;

 private:
  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) throw std::runtime_error("a field that is longer than its message");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("an integer that is too long");
  }

  std::string_view rest_;
};

inline EventHistogram read_histogram(std::string_view bytes) {
  EventHistogram histogram;
  for (Fields f(bytes); f.next();) {
    switch (f.field) {
      case 1:
        histogram.min = f.as<double>();
        break;
      case 2:
        histogram.max = f.as<double>();
        break;
      case 3:
        histogram.num = f.as<double>();
        break;
      case 4:
        histogram.sum = f.as<double>();
        break;
      case 5:
        histogram.sum_squares = f.as<double>();
        break;
      case 6:
        histogram.limits = f.doubles();
        break;
      case 7:
        histogram.counts = f.doubles();
        break;
      default:
        throw std::runtime_error("an unknown field of a histogram");
    }
  }
  return histogram;
}

inline ReadEvent read_event(std::string_view bytes) {
  ReadEvent event;
  for (Fields f(bytes); f.next();) {
    if (f.field == 1) event.wall_time = f.as<double>();
    if (f.field == 2) event.step = f.integer;
    if (f.field == 3) event.version = f.bytes;
    if (f.field == 7) {
      for (Fields log(f.bytes); log.next();) event.session = log.field == 1 ? log.integer : event.session;
    }
    if (f.field != 5) continue;
    for (Fields value(f.bytes); value.next();) {
      std::string tag;
      for (Fields part(value.bytes); part.next();) {
        if (part.field == 1) tag = part.bytes;
        if (part.field == 2 && !event.scalars.emplace(tag, part.as<float>()).second) {
          throw std::runtime_error("a tag twice: " + tag);
        }
        if (part.field == 5) event.histograms[tag] = read_histogram(part.bytes);
      }
    }
  }
  return event;
}

/// All whole records. Throws std::runtime_error where one is not what its checksums say.
inline std::vector<ReadEvent> read_event_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::string_view rest = all;
  const auto number = [](std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  const auto check = [&](std::string_view bytes, std::string_view stored) {
    const std::uint32_t crc = slow_crc32c(bytes);
    if (((crc >> 15 | crc << 17) + 0xA282EAD8u) != number(stored)) throw std::runtime_error("a wrong checksum");
  };
  std::vector<ReadEvent> events;
  while (rest.size() >= 12) {
    const std::uint64_t length = number(rest.substr(0, 8));
    check(rest.substr(0, 8), rest.substr(8, 4));
    if (rest.size() < 16 + length) break;
    check(rest.substr(12, length), rest.substr(12 + length, 4));
    events.push_back(read_event(rest.substr(12, length)));
    rest.remove_prefix(16 + length);
  }
  return events;
}

}  // namespace adamant::testing
