// The block pipeline: decode every stream to f32, step, encode every stream back.
#pragma once

#include <cstddef>

#include "kernel/streams.h"

namespace adamant {

/// A tensor with everything a step needs to know of it.
struct StepRun {
  Streams streams;
  std::uint64_t t;
  const StepScalars* scalars;
  double factor, bound;
};

/// Some of its gradient: of elements [first, first + n). `first` starts a group where the states have groups.
struct GradientRun {
  const void* values;
  Format format;
  std::size_t first;
  std::size_t n;
};

/// Computes the scalars of a step in the arithmetic of that parameter format.
void prepare_scalars(Variant variant, Format param_format, const Options& options, std::uint64_t t,
                     StepScalars& scalars);

void step_elements(const StepRun& run, const GradientRun& grad);

}  // namespace adamant
