// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// load() of a checkpoint with checksums that fit, whose text and tensors are anything: it is loaded, and is a state that
// a run can reach, or it is refused and nothing has changed.
//
// An input is text in lines: the text of the state, then for each tensor a line with name, type, and extents, divided by
// spaces, of which it has the first so many bytes of a pattern.
#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "checkpoint/files.h"
#include "checkpoint/header.h"
#include "checkpoint/state_text.h"
#include "checkpoint/writing.h"
#include "fuzz/input.h"
#include "fuzz/memory_file.h"
#include "fuzz/ranges.h"
#include "tests/support/buffers.h"

namespace {

using namespace adamant;
using fuzz::require;

// Bits of small numbers above zero in every format.
const std::vector<std::byte>& pattern() {
  static const std::vector<std::byte> kPattern(std::size_t{1} << 16, std::byte{0x3C});
  return kPattern;
}

/// Those of the lines that are tensors.
std::vector<SafetensorsTensor> tensors_of(std::istringstream& lines) {
  std::vector<SafetensorsTensor> tensors;
  for (std::string line; std::getline(lines, line) && tensors.size() < 32;) {
    std::istringstream words(line);
    SafetensorsTensor tensor;
    std::string type;
    if (!(words >> tensor.name >> type)) continue;
    for (std::size_t extent = 0; words >> extent;) tensor.shape.push_back(extent);
    try {
      const SafetensorsType& its = checkpoint::type_of(type);
      const std::uint64_t bytes = checkpoint::bytes_of_shape(tensor.shape, its);
      if (bytes > pattern().size()) continue;
      tensor.type = its.name;
      tensor.bytes = std::span(pattern()).first(bytes);
      tensors.push_back(std::move(tensor));
    } catch (const checkpoint::Wrong&) {
    }
  }
  return tensors;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::string text;
  std::getline(lines, text);
  fuzz::MemoryFile memory("");
  const std::string path = memory.path();
  const bool written = fuzz::accepted([&] {
    const checkpoint::Place place = checkpoint::place_of(path);
    checkpoint::Written file = checkpoint::write_safetensors(place.folder, place.name, tensors_of(lines),
                                                             {{std::string(checkpoint::kStateKey), text}});
    file.file.rename(place.name);
  });
  if (!written) return fuzz::kLeave;
  std::vector<bf16> w(7, bf16(0.5F));
  std::vector<float> b(3, 0.25F);
  const auto w_before = w;
  const auto b_before = b;
  Optimizer optimizer(Rule::adamw, {{{{"w", w}}, {}, {}}, {{{"b", b}}, {.momentum = 0.9}, Rule::sgd}}, {},
                      {.threads = 1});
  const std::string before = testing::bits_of(optimizer.state_dict());
  const bool params = size % 2 == 0;
  if (fuzz::accepted([&] { load(optimizer, path, {.params = params, .round = true}); })) {
    for (std::size_t g = 0; g < optimizer.group_count(); ++g) fuzz::check_options(optimizer.rule(g), optimizer.options(g));
    optimizer.load_state_dict(optimizer.state_dict());
    require(inspect(path).state.steps == optimizer.steps());
  } else {
    require(testing::bits_of(optimizer.state_dict()) == before);
    require(b == b_before && std::equal(w.begin(), w.end(), w_before.begin(), [](bf16 x, bf16 y) {
      return static_cast<float>(x) == static_cast<float>(y);
    }));
  }
  return fuzz::kKeep;
}
