// Writes the HTML page of a command.
#pragma once

#include <cstddef>
#include <string>

#include "report/report.h"

namespace adamant::cli {

/// Returns the bytes of the page. A page that was there is replaced when the new one is complete. Throws what
/// report_html throws, and std::runtime_error naming a path that cannot be written.
std::size_t write_page(const std::string& path, const report::ReportInput& input);

}  // namespace adamant::cli
