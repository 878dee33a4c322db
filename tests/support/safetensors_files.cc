// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Files for tests/safetensors_reader_test.py: writes some, and says what is in them; reads one, and says likewise.
//
//     safetensors_files write FOLDER | read FILE
#include <adamant/checkpoint.hpp>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace adamant;
using Json = nlohmann::json;

std::string hex(std::span<const std::byte> bytes) {
  std::string digits;
  for (const std::byte byte : bytes) {
    for (const int shift : {4, 0}) digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> shift & 15];
  }
  return digits;
}

Json described(std::string_view type, const std::vector<std::size_t>& shape, std::span<const std::byte> bytes) {
  return {{"dtype", type}, {"shape", shape}, {"hex", hex(bytes)}};
}

/// Planes of a run with every kind of them, from the optimizer's memory.
Json checkpoint(const std::filesystem::path& path, std::uint64_t max_file_bytes) {
  constexpr std::size_t kSize = kSmallTensor + 37;
  std::vector<bf16> w(kSize, bf16(0.5F)), g(kSize);
  std::vector<float> small(6, 1.0F), small_grad(6, 0.25F);
  for (std::size_t i = 0; i < kSize; ++i) g[i] = bf16(static_cast<float>(i % 17) - 8.0F);
  Optimizer optimizer(Rule::adamw, {{"w", w, g}, {"small \u00e9\"", small, small_grad, {2, 3}}}, {}, preset("q8"));
  for (int step = 0; step < 3; ++step) optimizer.step();
  save(optimizer, path, {.params = true, .metadata = {{"note", "\u20ac\n"}}, .max_file_bytes = max_file_bytes});
  const StateDict dict = optimizer.state_dict();
  const auto& its = dict.tensors.at("w");
  const auto& other = dict.tensors.at("small \u00e9\"");
  return {{"w", described("BF16", {kSize}, std::as_bytes(std::span(w)))},
          {"w/low_bits", described("U8", {kSize}, its.weight_bits)},
          {"w/exp_avg", described("U8", {kSize}, its.states.at("exp_avg").bytes)},
          {"w/exp_avg_sq", described("U8", {kSize}, its.states.at("exp_avg_sq").bytes)},
          {"w/exp_avg_sq/exponents",
           described("U8", {its.states.at("exp_avg_sq").exponents.size()}, its.states.at("exp_avg_sq").exponents)},
          {"small \u00e9\"", described("F32", {2, 3}, std::as_bytes(std::span(small)))},
          {"small \u00e9\"/exp_avg", described("F32", {2, 3}, other.states.at("exp_avg").bytes)},
          {"small \u00e9\"/exp_avg_sq", described("F32", {2, 3}, other.states.at("exp_avg_sq").bytes)}};
}

Json types(const std::filesystem::path& path) {
  std::vector<std::byte> bytes(64);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(37 * i);
  std::vector<SafetensorsTensor> tensors = {{"empty", "F32", {4, 0}, {}},
                                            {"scalar", "F64", {}, std::span(bytes).first(8)}};
  for (const SafetensorsType& type : safetensors_types()) {
    tensors.push_back({"t/" + std::string(type.name), type.name, {2, 4}, std::span(bytes).first(type.bits)});
  }
  save_safetensors(path, tensors, {{"k", "v"}});
  Json all;
  for (const auto& tensor : tensors) all[tensor.name] = described(tensor.type, tensor.shape, tensor.bytes);
  return all;
}

Json read(const std::filesystem::path& path) {
  SafetensorsFile file(path);
  Json all = {{"metadata", file.metadata()}, {"tensors", Json::object()}};
  for (const SafetensorsEntry& entry : file.entries()) {
    std::vector<std::byte> bytes(entry.bytes);
    file.read(entry, 0, bytes);
    all["tensors"][entry.name] = described(entry.type.name, entry.shape, bytes);
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const std::filesystem::path path = argv[2];
  const Json said = std::string_view(argv[1]) == "read"
                        ? read(path)
                        : Json{{"one", checkpoint(path / "one.safetensors", 0)},
                               {"several", checkpoint(path / "several.safetensors", 3000)},
                               {"types", types(path / "types.safetensors")}};
  std::printf("%s\n", said.dump().c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
