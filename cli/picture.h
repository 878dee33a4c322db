// A plot as SVG, for documents: small, and legible on a light and on a dark page.
#pragma once

#include <string>

#include "lab/claims/claims.h"

namespace adamant::cli {

[[nodiscard]] std::string svg(const lab::Plot& plot);

}  // namespace adamant::cli
