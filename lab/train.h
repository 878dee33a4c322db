// The training loop: one for every workload and rule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "lab/memory_formats.h"
#include "lab/rules.h"
#include "lab/run_log.h"
#include "lab/workload.h"

namespace adamant::lab {

/// Everything a run depends on but the workload.
struct RunConfig {
  RuleConfig rule{};
  Tuned settings{};
  std::uint64_t steps = 1;
  std::uint64_t seed = 1;
  double target_loss = 0.0;
  MemoryFormats memory{};
  int threads = 0;
};

enum class Outcome {
  finished,
  diverged,     ///< a loss was not finite or over 1,000 times the first one, or a gradient was not finite
  interrupted,  ///< `watch` said so
};

struct RunResult {
  Outcome outcome = Outcome::finished;
  std::uint64_t steps = 0;                       ///< done
  Score score{};                                 ///< at the end; meaningful where finished
  std::optional<std::uint64_t> steps_to_target;  ///< first step at which the last 20 training losses average below it
  double step_ns = 0.0;                          ///< median time of Optimizer::step, with its check of the gradients
  double bytes_per_param = 0.0;                  ///< parameter and optimizer states
  double seconds = 0.0;                          ///< of the whole run
};

/// Called before each step with the steps done and the last loss; returns whether to go on.
using Watch = std::function<bool(std::uint64_t step, double loss)>;

/// The optimizer of a run. Throws adamant::Error where the settings are refused.
[[nodiscard]] Optimizer make_optimizer(const RunConfig& config, std::vector<Param> params);

/// Trains the workload from the start of the seed, with the learning rate falling to zero on half a cosine. The result,
/// times apart, is a pure function of workload and config, and does not depend on the number of threads. Writes a log
/// where it is told to.
RunResult train(Workload& workload, const RunConfig& config, const LogConfig* log = nullptr, const Watch& watch = {});

}  // namespace adamant::lab
