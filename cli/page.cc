#include "cli/page.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace adamant::cli {

std::size_t write_page(const std::string& path, const report::ReportInput& input) {
  const std::string html = report::report_html(input);
  const bool device = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path);
  const std::string written = device ? path : fmt::format("{}.{}", path, getpid());
  std::ofstream file(written, std::ios::binary);
  file << html;
  file.close();
  std::error_code error;
  if (!file) error.assign(errno, std::generic_category());
  if (!error && !device) std::filesystem::rename(written, path, error);
  if (error) {
    std::error_code left;
    if (!device) std::filesystem::remove(written, left);
    throw std::runtime_error(fmt::format("'{}' cannot be written: {}", path, error.message()));
  }
  return html.size();
}

}  // namespace adamant::cli
