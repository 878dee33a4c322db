// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// load() of a checkpoint with checksums that fit, whose text and tensors are anything: it is loaded, and is a state
// that a run can reach, or it is refused and nothing has changed.
//
// An input is lines of JSON: the text of the state, then tensors, {"name":"w/exp_avg","dtype":"F32","shape":[7]}, whose
// bytes are of a pattern.
#include <adamant/checkpoint.hpp>
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <utility>
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
using Json = nlohmann::ordered_json;
using fuzz::require;

// Bits of small numbers above zero in every format.
const std::vector<std::byte>& pattern() {
  static const std::vector<std::byte> kPattern(std::size_t{1} << 16, std::byte{0x3C});
  return kPattern;
}

/// Those that the lines describe, as far as they do.
std::vector<SafetensorsTensor> tensors_of(std::istringstream& lines) {
  std::vector<SafetensorsTensor> tensors;
  for (std::string line; std::getline(lines, line) && tensors.size() < 32;) {
    try {
      const Json json = Json::parse(line);
      SafetensorsTensor tensor = {json.at("name").get<std::string>(), {}, {}, {}};
      for (const Json& extent : json.at("shape")) {
        if (extent.is_number_unsigned()) tensor.shape.push_back(extent.get<std::size_t>());
      }
      const SafetensorsType& type = checkpoint::type_of(json.at("dtype").get<std::string>());
      tensor.type = type.name;
      const std::uint64_t bytes = checkpoint::bytes_of_shape(tensor.shape, type);
      if (bytes > pattern().size()) continue;
      tensor.bytes = std::span(pattern()).first(bytes);
      tensors.push_back(std::move(tensor));
    } catch (const Json::exception&) {
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
    checkpoint::check_metadata({{"x", text}});  // is it UTF-8?
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
    for (std::size_t g = 0; g < optimizer.group_count(); ++g)
      fuzz::check_options(optimizer.rule(g), optimizer.options(g));
    optimizer.load_state_dict(optimizer.state_dict());
    require(inspect(path).state.steps == optimizer.steps());
  } else {
    require(testing::bits_of(optimizer.state_dict()) == before);
    require(b == b_before && std::equal(w.begin(), w.end(), w_before.begin(),
                                        [](bf16 x, bf16 y) { return static_cast<float>(x) == static_cast<float>(y); }));
  }
  return fuzz::kKeep;
}
