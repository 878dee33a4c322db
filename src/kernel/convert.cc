// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "kernel/convert.h"

#include <algorithm>

#include "base/float_environment.h"
#include "kernel/kernels.h"

namespace adamant {
namespace {

std::uint16_t encode_one(Format format, float value) noexcept {
  const FloatEnvironment environment;
  std::uint16_t code;
  format_kernels().encode[index_of(format)](&value, 1, &code);
  return code;
}

float decode_one(Format format, std::uint16_t code) noexcept {
  const FloatEnvironment environment;
  float value;
  format_kernels().decode[index_of(format)](&code, 1, &value);
  return value;
}

}  // namespace

bf16::bf16(float value) noexcept : bits(encode_one(Format::bf16, value)) {}
bf16::operator float() const noexcept { return decode_one(Format::bf16, bits); }
f16::f16(float value) noexcept : bits(encode_one(Format::f16, value)) {}
f16::operator float() const noexcept { return decode_one(Format::f16, bits); }

void to_f64(const void* from, Format format, std::size_t n, double* to) {
  if (format == Format::f64) {
    std::copy_n(static_cast<const double*>(from), n, to);
    return;
  }
  const DecodeKernel decode = format_kernels().decode[index_of(format)];
  const std::size_t bytes = info(format).bytes;
  float block[kBlock];
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t count = std::min(kBlock, n - first);
    decode(static_cast<const std::byte*>(from) + first * bytes, count, block);
    std::copy_n(block, count, to + first);
  }
}

}  // namespace adamant
