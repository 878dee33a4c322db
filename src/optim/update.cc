// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/update.h"

#include <cmath>
#include <forward_list>
#include <limits>
#include <optional>

#include "kernel/convert.h"
#include "kernel/pipeline.h"
#include "optim/observe.h"
#include "optim/storage.h"

namespace adamant {
namespace {

/// The scalars of each (group, t, arithmetic) that occurs, computed once.
class ScalarTable {
 public:
  const StepScalars& get(std::size_t group, const GroupState& state, Format param_format, std::uint64_t t) {
    const bool wide = param_format == Format::f64;
    // Tensors of a group mostly have the same t, so the newest entry is nearly always the one.
    for (const Entry& entry : entries_) {
      if (entry.group == group && entry.t == t && entry.wide == wide) return entry.scalars;
    }
    Entry& entry = entries_.emplace_front(Entry{group, t, wide, {}});
    prepare_scalars(state.variant, param_format, state.options, t, entry.scalars);
    return entry.scalars;
  }

 private:
  struct Entry {
    std::size_t group;
    std::uint64_t t;
    bool wide;
    StepScalars scalars;
  };
  std::forward_list<Entry> entries_;  // references stay valid
};

/// Calls step(gradient) with a copy in f32 whose elements are multiplied in f64 and rounded once.
template <class Step>
[[gnu::noinline]] void with_multiplied(const GradientRun& grad, double by, const Step& step) {
  float copy[kPieceBlocks * kBlock];
  double values[kBlock];
  for (std::size_t done = 0; done < grad.n; done += kBlock) {
    const GradientRun part = part_of(grad, done, std::min(kBlock, grad.n - done));
    to_f64(part.values, part.format, part.n, values);
    for (std::size_t i = 0; i < part.n; ++i) copy[done + i] = static_cast<float>(values[i] * by);
  }
  step(GradientRun{copy, Format::f32, grad.first, grad.n});
}

/// What f32 gradients are multiplied by beforehand: as an f32 so small a factor would lose bits, or all, though a huge
/// gradient times it may be any number.
double multiple_before(double multiple) {
  const double size = std::abs(multiple);
  return size < static_cast<double>(std::numeric_limits<float>::min()) ? size : 1.0;
}

std::vector<StepRun> prepared_steps(const Update& what, ScalarTable& scalars) {
  std::vector<StepRun> steps(what.tensors.size());
  for (std::size_t i = 0; i < what.tensors.size(); ++i) {
    const TensorState& tensor = what.tensors[i];
    if (!tensor.grad.present()) continue;
    const GroupState& group = what.groups[tensor.group];
    const bool wide = is_wide(tensor);
    const double multiple = !wide && multiple_before(what.multiple) != 1.0 ? 1.0 : what.multiple;
    const double factor = *group.options.maximize ? -multiple : multiple;
    double bound = wide ? 0x1p511 : 0x1p63;
    if (what.settings->clip_value) bound = std::min(bound, *what.settings->clip_value);
    const Streams streams = streams_of(tensor, group.variant);
    steps[i] = {streams,
                tensor.step + 1,
                dithers_of(streams, tensor.step + 1),
                &scalars.get(tensor.group, group, tensor.param.format, tensor.step + 1),
                wide ? factor : static_cast<double>(static_cast<float>(factor)),
                wide ? bound : static_cast<double>(static_cast<float>(bound))};
  }
  return steps;
}

void prefetch_next(const Run& run, const Streams& streams, const Run& next, const Streams& next_streams) {
  const std::size_t end = run.first + run.count;
  const auto ask = [&](const void* behind, const void* start, std::size_t bytes) {
    prefetch_start(static_cast<const std::byte*>(behind), static_cast<const std::byte*>(start), next.count * bytes);
  };
  ask(run.grad_at(end), next.grad_at(next.first), info(next.grad_format).bytes);
  ask(param_at(streams, end), param_at(next_streams, next.first), info(next_streams.param_format).bytes);
  const std::size_t states = std::min(info(streams.variant).state_count, info(next_streams.variant).state_count);
  for (std::size_t s = 0; s < states; ++s) {
    ask(state_at(streams, s, end), state_at(next_streams, s, next.first), info(next_streams.state_format).bytes);
  }
}

}  // namespace

void update(Workers& workers, const Work& work, const Update& what) {
  ScalarTable scalars;
  const double before = multiple_before(what.multiple);
  const std::vector<StepRun> steps = prepared_steps(what, scalars);
  std::optional<Observer> observer;
  if (what.statistics != nullptr) {
    observer.emplace(*what.statistics, what.append_statistics, what.tensors, what.first_tensor, work.runs().size(),
                     work.piece_count());
  }

  for_each_piece(workers, work, [&](std::size_t i) {
    work.for_each_in_piece(work.piece(i), [&](const Run& run, std::size_t first, std::size_t count) {
      if (const Run* next = work.following(run, first + count)) {
        prefetch_next(run, steps[run.tensor].streams, *next, steps[next->tensor].streams);
      }
      const StepRun& step = steps[run.tensor];
      const auto take = [&](const GradientRun& grad) {
        if (observer) {
          observer->step(step, grad, run.tensor, work.index_of(run), i);
        } else {
          step_elements(step, grad);
        }
      };
      const GradientRun grad = {run.grad_at(first), run.grad_format, first, count};
      if (before != 1.0 && step.streams.param_format != Format::f64) {
        with_multiplied(grad, before, take);
      } else {
        take(grad);
      }
    });
  });
  if (observer) observer->collect(steps);
  for (TensorState& tensor : what.tensors) {
    if (tensor.grad.present()) tensor.step = one_more(tensor.step);
  }
}

}  // namespace adamant
