// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// load_state_dict of a dict in which anything may have been changed: loaded, or refused and nothing is changed.
#include <adamant/adamant.hpp>
#include <string>
#include <vector>

#include "fuzz/input.h"

namespace {

using namespace adamant;

constexpr std::size_t kLarge = kSmallTensor, kSmall = 7;

void change_bytes(fuzz::Input& in, std::vector<std::byte>& bytes) {
  if (in.flag()) bytes.resize(in.flag() ? bytes.size() + in.choice(256) : in.choice(256));
  if (in.flag() && !bytes.empty()) bytes.pop_back();
  for (std::size_t left = in.choice(8); left > 0 && !bytes.empty(); --left) {
    bytes[in.word() % bytes.size()] = static_cast<std::byte>(in.byte());
  }
}

template <class Map>
void change_names(fuzz::Input& in, Map& map) {
  if (map.empty()) return;
  auto node = map.extract(std::next(map.begin(), static_cast<std::ptrdiff_t>(in.choice(map.size()))));
  node.key() = in.flag() ? "small" : in.text();
  map.insert(std::move(node));
}

void change_entry(fuzz::Input& in, StateDict::Entry& entry) {
  switch (in.choice(6)) {
    case 0:
      entry.step = in.word();
      break;
    case 1:
      entry.shape.assign(in.choice(4), in.word());
      break;
    case 2:
      entry.weight_format = static_cast<WeightFormat>(in.choice(weight_formats().size()));
      break;
    case 3:
      change_bytes(in, entry.weight_bits);
      break;
    case 4:
      change_names(in, entry.states);
      break;
    default:
      for (auto& [name, state] : entry.states) {
        if (in.flag()) state.format = static_cast<StateFormat>(in.choice(state_formats().size()));
        change_bytes(in, in.flag() ? state.bytes : state.exponents);
      }
  }
}

void change_group(fuzz::Input& in, StateDict::Group& group) {
  switch (in.choice(4)) {
    case 0:
      group.rule = in.flag() ? in.text() : std::string(in.one_of(rules()).name);
      break;
    case 1:
      group.formula = in.text();
      break;
    case 2:
      fuzz::accepted([&] { set_option(group.options, in.one_of(rules()[0].options).name, OptionValue(in.number())); });
      break;
    default:
      if (in.flag()) group.params.push_back(in.text());
      if (in.flag() && !group.params.empty()) group.params.pop_back();
  }
}

void change(fuzz::Input& in, StateDict& dict) {
  switch (in.choice(7)) {
    case 0:
      dict.seed = in.word();
      break;
    case 6:
      dict.steps = in.word();
      break;
    case 1:
      dict.grad_norm = in.number();
      break;
    case 2:
      dict.groups.resize(in.choice(4));
      break;
    case 3:
      change_names(in, dict.tensors);
      break;
    case 4:
      if (!dict.groups.empty()) change_group(in, dict.groups[in.choice(dict.groups.size())]);
      break;
    default:
      if (!dict.tensors.empty()) {
        change_entry(
            in, std::next(dict.tensors.begin(), static_cast<std::ptrdiff_t>(in.choice(dict.tensors.size())))->second);
      }
  }
}

/// Every bit of a dict, as far as this is told apart.
bool same(const StateDict& a, const StateDict& b) {
  if (a.seed != b.seed || a.groups.size() != b.groups.size() || a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, entry] : a.tensors) {
    const auto other = b.tensors.find(name);
    if (other == b.tensors.end() || entry.step != other->second.step ||
        entry.weight_bits != other->second.weight_bits || entry.states.size() != other->second.states.size()) {
      return false;
    }
    for (const auto& [state_name, state] : entry.states) {
      const StateDict::State& its = other->second.states.at(state_name);
      if (state.bytes != its.bytes || state.exponents != its.exponents) return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  std::vector<bf16> w(kLarge, bf16(0.5f)), g(kLarge, bf16(0.25f));
  std::vector<float> small(kSmall, 1.0f), small_grad(kSmall, 2.0f);
  Settings settings = preset(in.one_of(presets()));
  settings.threads = 1;
  Optimizer optimizer(in.one_of(rules()).rule,
                      std::vector<ParamGroup>{{{{"w", w, g}}}, {{{"small", small, small_grad}}}}, {}, settings);
  optimizer.step();
  const StateDict before = optimizer.state_dict();
  StateDict dict = before;
  while (!in.empty()) change(in, dict);
  if (!fuzz::accepted([&] { optimizer.load_state_dict(dict); })) fuzz::require(same(optimizer.state_dict(), before));
  optimizer.step();
  // What it makes of any dict, it takes.
  optimizer.load_state_dict(optimizer.state_dict());
  return 0;
}
