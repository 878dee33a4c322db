// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The parts of the page, as they are in the folder page/, embedded by the assembler.
#pragma once

#include <string_view>

namespace adamant::report {

[[nodiscard]] std::string_view page_html();
[[nodiscard]] std::string_view page_css();
[[nodiscard]] std::string_view page_js();
[[nodiscard]] std::string_view d3_js();
[[nodiscard]] std::string_view d3_licence();

}  // namespace adamant::report
