// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How libFuzzer changes a run log. Most changes of bytes are refused by the JSON parser or as an unknown field; these
// ones change lines, and values within a line, so that what is behind the parser sees them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Json = nlohmann::ordered_json;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string changed(std::string_view log) {
    std::vector<std::string> lines;
    while (!log.empty()) {
      const std::size_t length = std::min(log.find('\n'), log.size());
      lines.emplace_back(log.substr(0, length));
      log.remove_prefix(std::min(length + 1, log.size()));
    }
    do {
      if (!lines.empty()) change(lines);
    } while (one_in(3));
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  std::size_t below(std::size_t count) { return random_() % count; }
  template <class List>
  auto& one_of(List& list) {
    return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(below(std::size(list))));
  }

  void change(std::vector<std::string>& lines) {
    const std::size_t place = below(lines.size());
    switch (below(16)) {
      case 0:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(place));
        break;
      case 1: {
        const std::string line = one_of(lines);
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(place), line);
        break;
      }
      case 2:
        std::swap(lines[place], one_of(lines));
        break;
      default:
        Json line = Json::parse(lines[place], nullptr, false);
        Json other = Json::parse(one_of(lines), nullptr, false);
        if (!line.is_object()) return;
        change(line, Json(*some(other).second));
        lines[place] = line.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }

  // A value within `json` and what it is in. Each field has the same chance, however much there is in it.
  std::pair<Json*, Json*> some(Json& json) {
    Json *parent = nullptr, *value = &json;
    while (value->is_structured() && !value->empty() && (value == &json || !one_in(6))) {
      parent = value;
      value = &one_of(*parent);
    }
    return {parent, value};
  }

  void change(Json& line, const Json& other) {
    const auto [parent, value] = some(line);
    if (parent == nullptr) return;
    if (parent->contains("shape") && one_in(2)) return change_shape(*parent);
    switch (below(8)) {
      case 0:
        erase(*parent, *value);
        break;
      case 1:
        if (parent->is_array() && one_in(2)) {
          const auto place = parent->begin() + static_cast<std::ptrdiff_t>(below(parent->size() + 1));
          parent->insert(place, one_in(3) ? 64 : 1, Json(*value));
        } else {
          std::swap(*value, one_of(*parent));
        }
        break;
      case 2:
        *value = other;
        break;
      case 3:
        *value = of_another_kind();
        break;
      default:
        change_value(*value);
    }
  }

  // With the size that goes with it, as a product that may overflow.
  void change_shape(Json& tensor) {
    constexpr std::uint64_t kSides[] = {0, 1, 2, 3, 8, std::uint64_t{1} << 32, std::uint64_t{1} << 53};
    Json shape = Json::array();
    std::uint64_t size = 1;
    for (std::size_t left = below(4); left > 0; --left) {
      const std::uint64_t side = one_of(kSides);
      shape.push_back(side);
      size *= side;
    }
    tensor["shape"] = shape;
    tensor["size"] = size;
  }

  static void erase(Json& parent, const Json& value) {
    for (auto at = parent.begin(); at != parent.end(); ++at) {
      if (&*at != &value) continue;
      parent.erase(at);
      return;
    }
  }

  Json of_another_kind() {
    static const Json kKinds = {nullptr, true, 1, -1, 0.5, "", "text", Json::array(), Json::object(), {0}, {{"a", 0}}};
    return one_of(kKinds);
  }

  void change_value(Json& value) {
    if (value.is_number()) {
      value = number(value);
    } else if (value.is_boolean()) {
      value = !value.get<bool>();
    } else if (value.is_string()) {
      value = packed(value.get<std::string>());
    } else if (value.is_structured() && !value.empty()) {
      erase(value, one_of(value));
    } else {
      value = 0.0;
    }
  }

  // Where ranges end: those of integers, of f32 and f64, of what stands in the same log.
  Json number(const Json& value) {
    static const Json kEdges = {0,
                                1,
                                2,
                                3,
                                63,
                                64,
                                -1,
                                std::uint64_t{1} << 32,
                                (std::uint64_t{1} << 32) - 1,
                                std::uint64_t{1} << 53,
                                (std::uint64_t{1} << 53) + 1,
                                ~std::uint64_t{0},
                                INT64_MIN,
                                -0.0,
                                0.5,
                                1.0,
                                1e-46,
                                1e39,
                                -1e-300,
                                1.7976931348623157e308};
    if (!value.is_number_integer() || one_in(2)) return one_of(kEdges);
    const auto old = value.get<std::uint64_t>();
    return one_in(2) ? old + 1 : old - 1;
  }

  // Four characters of base64 are a number: 0, the least, 1, -1, 2, the greatest, infinity, NaN, and none.
  std::string packed(std::string text) {
    static constexpr std::array<const char*, 9> kNumbers = {"AAAA", "AAAB", "P4AA", "v4AA", "QAAA",
                                                            "f3//", "f4AA", "f8AA", "=A-A"};
    const std::size_t place = below(text.size() / 4 + 1) * 4, length = one_in(4) ? 1 : 4;
    switch (below(4)) {
      case 0:
        return text.erase(place, length);
      case 1:
        return text.insert(place, one_of(kNumbers), length);
      default:
        return text.replace(place, 4, one_of(kNumbers));
    }
  }

  std::minstd_rand random_;
};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  Mutator mutator(seed);
  if (mutator.one_in(8)) return LLVMFuzzerMutate(data, size, max_size);
  const std::string log = mutator.changed({reinterpret_cast<const char*>(data), size});
  if (log.empty() || log.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::ranges::copy(log, data);
  return log.size();
}
