// A case and everything it is measured against, in one memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/cases.h"
#include "bench/measure.h"
#include "bench/memory.h"
#include "bench/threads.h"

namespace adamant::bench {

/// One policy of a case. Times are those of one step of the whole workload.
struct Result {
  NonFinite policy = NonFinite::propagate;
  std::size_t bytes_per_param = 0;  ///< loaded and stored by a step
  Times step;
  Times ceiling;                    ///< the loop with the same loads and stores and no arithmetic
  std::optional<Times> bare;        ///< the step without a look, where this one looks at the gradients first
  std::optional<Times> one_tensor;  ///< where there are many tensors: the step on one of as many parameters
  std::optional<Times> f32;         ///< for as many parameters in f32, where this one has compact formats
  double allocated_bytes_per_param = 0.0;
  std::optional<Times> sums;        ///< the step with the sums of its statistics alone
  std::optional<Times> statistics;  ///< with all of them, as they are by default
  // AdamW in f32 without a look:
  std::optional<Times> plain;    ///< the best plain kernel: one pass, unrolled, fused multiply-add
  std::optional<Times> unfused;  ///< eight passes
  std::optional<Times> naive;    ///< a loop as one writes it, at -O2
  // And with statistics, the step and after it what others do to see the moments:
  std::optional<Times> composer;  ///< as MosaicML's Composer: the step formed again, four norms, two cosines
  std::optional<Times> olmo;      ///< as OLMo: least, largest, average and norm of four tensors
};

/// The contestants work on the same parameters and gradients. The optimizer has its own states; the loops share some.
class Contest {
 public:
  /// Allocates and fills the memory. Throws as check_fits.
  explicit Contest(const Case& what);
  Contest(const Contest&) = delete;
  Contest& operator=(const Contest&) = delete;

  [[nodiscard]] const Workload& workload() const { return workload_; }
  [[nodiscard]] int threads() const { return threads_.count(); }

  /// One result for each policy of the case.
  [[nodiscard]] std::vector<Result> run(const Budget& budget) const;

  /// "step" (under the first policy), "ceiling".
  [[nodiscard]] const Contestant& contestant(const std::string& name) const;

 private:
  std::unique_ptr<Optimizer> make_optimizer(std::size_t tensors) const;
  void add_step(std::string name, Optimizer& optimizer, NonFinite policy, std::optional<double> max_norm);
  void add_statistics();
  void add_ceiling(std::string name, bool with_look);
  void add_rivals();
  void add_peers(const AdamwScalars& scalars);

  Case case_;
  Streams streams_;
  Workload workload_;
  mutable Threads threads_;
  std::unique_ptr<Contest> f32_;  // with memory of its own
  Memory param_, low_, grad_, states_[kMaxStates], denominator_;
  std::unique_ptr<Optimizer> optimizer_, one_tensor_;
  Statistics sums_, statistics_;
  std::vector<Contestant> contestants_;
};

}  // namespace adamant::bench
