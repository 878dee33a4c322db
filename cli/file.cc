#include "cli/file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace adamant::cli {

void replace_file(const std::string& path, std::string_view text) {
  const bool device = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path);
  const std::string written = device ? path : fmt::format("{}.{}", path, getpid());
  std::ofstream file(written, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (!file) error.assign(errno, std::generic_category());
  if (!error && !device) std::filesystem::rename(written, path, error);
  if (error) {
    std::error_code left;
    if (!device) std::filesystem::remove(written, left);
    throw std::runtime_error(fmt::format("'{}' cannot be written: {}", path, error.message()));
  }
}

}  // namespace adamant::cli
