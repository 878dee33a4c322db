// One step: look at the gradients where something asks for it, then update. Both are one parallel pass over blocks.
#include <algorithm>
#include <bit>
#include <cmath>
#include <forward_list>
#include <limits>

#include "base/float_environment.h"
#include "base/text.h"
#include "base/tree_sum.h"
#include "kernel/convert.h"
#include "kernel/pipeline.h"
#include "optim/impl.h"
#include "optim/observe.h"
#include "optim/rows.h"

namespace adamant {
namespace {

// Below this much work (elements) waking other threads takes longer than doing it.
constexpr std::size_t kSerialElements = std::size_t{1} << 16;

// How much of the next tensor's streams a pass asks for while it works on the one before, in bytes: by the time they
// are read, the hardware has found them.
constexpr std::size_t kNextTensor = 1024;

/// Asks for memory that will be read soon.
void prefetch(const void* from, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(static_cast<const std::byte*>(from) + at);
}

/// Neighbouring elements of one tensor and their gradient: a whole tensor, or a row of one.
struct Run {
  std::size_t tensor;
  std::size_t first;  // element of the tensor
  std::size_t count;
  const void* grad;  // of the first element
  Format grad_format;
  std::size_t first_block;  // in the index over all blocks of the step
};

std::size_t blocks_of(std::size_t elements) { return elements / kBlock + (elements % kBlock != 0 ? 1 : 0); }

/// All the work of a step. Block indices cover every tensor, with or without a gradient, in order, so that the shape of
/// a sum depends on the tensors alone.
struct Work {
  std::vector<Run> runs;
  std::size_t blocks = 0;
  std::size_t elements = 0;
  std::vector<SummedRows> rows;  // keeps the sums of repeated rows

  [[nodiscard]] std::size_t index_of(const Run& run) const { return static_cast<std::size_t>(&run - runs.data()); }
  [[nodiscard]] const Run* after(const Run& run) const { return &run == &runs.back() ? nullptr : &run + 1; }

  [[nodiscard]] std::size_t pieces() const { return (blocks + kPieceBlocks - 1) / kPieceBlocks; }

  /// Calls visit(run, first element of the run, elements, first block) for the parts of runs that lie in a piece.
  template <class Visit>
  void for_each_in_piece(std::size_t piece, Visit&& visit) const {
    const std::size_t begin = piece * kPieceBlocks;
    const std::size_t end = std::min(blocks, begin + kPieceBlocks);
    auto run = std::upper_bound(runs.begin(), runs.end(), begin,
                                [](std::size_t block, const Run& r) { return block < r.first_block; });
    if (run != runs.begin()) --run;
    for (; run != runs.end() && run->first_block < end; ++run) {
      const std::size_t from = std::max(begin, run->first_block) - run->first_block;
      const std::size_t to = std::min(end - run->first_block, blocks_of(run->count));
      if (from >= to) continue;
      const std::size_t first = from * kBlock;
      visit(*run, first, std::min(to * kBlock, run->count) - first, run->first_block + from);
    }
  }
};

Work plan(std::span<const TensorState> tensors) {
  Work work;
  work.runs.reserve(tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const TensorState& tensor = tensors[t];
    if (tensor.grad.lazy_rows) {
      const SummedRows& summed = work.rows.emplace_back(sum_rows(tensor));
      const std::size_t width = tensor.row_width();
      for (const SummedRows::Row& row : summed.rows) {
        work.runs.push_back({t, row.row * width, width, row.values, summed.format, work.blocks});
        work.blocks += blocks_of(width);
        work.elements += width;
      }
      continue;
    }
    if (tensor.grad.present() && tensor.param.size > 0) {
      work.runs.push_back({t, 0, tensor.param.size, tensor.grad.values.data, tensor.grad.values.format, work.blocks});
      work.elements += tensor.param.size;
    }
    work.blocks += blocks_of(tensor.param.size);
  }
  return work;
}

template <class Piece>
void run_pieces(Workers& workers, const Work& work, const Piece& piece) {
  if (work.elements <= kSerialElements) {
    // The caller's thread already has the environment.
    for (std::size_t i = 0; i < work.pieces(); ++i) piece(i);
  } else {
    workers.run(work.pieces(), piece);
  }
}

/// Sum of the squares of all gradients, as they are in memory.
double sum_of_squares(Workers& workers, const Work& work) {
  std::vector<double> sums(work.pieces());
  const FormatKernels& kernels = format_kernels();
  run_pieces(workers, work, [&](std::size_t piece) {
    double blocks[kPieceBlocks] = {};
    work.for_each_in_piece(piece, [&](const Run& run, std::size_t first, std::size_t count, std::size_t block) {
      const std::size_t bytes = info(run.grad_format).bytes;
      const auto* from = static_cast<const std::byte*>(run.grad) + first * bytes;
      double* sum = blocks + (block - piece * kPieceBlocks);
      const Run* next = work.after(run);
      if (next != nullptr && first + count == run.count) prefetch(next->grad, kNextTensor);
      for (std::size_t i = 0; i < count; i += kBlock, from += kBlock * bytes) {
        *sum++ = kernels.squares[index_of(run.grad_format)](from, std::min(kBlock, count - i));
      }
    });
    sums[piece] = tree_sum(blocks, kPieceBlocks);
  });
  return tree_sum(sums.data(), sums.size());
}

/// Calls visit(index, value) for every element, in order. For rare cases.
template <class Visit>
void for_each_value(const void* from, Format format, std::size_t n, Visit&& visit) {
  const std::size_t bytes = info(format).bytes;
  double values[kBlock];
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t count = std::min(kBlock, n - first);
    to_f64(static_cast<const std::byte*>(from) + first * bytes, format, count, values);
    for (std::size_t i = 0; i < count; ++i) visit(first + i, values[i]);
  }
}

/// As the user gave the gradients: rows in their order, repeated ones too.
std::optional<StepReport::NonFiniteAt> find_nonfinite(std::span<const TensorState> tensors) {
  std::optional<StepReport::NonFiniteAt> found;
  for (const TensorState& tensor : tensors) {
    const Tensor& values = tensor.grad.values;
    for_each_value(values.data, values.format, values.size, [&](std::size_t index, double value) {
      if (std::isfinite(value)) return;
      if (!found) found = {tensor.name, index, 0};
      ++found->count;
    });
  }
  return found;
}

/// The norm of finite gradients whose squares overflow f64.
double norm_of_huge(const Work& work) {
  constexpr double kShrink = 0x1p-600;
  double sum = 0.0;
  for (const Run& run : work.runs) {
    for_each_value(run.grad, run.grad_format, run.count, [&](std::size_t, double value) {
      const double shrunk = value * kShrink;
      sum += shrunk * shrunk;
    });
  }
  return std::min(std::sqrt(sum) / kShrink, std::numeric_limits<double>::max());
}

struct Look {
  double norm = 0.0;  // of the gradients as they are in memory
  std::optional<StepReport::NonFiniteAt> nonfinite;
};

Look look(Workers& workers, const Work& work, std::span<const TensorState> tensors) {
  Look seen;
  const double sum = sum_of_squares(workers, work);
  seen.norm = std::sqrt(sum);
  if (std::isfinite(sum)) return seen;
  seen.nonfinite = find_nonfinite(tensors);
  if (!seen.nonfinite) seen.norm = norm_of_huge(work);
  return seen;
}

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

/// Refuses what is outside its range; empties the statistics, which are about this step.
void check_step_options(const StepOptions& options) {
  const double scale = options.grad_scale;
  if (!(scale >= 0x1p-126 && scale <= 0x1p126)) {
    throw Error(ErrorCode::invalid_argument, "Invalid grad_scale: " + text(scale) + " (must be in [2^-126, 2^126])");
  }
  if (options.statistics != nullptr) options.statistics->tensors.clear();
}

/// What the settings ask of a look at the gradients.
bool norm_wanted(const Settings& settings) { return settings.max_norm.has_value() || settings.report_norm; }
bool look_wanted(const Settings& settings) {
  return norm_wanted(settings) || settings.nonfinite != NonFinite::propagate;
}

/// Whether the policy lets a step be applied; throws where it says so.
bool applies(const Settings& settings, const Look& seen) {
  if (!seen.nonfinite || settings.nonfinite == NonFinite::propagate) return true;
  if (settings.nonfinite == NonFinite::skip) return false;
  throw Error(ErrorCode::non_finite, "gradient of " + in_quotes(seen.nonfinite->tensor) + " is not finite at element " +
                                         std::to_string(seen.nonfinite->index) + " (" +
                                         std::to_string(seen.nonfinite->count) +
                                         " non-finite elements in all gradients)");
}

/// What clips a gradient of that norm. Written so that a NaN norm makes every gradient NaN, as in torch.
double clip_coefficient(const Settings& settings, double norm) {
  if (!settings.max_norm) return 1.0;
  const double coefficient = *settings.max_norm / (norm + 1e-6);
  return coefficient >= 1.0 ? 1.0 : coefficient;
}

/// The update of all work, with every gradient times `multiple`; tensors are counted as in `work`, from `first_tensor`
/// of the optimizer on. Fills the statistics where there are any.
void update(Workers& workers, const Work& work, const Settings& settings, std::span<const GroupState> groups,
            std::span<TensorState> tensors, double multiple, Statistics* statistics, std::size_t first_tensor) {
  ScalarTable scalars;
  std::vector<StepRun> steps(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorState& tensor = tensors[i];
    if (!tensor.grad.present()) continue;
    const GroupState& group = groups[tensor.group];
    const bool wide = tensor.param.format == Format::f64;
    const double factor = *group.options.maximize ? -multiple : multiple;
    double bound = wide ? 0x1p511 : 0x1p63;
    if (settings.clip_value) bound = std::min(bound, *settings.clip_value);
    StepRun& run = steps[i];
    run = {streams_of(tensor, group.variant), tensor.step + 1,
           &scalars.get(tensor.group, group, tensor.param.format, tensor.step + 1),
           wide ? factor : static_cast<double>(static_cast<float>(factor)),
           wide ? bound : static_cast<double>(static_cast<float>(bound))};
  }

  std::optional<Observer> observer;
  if (statistics != nullptr) observer.emplace(*statistics, tensors, first_tensor, work.runs.size(), work.pieces());

  // Backwards: the gradients that a look read last are still in the cache.
  const std::size_t last = work.pieces() - 1;
  run_pieces(workers, work, [&](std::size_t backwards) {
    const std::size_t piece = last - backwards;
    work.for_each_in_piece(piece, [&](const Run& run, std::size_t first, std::size_t count, std::size_t) {
      const Run* next = work.after(run);
      if (next != nullptr && first + count == run.count) {
        const StepRun& then = steps[next->tensor];
        prefetch(next->grad, kNextTensor);
        prefetch(then.streams.param, kNextTensor);
        for (const StateMemory& state : then.streams.states) prefetch(state.values, kNextTensor);
      }
      const GradientRun grad = {static_cast<const std::byte*>(run.grad) + first * info(run.grad_format).bytes,
                                run.grad_format, run.first + first, count};
      if (observer) {
        observer->step(steps[run.tensor], grad, run.tensor, work.index_of(run), piece);
      } else {
        step_elements(steps[run.tensor], grad);
      }
    });
  });
  if (observer) observer->collect(steps);
  for (TensorState& tensor : tensors) tensor.step += tensor.grad.present() ? 1 : 0;
}

/// The norm of all from the norm of each. Overwrites them.
double norm_of_norms(std::span<double> norms) {
  constexpr double kHuge = 0x1p600;  // whose square no f64 holds
  double unit = 1.0;
  for (const double norm : norms) {
    if (!std::isfinite(norm)) return norm;
    if (norm >= 0x1p500) unit = kHuge;
  }
  for (double& norm : norms) norm = norm / unit * (norm / unit);
  return std::min(std::sqrt(tree_sum(norms.data(), norms.size())) * unit, std::numeric_limits<double>::max());
}

}  // namespace

StepReport Optimizer::Impl::step(const StepOptions& step_options) {
  const Exclusive exclusive = enter("step");
  check_step_options(step_options);
  const FloatEnvironment environment;
  const Work work = plan(tensors);

  StepReport report;
  if (look_wanted(settings)) {
    const Look seen = look(workers, work, tensors);
    report.nonfinite = seen.nonfinite;
    if (norm_wanted(settings)) report.grad_norm = seen.norm / step_options.grad_scale;
    report.applied = applies(settings, seen);
    if (!report.applied) {
      ++steps;
      return report;
    }
    if (norm_wanted(settings)) {
      report.clip_coefficient = clip_coefficient(settings, *report.grad_norm);
      if (std::isfinite(*report.grad_norm)) grad_norm = report.grad_norm;
    }
  }
  update(workers, work, settings, groups, tensors, report.clip_coefficient / step_options.grad_scale,
         step_options.statistics, 0);
  ++steps;
  return report;
}

void Optimizer::Impl::begin_step(const StepOptions& step_options) {
  const Exclusive exclusive = enter("begin_step");
  check_step_options(step_options);
  OpenStep step{step_options, grad_norm ? clip_coefficient(settings, *grad_norm) : 1.0, {}, {}, {}};
  step.done.resize(tensors.size());
  step.norms.resize(tensors.size());
  step.nonfinite.resize(tensors.size());
  open = std::move(step);
  stepping = true;
}

bool Optimizer::Impl::step_tensor(std::size_t index, Tensor grad) {
  check_tensor(index);
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
  check_tensor(index);
  const std::span<TensorState> tensor(&tensors[index], 1);
  if (open.done[index]) {
    throw Error(ErrorCode::duplicate, "tensor " + in_quotes(tensor.front().name) + " has been updated in this step");
  }
  if (!tensor.front().grad.present()) return false;
  const FloatEnvironment environment;
  const Work work = plan(tensor);
  if (look_wanted(settings)) {
    const Look seen = look(workers, work, tensor);
    open.nonfinite[index] = seen.nonfinite;
    open.norms[index] = seen.norm;
    if (!applies(settings, seen)) return false;
  }
  update(workers, work, settings, groups, tensor, open.clip_coefficient / open.options.grad_scale,
         open.options.statistics, index);
  open.done[index] = true;
  return true;
}

StepReport Optimizer::Impl::end_step() {
  const Exclusive exclusive = enter_during_step("end_step");
  if (!stepping) throw Error(ErrorCode::invalid_argument, "end_step() called without begin_step()");
  StepReport report;
  report.clip_coefficient = open.clip_coefficient;
  for (const auto& found : open.nonfinite) {
    if (!found) continue;
    if (!report.nonfinite) report.nonfinite = {found->tensor, found->index, 0};
    report.nonfinite->count += found->count;
  }
  report.applied = !report.nonfinite || settings.nonfinite == NonFinite::propagate;
  if (open.options.statistics != nullptr) {
    std::ranges::sort(open.options.statistics->tensors, {}, &TensorStatistics::tensor);
  }
  if (norm_wanted(settings)) {
    const FloatEnvironment environment;
    report.grad_norm = norm_of_norms(open.norms) / open.options.grad_scale;
    if (std::isfinite(*report.grad_norm)) grad_norm = report.grad_norm;
  }
  stepping = false;
  ++steps;
  return report;
}

}  // namespace adamant
