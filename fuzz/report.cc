// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The report of a run log of any bytes: a page whose data is JSON that ends no script, or an Error.
#include "report/report.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fuzz/file.h"
#include "fuzz/input.h"

namespace {

std::string_view data_of(std::string_view page) {
  constexpr std::string_view kBegin = R"(id="data">)", kEnd = "</script>";
  page.remove_prefix(page.find(kBegin) + kBegin.size());
  return page.substr(0, page.find(kEnd));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamant;
  const fuzz::File file(data, size);
  const bool whole = fuzz::accepted([&] {
    const std::string page = report::report_html({.runs = {file.path()}});
    fuzz::require(page.ends_with("</html>\n"));
    const std::string_view values = data_of(page);
    fuzz::require(nlohmann::json::accept(values) && values.find('<') == std::string_view::npos);
  });
  return whole ? fuzz::kKeep : fuzz::kLeave;
}
