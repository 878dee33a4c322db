// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "kernel/pipeline.h"

#include <algorithm>

namespace adamant {
namespace {

void step_block(const StepRun& run, const GradientRun& grad, BlockScratch& scratch) {
  const BlockStreams block = load_block(run.streams, grad, scratch);
  f32_kernels().step[index_of(run.streams.variant)](*run.scalars, run.factor, run.bound, block.param, block.grad,
                                                    block.states, grad.n);
  store_block(run, grad, scratch);
}

// Where the arithmetic's type is that of every stream: a loop that takes them as they are in memory, to the end.
StepKernel direct_kernel(const Streams& streams, Format grad_format) {
  const std::size_t variant = index_of(streams.variant);
  if (streams.param_format == Format::f64) return f64_kernels().step[variant];
  const bool f32_states = states_in_place(streams) || info(streams.variant).state_count == 0;
  if (!param_in_place(streams) || grad_format != Format::f32 || !f32_states) return nullptr;
  return f32_kernels().step[variant];
}

// The loop that takes narrow streams as they are, where there is one. Without states, the quickest of those that differ
// in their format only.
FusedKernel fused_kernel(const Streams& streams) {
  const bool stateless = info(streams.variant).state_count == 0;
  const StateFormat quickest = streams.param_format == Format::f32 ? StateFormat::f32 : StateFormat::b16;
  return fused_kernels().step[index_of(streams.variant)][index_of(streams.param_format)]
                             [index_of(streams.weight_format)][index_of(stateless ? quickest : streams.state_format)];
}

// The loop that takes whole groups of Q8 states, where there is one.
GroupKernel group_kernel(const Streams& streams, Format grad_format) {
  if (streams.state_format != StateFormat::q8) return nullptr;
  if (streams.weight_format == WeightFormat::plain && streams.param_format != Format::f32) return nullptr;
  return group_kernels().step[index_of(streams.variant)][index_of(streams.weight_format)][index_of(grad_format)];
}

// `loop(rest)` says how many elements it stepped. Where it stops, `few` of them, or those that are left, go through
// the pipeline.
template <class Loop>
void step_around(const StepRun& run, const GradientRun& grad, std::size_t few, const Loop& loop) {
  BlockScratch scratch;
  for (std::size_t done = 0; done < grad.n;) {
    done += loop(part_of(grad, done, grad.n - done));
    const std::size_t left = std::min(few, grad.n - done);
    if (left > 0) step_block(run, part_of(grad, done, left), scratch);
    done += left;
  }
}

}  // namespace

BlockStreams load_block(const Streams& streams, const GradientRun& grad, BlockScratch& scratch) {
  BlockStreams block{scratch.param, grad.values, {}};
  const bool wide = streams.param_format == Format::f64;
  if (wide || param_in_place(streams)) {
    block.param = param_at(streams, grad.first);
  } else {
    decode_param(streams, grad.first, grad.n, scratch.param);
  }
  if (!wide && grad.format != Format::f32) {
    format_kernels().decode[index_of(grad.format)](grad.values, grad.n, scratch.grad);
    block.grad = scratch.grad;
  }
  const bool states_in_memory = wide || states_in_place(streams);
  if (!states_in_memory) decode_states(streams, grad.first, grad.n, scratch.states);
  for (std::size_t s = 0; s < info(streams.variant).state_count; ++s) {
    block.states[s] = states_in_memory ? state_at(streams, s, grad.first) : scratch.states[s];
  }
  return block;
}

void store_block(const StepRun& run, const GradientRun& grad, BlockScratch& scratch) {
  const Streams& streams = run.streams;
  if (streams.param_format == Format::f64) return;
  if (!param_in_place(streams)) encode_param(streams, grad.first, grad.n, run.roundings, scratch.param);
  if (!states_in_place(streams)) encode_states(streams, grad.first, grad.n, run.roundings, scratch.states);
}

void prepare_scalars(Variant variant, Format param_format, const Options& options, std::uint64_t t,
                     StepScalars& scalars) {
  const RuleFunctions& rules = param_format == Format::f64 ? f64_rules() : f32_rules();
  rules.prepare[index_of(variant)](options, t, scalars);
}

void step_elements(const StepRun& run, const GradientRun& grad) {
  const Streams& streams = run.streams;
  if (const StepKernel kernel = direct_kernel(streams, grad.format)) {
    void* states[kMaxStates];
    for (std::size_t s = 0; s < info(streams.variant).state_count; ++s) {
      states[s] = state_at(streams, s, grad.first);
    }
    kernel(*run.scalars, run.factor, run.bound, param_at(streams, grad.first), grad.values, states, grad.n);
    return;
  }
  if (const FusedKernel kernel = fused_kernel(streams)) {
    return step_around(run, grad, kTurn, [&](const GradientRun& rest) {
      TurnStreams turns = turns_at(streams, rest.first, run.roundings);
      turns.grad = rest.values;
      turns.grad_format = rest.format;
      return kernel(*run.scalars, run.factor, run.bound, turns, rest.n);
    });
  }
  if (const GroupKernel kernel = group_kernel(streams, grad.format)) {
    return step_around(run, grad, kGroup, [&](const GradientRun& rest) {
      GroupStreams groups = groups_at(streams, rest.first, run.roundings);
      groups.grad = rest.values;
      return kernel(*run.scalars, run.factor, run.bound, groups, rest.n);
    });
  }
  step_around(run, grad, kBlock, [](const GradientRun&) { return std::size_t{0}; });
}

}  // namespace adamant
