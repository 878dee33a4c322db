// Run logs: one file for a rule on a workload, one JSON object a line. docs/lab.md describes them.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::lab {

struct RunConfig;
struct RunResult;
struct WorkloadInfo;
enum class Outcome;

/// What the first line says of the run beside its RunConfig.
struct RunHeader {
  const WorkloadInfo* workload = nullptr;
  std::string description;
  std::size_t parameters = 0;
  std::size_t batch_size = 0;
  std::vector<std::uint64_t> seeds;
  std::string text;  ///< path, or empty
  bool sparse_rows = false;
};

class RunLog {
 public:
  /// Replaces the file. Throws std::runtime_error naming a path that cannot be written, here and in the calls below.
  RunLog(std::string path, std::uint64_t log_every, const RunHeader& header, const RunConfig& config);

  /// Step counted from 1; only every log_every-th, the first and the last are written.
  void step(std::uint64_t seed, std::uint64_t step, bool last, double loss, double lr, double grad_norm);
  void end(std::uint64_t seed, const RunResult& result);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void check();

  std::string path_;
  std::string metric_;
  std::uint64_t log_every_;
  std::ofstream file_;
};

/// "finished", "diverged", "interrupted".
[[nodiscard]] std::string_view name(Outcome outcome);

}  // namespace adamant::lab
