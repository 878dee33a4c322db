// Writes a whole file.
#pragma once

#include <string>
#include <string_view>

namespace adamant::cli {

/// A file that was there is replaced when the new one is complete. Throws std::runtime_error naming a path that cannot
/// be written.
void replace_file(const std::string& path, std::string_view text);

}  // namespace adamant::cli
