#include "kernel/pipeline.h"

#include <algorithm>

namespace adamant {
namespace {

std::byte* at(void* base, Format format, std::size_t element) {
  return static_cast<std::byte*>(base) + element * info(format).bytes;
}
const std::byte* at(const void* base, Format format, std::size_t element) {
  return static_cast<const std::byte*>(base) + element * info(format).bytes;
}

// Blocks of f32 for the streams that are not f32 in memory.
struct Scratch {
  alignas(64) float param[kBlock];
  alignas(64) float grad[kBlock];
  alignas(64) float states[kMaxStates][kBlock];
};

void step_block(const StepRun& run, std::size_t first, std::size_t n, Scratch& scratch) {
  const FormatKernels& formats = format_kernels();
  const std::size_t state_count = info(run.variant).state_count;
  const bool narrow_param = run.param_format != Format::f32;
  const bool narrow_grad = run.grad_format != Format::f32;
  const bool narrow_states = run.state_format != Format::f32;

  void* const stored_param = at(run.param, run.param_format, first);
  void* param = stored_param;
  const void* grad = at(run.grad, run.grad_format, first);
  void* stored_states[kMaxStates];
  void* states[kMaxStates];
  if (narrow_param) {
    formats.decode[index_of(run.param_format)](stored_param, n, scratch.param);
    param = scratch.param;
  }
  if (narrow_grad) {
    formats.decode[index_of(run.grad_format)](grad, n, scratch.grad);
    grad = scratch.grad;
  }
  for (std::size_t s = 0; s < state_count; ++s) {
    stored_states[s] = states[s] = at(run.states[s], run.state_format, first);
    if (narrow_states) {
      formats.decode[index_of(run.state_format)](stored_states[s], n, scratch.states[s]);
      states[s] = scratch.states[s];
    }
  }

  f32_kernels().step[index_of(run.variant)](*run.scalars, run.factor, run.bound, param, grad, states, n);

  if (narrow_param) formats.encode[index_of(run.param_format)](scratch.param, n, stored_param);
  if (narrow_states) {
    for (std::size_t s = 0; s < state_count; ++s) {
      formats.encode[index_of(run.state_format)](scratch.states[s], n, stored_states[s]);
    }
  }
}

// The loop that takes every stream as it is in memory, where there is one.
StepKernel direct_kernel(const StepRun& run) {
  const std::size_t variant = index_of(run.variant);
  if (run.param_format == Format::f64) return f64_kernels().step[variant];
  const bool plain_states = run.state_format == Format::f32 || info(run.variant).state_count == 0;
  if (run.param_format == Format::f32 && run.grad_format == Format::f32 && plain_states) {
    return f32_kernels().step[variant];
  }
  return fused_kernels()
      .step[variant][index_of(run.param_format)][index_of(run.grad_format)][index_of(run.state_format)];
}

}  // namespace

void prepare_scalars(Variant variant, Format param_format, const Options& options, std::uint64_t t,
                     StepScalars& scalars) {
  const RuleKernels& kernels = param_format == Format::f64 ? f64_kernels() : f32_kernels();
  kernels.prepare[index_of(variant)](options, t, scalars);
}

void step_elements(const StepRun& run, std::size_t first, std::size_t n) {
  if (const StepKernel kernel = direct_kernel(run)) {
    void* states[kMaxStates];
    for (std::size_t s = 0; s < info(run.variant).state_count; ++s) {
      states[s] = at(run.states[s], run.state_format, first);
    }
    kernel(*run.scalars, run.factor, run.bound, at(run.param, run.param_format, first),
           at(run.grad, run.grad_format, first), states, n);
    return;
  }
  Scratch scratch;
  for (std::size_t end = first + n; first < end; first += kBlock) {
    step_block(run, first, std::min(kBlock, end - first), scratch);
  }
}

}  // namespace adamant
