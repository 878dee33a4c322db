// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "insight/event_file.h"

#include <bit>
#include <chrono>
#include <cstddef>

#include "insight/crc32c.h"

namespace adamant {
namespace {

void append_bits(std::string& to, std::uint64_t bits, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(bits >> 8 * i & 0xFFu);
}

std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; }

}  // namespace

void Message::integer(unsigned field, std::uint64_t value) {
  key(field, 0);
  varint(value);
}
void Message::number(unsigned field, double value) {
  key(field, 1);
  append_bits(bytes_, std::bit_cast<std::uint64_t>(value), 8);
}
void Message::narrow(unsigned field, double value) {
  key(field, 5);
  append_bits(bytes_, std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
}
void Message::text(unsigned field, std::string_view value) {
  key(field, 2);
  varint(value.size());
  bytes_ += value;
}
void Message::numbers(unsigned field, std::span<const double> values) {
  std::string packed;
  for (const double value : values) append_bits(packed, std::bit_cast<std::uint64_t>(value), 8);
  text(field, packed);
}
void Message::key(unsigned field, unsigned wire) { varint(field << 3 | wire); }
void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7Fu) | 0x80u);
  bytes_ += static_cast<char>(value);
}

Message event_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Message event;
  event.number(1, std::chrono::duration<double>(now).count());
  return event;
}

std::string record_of(const Message& event) {
  const std::string& data = event.bytes();
  std::string framed;
  append_bits(framed, data.size(), 8);
  append_bits(framed, masked_crc(framed), 4);
  framed += data;
  append_bits(framed, masked_crc(data), 4);
  return framed;
}

}  // namespace adamant
