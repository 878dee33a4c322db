// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The experiments, one function for each claim; the list of them is in claims.cc.
#pragma once

#include "lab/claims/claims.h"

namespace adamant::lab {

// What m is for: direction.cc.
Claim claim_noise(const Setup& setup);
Claim claim_inertia(const Setup& setup);
Claim claim_oscillation(const Setup& setup);
// What v is for: scale.cc, landscapes.cc, sparse.cc.
Claim claim_mean_square(const Setup& setup);
Claim claim_rescaling(const Setup& setup);
Claim claim_badly_scaled(const Setup& setup);
Claim claim_sparse(const Setup& setup);
// What stands around them: corrections.cc.
Claim claim_bias_correction(const Setup& setup);
Claim claim_epsilon(const Setup& setup);
// Weight decay: decay.cc, generalise.cc.
Claim claim_decoupled(const Setup& setup);
Claim claim_generalise(const Setup& setup);
Claim claim_generalise_better(const Setup& setup);
Claim claim_separable(const Setup& setup);
// family.cc
Claim claim_family(const Setup& setup);
// All of it on a transformer: transformers.cc
Claim claim_transformers(const Setup& setup);
Claim claim_signs(const Setup& setup);

}  // namespace adamant::lab
