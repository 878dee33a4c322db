// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// load_state_dict of a dict in which anything may have been changed: loaded, or refused and nothing is changed.
#include <adamant/adamant.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/input.h"
#include "fuzz/ranges.h"

namespace {

using namespace adamant;

// Of another size than it should have, mostly by a little: one byte, one element, one group of elements.
void change_size(fuzz::Input& in, std::vector<std::byte>& bytes) {
  constexpr std::size_t kBy[] = {1, 2, 4, 8, 128, 256, 512};
  const std::size_t by = in.one_of(kBy);
  switch (in.choice(6)) {
    case 0:
      return bytes.clear();
    case 1:
      return bytes.resize(bytes.size() * 2);
    case 2:
    case 3:
      return bytes.resize(bytes.size() + by);
    default:
      return bytes.resize(bytes.size() - std::min(bytes.size(), by));
  }
}

// Infinity, NaN or a number below zero in f64, f32 and 16 bits, or any bytes.
void change_values(fuzz::Input& in, std::vector<std::byte>& bytes) {
  constexpr std::uint64_t kValues[] = {0x7FF0000000000000, 0x7F8000007F800000, 0x7F807F807F807F80, 0x7C007C007C007C00,
                                       0x7FFFFFFFFFFFFFFF, 0xBF800000BF800000, 0xBFF0000000000000, 0xFFFFFFFFFFFFFFFF};
  const std::uint64_t bits = in.flag() ? in.one_of(kValues) : in.word();
  const std::size_t places = bytes.size() / sizeof(bits);
  if (places > 0) std::memcpy(bytes.data() + in.word() % places * sizeof(bits), &bits, sizeof(bits));
}

void change_bytes(fuzz::Input& in, std::vector<std::byte>& bytes) {
  in.flag() ? change_size(in, bytes) : change_values(in, bytes);
}

template <class Map>
auto one_in(fuzz::Input& in, Map& map) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(in.choice(map.size())));
}

// One more, one fewer, or one by another name.
template <class Map>
void change_names(fuzz::Input& in, Map& map) {
  if (map.empty()) return;
  const auto found = one_in(in, map);
  const std::string name = in.flag() ? "small" : in.text();
  const std::size_t how = in.choice(3);
  if (how < 2) map.emplace(name, found->second);
  if (how > 0) map.erase(found);
}

void change_state(fuzz::Input& in, StateDict::State& state) {
  if (in.choice(4) == 0) {
    state.format = static_cast<StateFormat>(in.choice(state_formats().size() + 1));
  } else {
    change_bytes(in, in.flag() ? state.bytes : state.exponents);
  }
}

void change_entry(fuzz::Input& in, StateDict::Entry& entry) {
  switch (in.choice(8)) {
    case 0:
      entry.step = in.word();
      break;
    case 1:
      entry.shape.assign(in.choice(4), in.flag() ? in.choice(8) : in.word());
      break;
    case 2:
      entry.weight_format = static_cast<WeightFormat>(in.choice(weight_formats().size() + 1));
      break;
    case 3:
      change_bytes(in, entry.weight_bits);
      break;
    case 4:
      change_names(in, entry.states);
      break;
    default:
      if (!entry.states.empty()) change_state(in, one_in(in, entry.states)->second);
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
    case 2: {
      const OptionInfo& option = in.one_of(info(in.one_of(rules()).rule).options);
      const OptionValue kinds[] = {in.number(), std::array{in.number(), in.number()}, in.flag()};
      set_option(group.options, option.name, kinds[option.default_value.index()]);
      break;
    }
    default:
      if (in.flag()) group.params.push_back(in.flag() ? "small" : in.text());
      if (in.flag() && !group.params.empty()) group.params.pop_back();
  }
}

void change(fuzz::Input& in, StateDict& dict) {
  switch (in.choice(10)) {
    case 0:
      dict.seed = in.word();
      break;
    case 1:
      dict.steps = in.word();
      break;
    case 2:
      dict.grad_norm = in.number();
      break;
    case 3:
      dict.groups.resize(in.choice(4));
      break;
    case 4:
      change_names(in, dict.tensors);
      break;
    case 5:
    case 6:
      if (!dict.groups.empty()) change_group(in, in.one_of(dict.groups));
      break;
    default:
      if (!dict.tensors.empty()) change_entry(in, one_in(in, dict.tensors)->second);
  }
}

std::string text_of(const Options& options) {
  std::string text;
  for_each_option([&](const char* name, auto) {
    const std::optional<OptionValue> value = get_option(options, name);
    text += (value ? to_text(*value) : "") + ";";
  });
  return text;
}

bool same(const StateDict::Group& a, const StateDict::Group& b) {
  return a.rule == b.rule && a.formula == b.formula && a.params == b.params && text_of(a.options) == text_of(b.options);
}
bool same(const StateDict::State& a, const StateDict::State& b) {
  return a.format == b.format && a.bytes == b.bytes && a.exponents == b.exponents;
}
bool same(const StateDict::Entry& a, const StateDict::Entry& b) {
  return a.shape == b.shape && a.step == b.step && a.weight_format == b.weight_format &&
         a.weight_bits == b.weight_bits && std::ranges::equal(a.states, b.states, [](const auto& x, const auto& y) {
           return x.first == y.first && same(x.second, y.second);
         });
}
/// Every bit.
bool same(const StateDict& a, const StateDict& b) {
  const auto bits = [](double norm) { return std::bit_cast<std::uint64_t>(norm); };
  return a.seed == b.seed && a.steps == b.steps && a.grad_norm.has_value() == b.grad_norm.has_value() &&
         (!a.grad_norm || bits(*a.grad_norm) == bits(*b.grad_norm)) &&
         std::ranges::equal(a.groups, b.groups, [](const auto& x, const auto& y) { return same(x, y); }) &&
         std::ranges::equal(a.tensors, b.tensors, [](const auto& x, const auto& y) {
           return x.first == y.first && same(x.second, y.second);
         });
}

/// What an optimizer has once it has taken `dict`: options that the dict leaves out stay, and a group names each of its
/// tensors, be it twice and in any order.
StateDict taken(StateDict dict, const StateDict& before) {
  fuzz::require(dict.groups.size() == before.groups.size());
  for (std::size_t g = 0; g < dict.groups.size(); ++g) {
    StateDict::Group& group = dict.groups[g];
    group.options = merge(before.groups[g].options, group.options);
    std::ranges::sort(group.params);
    const auto twice = std::ranges::unique(group.params);
    group.params.erase(twice.begin(), twice.end());
  }
  return dict;
}

void check_value(std::string_view state, double value) {
  const bool any_sign = state == "exp_avg" || state == "momentum_buffer" || state == "grad_avg";
  fuzz::require(std::isnan(value) || (std::isfinite(value) && (any_sign || value >= 0.0)));
}

/// What a run can reach.
void check(Optimizer& optimizer, const StateDict& dict) {
  for (std::size_t g = 0; g < dict.groups.size(); ++g) {
    fuzz::check_options(optimizer.rule(g), optimizer.options(g));
    // Its own options are refused where they ask for other states than it has.
    optimizer.set_options(g, Options(optimizer.options(g)));
  }
  if (dict.grad_norm) fuzz::require(*dict.grad_norm >= 0.0 && std::isfinite(*dict.grad_norm));
  constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 62;
  fuzz::require(dict.steps <= kMostSteps);
  for (const auto& [name, entry] : dict.tensors) {
    fuzz::require(entry.step <= kMostSteps);
    for (const auto& [state, its] : entry.states) {
      if (its.format == StateFormat::f64) {
        std::vector<double> values(its.bytes.size() / sizeof(double));
        if (!values.empty()) std::memcpy(values.data(), its.bytes.data(), its.bytes.size());
        for (const double value : values) check_value(state, value);
      } else {
        for (const float value : optimizer.export_state(name, state)) check_value(state, static_cast<double>(value));
      }
    }
  }
}

template <class Element>
struct Buffers {
  explicit Buffers(std::size_t size) : w(size, Element(0.5F)), g(size, Element(0.25F)) {}
  std::vector<Element> w, g;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  Settings settings{.max_norm = 1.0, .threads = 1};
  settings.state = in.one_of(state_formats()).format;
  settings.weights = in.one_of(weight_formats()).format;
  const bool wide = settings.state == StateFormat::f64;
  const bool compact = info(settings.state).compact || info(settings.weights).compact;
  Buffers<bf16> narrow(compact ? kSmallTensor : 130);
  Buffers<float> small(7);
  Buffers<double> exact(9);
  std::vector<ParamGroup> groups;
  if (!wide) groups.push_back({{{"w", narrow.w, narrow.g}, {"small", small.w, small.g}}});
  groups.push_back({{{"exact", exact.w, exact.g, {3, 3}}}, {}, in.one_of(rules()).rule});
  Optimizer optimizer(in.one_of(rules()).rule, std::move(groups), {}, settings);
  optimizer.step();
  const StateDict before = optimizer.state_dict();
  StateDict dict = before;
  // Mostly one change: each that is refused hides the others.
  do {
    change(in, dict);
  } while (in.choice(8) == 0 && !in.empty());
  if (fuzz::accepted([&] { optimizer.load_state_dict(dict); })) {
    const StateDict after = optimizer.state_dict();
    fuzz::require(same(taken(after, before), taken(dict, before)));
    check(optimizer, after);
  } else {
    fuzz::require(same(optimizer.state_dict(), before));
  }
  optimizer.step();
  // What it makes of any dict, it takes.
  optimizer.load_state_dict(optimizer.state_dict());
  return 0;
}
