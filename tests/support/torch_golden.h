// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What PyTorch computed, as tools/make_torch_golden wrote it down.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>

namespace adamant::testing {

inline const nlohmann::json& torch_golden() {
  static const nlohmann::json kGolden = nlohmann::json::parse(std::ifstream(ADAMANT_TEST_DATA "/torch_golden.json"));
  return kGolden;
}

}  // namespace adamant::testing
