// TensorBoard event files: the run and the statistics of its moments, for TensorBoard and what reads its files.
// docs/tensorboard.md lists the tags.
#pragma once

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
  /// Tags that a file may have: at least 4. Of what does not fit whole kinds are left out: each tensor, then the range
  /// over tensors, then each group.
  std::size_t max_tags = 100;
  /// Names of the tensors whose statistics are written one by one; empty: all, if they fit.
  std::vector<std::string> tensors{};
  /// A histogram of the scales after so many steps; 0: none.
  std::uint64_t histogram_every = 64;
  double flush_seconds = 1.0;  ///< hand over to the system what is older than this, at a step; 0: after each step
};

/// Writes an event file, one record a step:
///
///     TensorBoard board("runs/first", adamw);
///     Statistics seen;
///     for (...) board.step(adamw, loss, adamw.step({.statistics = &seen}), &seen);
///
/// That is short for board.record(run_step(adamw, loss, ...)).
///
/// What was handed over to the system is there and can be read, also after the process was killed. Throws Error (io),
/// naming path and reason, where the file cannot be written; then it is closed, and each later call throws it again.
/// One call at a time.
class TensorBoard {
 public:
  /// Makes the folder where there is none, and in it a new file. A run that goes on in the same folder goes on
  /// counting, and takes the place of steps that an earlier file has beyond that. Refuses names that no tensor has
  /// (not_found), more of them than fit, and options outside their ranges (invalid_argument).
  TensorBoard(const std::string& folder, const Optimizer& optimizer, TensorBoardOptions options = {});
  /// Writes what is left; here errors are silent. flush() tells.
  ~TensorBoard();
  TensorBoard(TensorBoard&&) noexcept;
  TensorBoard& operator=(TensorBoard&&) noexcept;

  /// After each step. The run may have got more tensors or other options since. Where it was set back to an earlier
  /// state, its steps take the place of those they repeat.
  void record(const RunStep& step);
  /// The same for the step that the optimizer has just taken; `statistics` as for run_step().
  void step(const Optimizer& optimizer, double loss, const StepReport& report, const Statistics* statistics = nullptr);
  /// Hands over to the system what there is.
  void flush();
  /// Of the file.
  [[nodiscard]] const std::string& path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adamant
