// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Run logs: what the moments do in every step of a run, in one file that grows with the run. docs/run_log.md has the
// format.
#pragma once

#include <adamant/export.h>

#include <adamant/optimizer.hpp>
#include <adamant/statistics.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adamant {

/// What a program adds to the log besides what the optimizer knows: "batch_size", "git", "outcome".
using Note = std::variant<double, std::string>;
using Notes = std::vector<std::pair<std::string, Note>>;

/// What does not change from step to step.
struct RunInfo {
  struct Group {
    Rule rule = Rule::adamw;
    Options options;  ///< every option of the rule; of a log, as they were in the step last read
  };
  struct Tensor {
    std::string name;
    std::uint64_t size = 0;  ///< elements
    std::vector<std::size_t> shape;
    std::size_t group = 0;  ///< index in `groups`
  };
  struct Probe {
    std::size_t tensor = 0, element = 0;
  };
  std::string id;       ///< of a log: no two have the same
  std::string version;  ///< version of the library: "0.1.0"
  std::string target;   ///< instruction set
  std::string title;
  std::vector<Group> groups;
  std::vector<Tensor> tensors;
  std::vector<Probe> probes;  ///< the elements that are followed
  Notes notes;
};

/// One step: what run_step() makes and what a RunLogReader reads. RunLog, TensorBoard and Health take it.
struct RunStep {
  std::shared_ptr<const RunInfo> info;  ///< the run, as it was in this step
  std::uint64_t step = 0;               ///< step of the run, counted from 1: Optimizer::steps
  double seconds = 0.0;                 ///< from a log: seconds since it was opened
  double loss = 0.0;
  std::vector<double> lr;  ///< learning rate of each group
  std::optional<double> grad_norm;
  double clip_coefficient = 1.0;
  bool applied = true;
  std::optional<StepReport::NonFiniteAt> nonfinite;
  /// One for each tensor of the run, in order; `elements` is 0 if nothing was observed. The probes are those of
  /// RunInfo. In a step read from a log, sums are means times the tensor's size, with a relative error of at most
  /// 2^-16; so is the sample, and its `bins` are empty.
  std::vector<TensorStatistics> tensors;
};

/// Histograms of the scales over a range of steps.
struct RunScales {
  std::uint64_t first_step = 0, last_step = 0;
  std::vector<std::array<std::uint32_t, ScaleSample::kBins>> bins;  ///< as in ScaleSample, one for each tensor
};

/// What a log would say about an optimizer; `id` and `probes` are empty.
[[nodiscard]] ADAMANT_EXPORT RunInfo run_info(const Optimizer& optimizer);
/// What a log would say about the step that the optimizer has just taken; `statistics` is what the step filled, or
/// nullptr for a step that was not observed. `last`, what this made of an earlier step of the same optimizer, saves
/// time where there are many tensors: `known = run_step(adamw, loss, report, seen, std::move(known))` shares its info
/// until tensors, groups or options change, and uses its memory again. Refuses statistics of a tensor that the
/// optimizer does not have (mismatch).
[[nodiscard]] ADAMANT_EXPORT RunStep run_step(const Optimizer& optimizer, double loss, const StepReport& report,
                                              const Statistics* statistics = nullptr, RunStep last = {});

struct RunLogOptions {
  std::string title{};
  Notes notes{};
  std::uint64_t every = 1;     ///< N logs every N-th step, and the first; at least 1
  double flush_seconds = 1.0;  ///< hands over to the system what is older than this; 0: after each step
  /// What RunLog::position() said: the log that the path has goes on from there, with its own title and notes. What it
  /// has beyond that is cut off. Empty: a new log.
  std::string resume{};
};

/// Writes a run log:
///
///     RunLog log("run.jsonl", adamw);
///     for (...) {
///       const StepReport report = adamw.step({.statistics = log.statistics()});
///       log.step(adamw, loss, report);
///     }
///
/// The last line is short for log.record(run_step(adamw, loss, report, the log's statistics)); what run_step() makes
/// can go to a TensorBoard and a Health too, in any order.
///
/// Takes about 64 bytes per tensor and step, and follows at most 32 elements. What was handed over to the system can be
/// read, even after the process was killed. If the file cannot be written, throws Error (io) naming path and reason;
/// then the log is closed, and each later call throws the error again.
class ADAMANT_EXPORT RunLog {
 public:
  /// Makes a new file in the place of an old one, which stays where that fails, or continues a log
  /// (RunLogOptions::resume). Either way a resumed run continues the count of its steps. Refuses an optimizer without
  /// tensors and what position() never said (invalid_argument), a path that has another file than the log of that
  /// position, or less of it (io), and to continue the log of another run (mismatch).
  RunLog(std::string path, const Optimizer& optimizer, RunLogOptions options = {});
  /// Writes what is left. Errors are ignored here; end() and flush() report them.
  ~RunLog();
  RunLog(RunLog&&) noexcept;
  RunLog& operator=(RunLog&&) noexcept;

  /// Pass this to the next step; nullptr if that step is not to be logged. Valid until the next call.
  [[nodiscard]] Statistics* statistics();
  /// Call after each step, also after one that is not to be logged. The run may have got more tensors or other options
  /// in between. If it was set back to an earlier state, the log goes on counting. Refuses a step of another run
  /// (mismatch): each tensor of the log keeps its place, its name and its size, and each group its rule. So no step is
  /// taken after one of these tensors was removed: open another log. A step that is refused is not counted.
  void record(const RunStep& step);
  /// The same for the step that the optimizer has just taken.
  void step(const Optimizer& optimizer, double loss, const StepReport& report);
  /// Writes the last line, with what is known at the end; optional. Closes the file: later steps are refused
  /// (invalid_argument).
  void end(const Notes& notes = {});
  /// Hands over to the system what is buffered.
  void flush();
  /// Where the log is, after a flush that also outlasts a power cut: UTF-8 text for RunLogOptions::resume, to be saved
  /// with a checkpoint of the optimizer. A run that resumes from both has one log, as if it had never stopped: only
  /// `seconds` tell. Refused (invalid_argument) after end(). If only the folder of the log cannot be opened, throws
  /// Error (io), and the log goes on.
  [[nodiscard]] std::string position();
  /// As it was given. The log stays in its folder if the working folder changes later.
  [[nodiscard]] const std::string& path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads a run log step by step, in the memory of one step, even while it is being written. An incomplete last line, as
/// a killed process leaves it, is ignored. Throws Error (io) naming path and line if the file cannot be read or is not
/// a run log, or if another file took its place before the run ended.
class ADAMANT_EXPORT RunLogReader {
 public:
  explicit RunLogReader(std::string path);
  ~RunLogReader();
  RunLogReader(RunLogReader&&) noexcept;
  RunLogReader& operator=(RunLogReader&&) noexcept;

  [[nodiscard]] const RunInfo& info() const;
  /// Reads the next step; false if there is none yet: a later call finds what was written meanwhile. Reuses the memory
  /// of `step`.
  bool next(RunStep& step);
  /// The latest histograms before the step that next() has read.
  [[nodiscard]] const std::optional<RunScales>& scales() const;
  /// The notes of the last line, once next() has passed it.
  [[nodiscard]] const std::optional<Notes>& end() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adamant
