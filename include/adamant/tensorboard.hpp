// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// TensorBoard event files: the run and the statistics of its moments, for TensorBoard and programs that read its files.
// docs/tensorboard.md lists the tags.
#pragma once

#include <adamant/export.h>

#include <adamant/optimizer.hpp>
#include <adamant/run_log.hpp>
#include <adamant/statistics.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace adamant {

struct TensorBoardOptions {
  /// Maximum number of tags in a file: at least 4. Kinds of tags are added as a whole, as long as they fit: every
  /// tensor, then the range over tensors, then every group.
  std::size_t max_tags = 100;
  /// Names of the tensors whose statistics are written one by one; empty means all, if they fit.
  std::vector<std::string> tensors{};
  /// Number of steps between histograms of the scales; 0 writes none.
  std::uint64_t histogram_every = 64;
  double flush_seconds = 1.0;  ///< hands over to the system what is older than this, at a step; 0: after each step
};

/// Writes an event file, one record per step:
///
///     TensorBoard board("runs/first", adamw);
///     Statistics seen;
///     for (...) board.step(adamw, loss, adamw.step({.statistics = &seen}), &seen);
///
/// That is short for board.record(run_step(adamw, loss, ...)).
///
/// What was handed over to the system can be read, even after the process was killed. If the file cannot be written,
/// throws Error (io) naming path and reason; then it is closed, and each later call throws the error again.
/// One call at a time.
class ADAMANT_EXPORT TensorBoard {
 public:
  /// Creates the folder if it does not exist, and a new file in it. A resumed run in the same folder continues the
  /// count of its steps, and replaces steps that an earlier file has beyond that. Refuses names that no tensor has
  /// (not_found), more of them than fit, and options outside their ranges (invalid_argument).
  TensorBoard(const std::string& folder, const Optimizer& optimizer, TensorBoardOptions options = {});
  /// Writes what is left. Errors are ignored here; flush() reports them.
  ~TensorBoard();
  TensorBoard(TensorBoard&&) noexcept;
  TensorBoard& operator=(TensorBoard&&) noexcept;

  /// Call after each step. The run may have got more tensors or other options in between. If it was set back to an
  /// earlier state, its steps replace those that they repeat.
  void record(const RunStep& step);
  /// The same for the step that the optimizer has just taken; `statistics` as for run_step().
  void step(const Optimizer& optimizer, double loss, const StepReport& report, const Statistics* statistics = nullptr);
  /// Hands over to the system what is buffered.
  void flush();
  /// Path of the file.
  [[nodiscard]] const std::string& path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adamant
