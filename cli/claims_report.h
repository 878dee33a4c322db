// What `adamant claims` found, as a table and as JSON on standard output.
#pragma once

#include <span>

#include "lab/claims/claims.h"
#include "report/report.h"

namespace adamant::cli {

/// "holds if the gradient is far above ε".
[[nodiscard]] std::string verdict_text(const lab::Claim& claim);

/// One row a claim; `figures`: each number of it, too.
void print_claims(std::span<const lab::Claim> claims, bool figures, bool interrupted);
/// The claim with its words, plots and numbers, for the page.
[[nodiscard]] report::Claim report_of(const lab::Claim& claim);
void print_claims_json(std::span<const lab::Claim> claims, bool interrupted);

}  // namespace adamant::cli
