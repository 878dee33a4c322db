// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What TensorBoard's event files are made of: messages in the encoding of protocol buffers, framed as records.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace adamant {

/// A protocol buffer, as far as events need it.
class Message {
 public:
  void integer(unsigned field, std::uint64_t value);
  void number(unsigned field, double value);
  /// As f32.
  void narrow(unsigned field, double value);
  void text(unsigned field, std::string_view value);
  void numbers(unsigned field, std::span<const double> values);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void key(unsigned field, unsigned wire);
  void varint(std::uint64_t value);

  std::string bytes_;
};

/// An event of this moment.
[[nodiscard]] Message event_now();
/// Length and data, each followed by its checksum.
[[nodiscard]] std::string record_of(const Message& event);

}  // namespace adamant
