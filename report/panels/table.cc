// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// How is each tensor doing?
#include <fmt/format.h>

#include <utility>

#include "report/panels/panel.h"
#include "report/panels/tensors.h"
#include "report/words.h"

namespace adamant::report {
namespace {

constexpr int kDigits = 4;

std::string answer_of(const Run& run, double decrease) {
  std::uint64_t parameters = 0;
  for (const auto& tensor : run.info.tensors) parameters += tensor.size;
  std::string answer = fmt::format("{} with {} parameters.", count(run.info.tensors.size(), "tensor"), parameters);
  const Found earned = highest(run, [](const auto& record) { return std::pair{record.decrease, record.step}; });
  if (earned.record != nullptr && decrease > 0.0) {
    answer += fmt::format(" {} earned most of the predicted decrease of the loss: {}.", name_of(run, earned),
                          percent(earned.value / decrease));
  }
  if (run.tensors.size() < run.info.tensors.size()) {
    answer += fmt::format(" The {} largest are shown.", run.tensors.size());
  }
  return answer;
}

}  // namespace

Panel table_panel(const Run& run) {
  double decrease = 0.0;
  for (const TensorRecord& record : run.tensors) decrease += record.decrease;
  Json rows = Json::array();
  for (const TensorRecord& record : run.tensors) {
    const RunInfo::Tensor& tensor = run.of(record);
    Json values = Json::array();
    for (const Summary& summary : record.statistics) values.push(Json::rounded(summary.recent, kDigits));
    rows.push(Json::object({{"name", tensor.name},
                            {"shape", tensor.shape},
                            {"size", tensor.size},
                            {"group", tensor.group},
                            {"rule", info(run.group(record).rule).title},
                            {"values", values},
                            {"earned", decrease > 0.0 ? Json::rounded(record.decrease / decrease, kDigits) : Json()}}));
  }
  return Panel(run.tensors.size() < run.info.tensors.size() ? "largest" : "all", answer_of(run, decrease))
      .set("rows", rows);
}

}  // namespace adamant::report
