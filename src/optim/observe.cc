// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/observe.h"

#include <adamant/error.hpp>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/tree_sum.h"
#include "kernel/convert.h"
#include "optim/plan.h"
#include "optim/probes.h"

namespace adamant {
namespace {

// How many blocks the sums take in a step, unless told otherwise: one takes as long as two or three that are not
// observed. Two at least; of a tensor of some size one in 32; of a large one about 64, for they are enough.
constexpr std::size_t default_every(std::size_t blocks) {
  return std::max({std::size_t{1}, std::min<std::size_t>(32, blocks / 2), blocks / 64});
}
// Of a block, the sample takes one element in so many, or more.
constexpr std::size_t kMostStride = 8;

// log2 of a positive normal number from + - × ÷ only: libm's differs between systems. Off by less than 1e-9.
constexpr double log2_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  auto mantissa = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    ++exponent;
  }
  const double z = (mantissa - 1.0) / (mantissa + 1.0);
  double sum = 0.0;
  for (int odd = 11; odd > 0; odd -= 2) sum = sum * z * z + 1.0 / odd;
  return exponent + 2.8853900817779268 * z * sum;
}

// log2 of the middles of the 128 intervals between 1 and 2.
constexpr std::array<double, 128> kLog2 = [] {
  std::array<double, 128> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = log2_of(1.0 + (static_cast<double>(i) + 0.5) / 128.0);
  return table;
}();

// log2 of a positive f32, off by less than 0.0057.
double rough_log2(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (bits < 0x00800000u) return log2_of(static_cast<double>(x));
  return static_cast<int>(bits >> 23) - 127 + kLog2[bits >> 16 & 0x7Fu];
}

// Of a number of few digits; without SSE4 std::floor is a call.
int floor_of(double x) {
  const int whole = static_cast<int>(x);
  return whole - (static_cast<double>(whole) > x ? 1 : 0);
}

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

const ObserveKernels& observers(const Streams& streams) {
  return streams.param_format == Format::f64 ? f64_observers() : f32_observers();
}

// A number of a block in the type of the arithmetic.
float number_at(const Streams& streams, const void* block, std::size_t i) {
  return streams.param_format == Format::f64 ? static_cast<float>(static_cast<const double*>(block)[i])
                                             : static_cast<const float*>(block)[i];
}

const RuleFunctions& rules(const Streams& streams) {
  return streams.param_format == Format::f64 ? f64_rules() : f32_rules();
}

// Of rows, which it overwrites.
Sums total(std::span<Sums> rows) { return tree_join(rows.data(), rows.size(), joined); }

}  // namespace

Observer::Observer(Statistics& statistics, bool append, std::span<const TensorState> tensors, std::size_t first_tensor,
                   std::size_t runs, std::size_t pieces)
    : statistics_(statistics), append_(append), first_tensor_(first_tensor), visits_(runs + pieces) {
  rows_.reserve(visits_.size());
  shares_.reserve(tensors.size());
  std::vector<TensorStatistics>& list = statistics.tensors;
  const std::size_t kept = append ? list.size() : 0;
  if (list.capacity() - kept < tensors.size()) list.reserve(std::max(kept + tensors.size(), 2 * list.capacity()));
  for (const TensorState& tensor : tensors) {
    const std::size_t size = tensor.param.size;
    const std::size_t seen = tensor.grad.lazy_rows ? tensor.grad.values.size : size;
    const std::size_t blocks = std::max<std::size_t>(1, seen / kBlock);
    Share& share = shares_.emplace_back();
    share.every = statistics.observe_every > 0 ? statistics.observe_every : default_every(blocks);
    share.sample_every = std::min<std::size_t>(statistics.sample_every, blocks);
    share.sample_stride = std::clamp<std::size_t>(
        share.sample_every == 0 ? 1 : statistics.sample_every / share.sample_every, 1, kMostStride);
    share.probes.reserve(std::min<std::size_t>(size, statistics.probes));
    for_each_probe(size, statistics.probes, [&](std::size_t element) { share.probes.push_back({.element = element}); });
  }
}

// In step t it is the turn of blocks by the fraction of t times the golden ratio: steps that are evenly spaced meet all
// turns in the long run, and mostly soon; by t itself those ten apart would meet few.
Observer::Turn::Turn(std::uint64_t t, std::size_t one_in, std::size_t shift, std::size_t parts) : every(one_in) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;  // 2^64 divided by it
  const std::uint64_t turned = (t * kGolden >> 32) * every;
  late = shift + static_cast<std::size_t>(turned >> 32);
  // What is left of the fraction: so each block meets all of its parts, too.
  part = static_cast<std::size_t>((turned & 0xFFFFFFFFu) * parts >> 32);
}

std::size_t Observer::Turn::next(std::size_t block) const {
  if (every <= 1) return every == 0 ? kNever : block;
  const std::size_t behind = (block + late) % every;
  return behind == 0 ? block : block + every - behind;
}

void Observer::step(const StepRun& run, const GradientRun& grad, std::size_t tensor, std::size_t run_index,
                    std::size_t piece) {
  Visit& visit = visits_[run_index + piece];
  visit.tensor = tensor;
  Share& share = shares_[tensor];
  const Turn counted(run.t, share.every, 0);
  // Where there are many tensors, not the same part of each.
  const std::size_t stride = share.sample_stride;
  const Turn sampled(run.t, share.sample_every, first_tensor_ + tensor, stride);
  look_at_probes(run, grad, share.probes);
  std::array<Sums, kPieceBlocks> rows;
  std::size_t counted_blocks = 0;
  std::size_t stepped = 0;  // elements
  const auto step_until = [&](std::size_t end) {
    if (stepped < end) step_elements(run, part_of(grad, stepped, end - stepped));
  };
  const std::size_t begin = grad.first / kBlock;
  for (std::size_t block = begin;; ++block) {
    const std::size_t to_count = counted.next(block), to_sample = sampled.next(block);
    block = std::min(to_count, to_sample);
    if (block == kNever || (block - begin) * kBlock >= grad.n) break;
    const std::size_t at = (block - begin) * kBlock;
    const GradientRun seen = part_of(grad, at, std::min(kBlock, grad.n - at));
    step_until(at);
    std::optional<Spread> spread;
    if (to_sample == block) spread = {sampled.part % std::min(stride, seen.n), stride};
    observe(run, seen, visit, to_count == block ? rows[counted_blocks++].data() : nullptr, spread);
    stepped = at + seen.n;
  }
  step_until(grad.n);
  visit.sums = total(std::span(rows).first(counted_blocks));
}

void Observer::look_at_probes(const StepRun& run, const GradientRun& grad, std::span<Probe> probes) {
  const std::size_t variant = index_of(run.streams.variant);
  const std::size_t group = info(run.streams.state_format).group;
  const std::size_t states_of_form = info(run.streams.variant).state_count;
  const auto first = std::ranges::lower_bound(probes, grad.first, {}, &Probe::element);
  const auto end = std::ranges::lower_bound(first, probes.end(), grad.first + grad.n, {}, &Probe::element);
  // They are far from each other: asked for at once, they come at once.
  for (auto probe = first; probe != end; ++probe) {
    __builtin_prefetch(part_of(grad, probe->element - grad.first, 1).values);
    __builtin_prefetch(param_at(run.streams, probe->element));
    for (std::size_t s = 0; s < states_of_form; ++s) __builtin_prefetch(state_at(run.streams, s, probe->element));
  }
  for (auto probe = first; probe != end; ++probe) {
    // It, and what its group has before it.
    const std::size_t i = (probe->element - grad.first) % group;
    BlockScratch scratch;
    const BlockStreams around = load_block(run.streams, part_of(grad, probe->element - grad.first - i, i + 1), scratch);
    const auto element = [&](const void* of) {
      return static_cast<const std::byte*>(of) +
             i * (run.streams.param_format == Format::f64 ? sizeof(double) : sizeof(float));
    };
    const void* states[kMaxStates];
    for (std::size_t s = 0; s < states_of_form; ++s) states[s] = element(around.states[s]);
    const SeenElement seen = rules(run.streams)
                                 .see[variant](*run.scalars, run.factor, run.bound, element(around.param),
                                               element(around.grad), states, info(run.streams.variant).second_moment);
    probe->g = static_cast<float>(seen.g);
    probe->m = static_cast<float>(seen.m);
    probe->v = static_cast<float>(seen.v);
    probe->u = static_cast<float>(seen.u);
    probe->w = number_at(run.streams, around.param, i);
  }
}

void Observer::observe(const StepRun& run, const GradientRun& grad, Visit& visit, double* sums,
                       const std::optional<Spread>& sampled) {
  BlockScratch scratch;
  const std::size_t variant = index_of(run.streams.variant);
  const BlockStreams block = load_block(run.streams, grad, scratch);
  if (sums != nullptr) {
    observers(run.streams)
        .observe[variant](*run.scalars, run.factor, run.bound, block.param, block.grad, block.states, grad.n, sums);
    visit.elements += grad.n;
  } else {
    const RuleKernels& kernels = run.streams.param_format == Format::f64 ? f64_kernels() : f32_kernels();
    kernels.step[variant](*run.scalars, run.factor, run.bound, block.param, block.grad, block.states, grad.n);
  }
  if (sampled) sample(run, grad, block, *sampled, visit.scales);
  store_block(run, grad, scratch);
}

void Observer::sample(const StepRun& run, const GradientRun& grad, const BlockStreams& block, const Spread& elements,
                      ScaleSample& scales) const {
  const auto [first, stride] = elements;
  scales.elements += (grad.n - first + stride - 1) / stride;
  for (std::size_t i = first; i < grad.n; i += stride)
    scales.zero_grads += number_at(run.streams, block.grad, i) == 0.0F ? 1u : 0u;
  const VariantInfo& form = info(run.streams.variant);
  if (form.second_moment < 0) return;
  const auto second = static_cast<std::size_t>(form.second_moment);
  // How many halves of the logarithm of the state make that of the scale.
  const double halves = form.state_infos[second].measures == Measures::squares ? 1.0 : 2.0;
  const double unbias = log2_of(rules(run.streams).unbias_second[index_of(run.streams.variant)](*run.scalars));
  for (std::size_t i = first; i < grad.n; i += stride) {
    const float v = number_at(run.streams, block.states[second], i);
    if (!(v > 0.0F) || std::isinf(v)) {
      scales.bins[0] += v == 0.0F ? 1 : 0;
      continue;
    }
    const double log = 0.5 * (halves * rough_log2(v) + unbias);
    ++scales.scaled;
    scales.log_sum += log;
    scales.log_sq_sum += log * log;
    const int octave = floor_of(log) + 54;
    ++scales.bins[static_cast<std::size_t>(std::clamp(octave, 1, static_cast<int>(ScaleSample::kBins) - 1))];
  }
}

void Observer::collect(std::span<const StepRun> steps) {
  if (!append_) statistics_.tensors.clear();
  // Visits are in the order of the tensors.
  auto visit = visits_.begin();
  for (std::size_t t = 0; t < steps.size(); ++t) {
    if (steps[t].scalars == nullptr) continue;
    TensorStatistics& seen = statistics_.tensors.emplace_back();
    seen.tensor = first_tensor_ + t;
    seen.step = steps[t].t;
    rows_.clear();
    for (; visit != visits_.end() && visit->tensor.value_or(t) == t; ++visit) {
      if (visit->elements > 0) rows_.push_back(visit->sums);
      seen.elements += visit->elements;
      seen.scales += visit->scales;
    }
    seen.sums = std::bit_cast<MomentSums>(total(rows_));
    seen.probes = std::move(shares_[t].probes);
  }
}

}  // namespace adamant
