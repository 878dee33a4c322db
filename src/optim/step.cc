// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The protocol of a step: a gradient pass where something asks for it, then the update; all at once or tensor by
// tensor.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "optim/impl.h"
#include "optim/norm.h"
#include "optim/plan.h"
#include "optim/update.h"

namespace adamant {
namespace {

/// The statistics are about the step that begins.
void empty(Statistics* statistics) {
  if (statistics != nullptr) statistics->tensors.clear();
}

}  // namespace

StepReport Optimizer::Impl::step(const StepOptions& step_options) {
  check_step_options(step_options);
  if (!step_options.grads) return step_all(step_options);
  const GradList& list = *step_options.grads;
  std::vector<Gradient> others = checked_grads(list);
  swap_grads(list.tensors, others);
  try {
    return step_all(step_options);
  } catch (...) {
    swap_grads(list.tensors, others);
    throw;
  }
}

StepReport Optimizer::Impl::step_all(const StepOptions& step_options) {
  const Work work(tensors);

  StepReport report;
  double multiple = 1.0 / step_options.grad_scale;
  std::optional<double> norm = grad_norm;
  if (gradient_pass_wanted(settings)) {
    const GradientPass seen = gradient_pass(workers, work, tensors);
    report.nonfinite = seen.nonfinite;
    const Clip clipped = clip(settings, seen.norm, step_options.grad_scale);
    if (norm_wanted(settings)) report.grad_norm = clipped.norm;
    report.applied = applies(settings, seen);
    if (!report.applied) {
      empty(step_options.statistics);
      steps = one_more(steps);
      return report;
    }
    if (norm_wanted(settings)) {
      report.clip_coefficient = clipped.coefficient;
      multiple = clipped.multiple;
      if (std::isfinite(clipped.norm)) norm = clipped.norm;
    }
  }
  update(workers, work, {groups, tensors, 0, multiple, &settings, step_options.statistics, false});
  grad_norm = norm;
  steps = one_more(steps);
  return report;
}

void Optimizer::Impl::begin_step(const StepOptions& step_options) {
  check_step_options(step_options);
  OpenStep step{step_options, grad_norm ? clip(settings, *grad_norm, 1.0).coefficient : 1.0, {}, {}, {}};
  step.done.resize(tensors.size());
  step.norms.resize(tensors.size());
  step.nonfinite.resize(tensors.size());
  if (step_options.grads) {
    std::vector<Gradient> grads = checked_grads(*step_options.grads);
    swap_grads(step_options.grads->tensors, grads);
    step.options.grads.reset();  // the lists are the caller's
  }
  empty(step_options.statistics);
  open = std::move(step);
  stepping = true;
}

bool Optimizer::Impl::step_tensor(std::size_t index, const Tensor& grad) {
  const Gradient own = tensors[index].grad;
  set_grad(index, grad);
  try {
    const bool applied = step_tensor(index);
    tensors[index].grad = own;
    return applied;
  } catch (...) {
    tensors[index].grad = own;
    throw;
  }
}

bool Optimizer::Impl::step_tensor(std::size_t index) {
  if (!stepping) throw Error(ErrorCode::invalid_argument, "step_tensor() called outside begin_step() and end_step()");
  const std::span<TensorState> tensor(&tensors[index], 1);
  if (open.done[index]) {
    throw Error(ErrorCode::duplicate, "tensor " + in_quotes(tensor.front().name) + " has been updated in this step");
  }
  if (!tensor.front().grad.present()) return false;
  const Work work(tensor);
  if (gradient_pass_wanted(settings)) {
    const GradientPass seen = gradient_pass(workers, work, tensor);
    open.nonfinite[index] = seen.nonfinite;
    open.norms[index] = seen.norm;
    if (!applies(settings, seen)) return false;
  }
  update(workers, work,
         {groups, tensor, index, open.clip_coefficient / open.options.grad_scale, &settings, open.options.statistics,
          true});
  open.done[index] = true;
  return true;
}

StepReport Optimizer::Impl::end_step() {
  if (!stepping) throw Error(ErrorCode::invalid_argument, "end_step() called without begin_step()");
  StepReport report;
  report.clip_coefficient = open.clip_coefficient;
  for (std::size_t i = 0; i < open.nonfinite.size(); ++i) {
    const auto& found = open.nonfinite[i];
    if (!found) continue;
    if (!report.nonfinite) report.nonfinite = {found->tensor, found->index, 0, i};
    report.nonfinite->count += found->count;
  }
  report.applied = !report.nonfinite || settings.nonfinite == NonFinite::propagate;
  if (open.options.statistics != nullptr) {
    std::ranges::sort(open.options.statistics->tensors, {}, &TensorStatistics::tensor);
  }
  if (norm_wanted(settings)) {
    report.grad_norm = clip(settings, norm_of_norms(open.norms), open.options.grad_scale).norm;
    if (std::isfinite(*report.grad_norm)) grad_norm = report.grad_norm;
  }
  stepping = false;
  steps = one_more(steps);
  return report;
}

}  // namespace adamant
