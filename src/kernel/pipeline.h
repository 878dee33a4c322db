// The block pipeline: decode every stream to f32, step, encode every stream back.
#pragma once

#include <cstddef>

#include "kernel/kernels.h"

namespace adamant {

/// A run of elements of one tensor with everything a step needs to know of them.
struct StepRun {
  Variant variant;
  Format param_format, grad_format, state_format;
  void* param;
  const void* grad;
  void* states[kMaxStates];
  const StepScalars* scalars;
  double factor, bound;
};

/// Computes the scalars of a step in the arithmetic of that parameter format.
void prepare_scalars(Variant variant, Format param_format, const Options& options, std::uint64_t t,
                     StepScalars& scalars);

/// Steps elements [first, first + n) of the run. first is a multiple of kBlock.
void step_elements(const StepRun& run, std::size_t first, std::size_t n);

}  // namespace adamant
