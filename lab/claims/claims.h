// Statements about the two moments of AdamW, each as an experiment on the engine: what theory says, what was measured,
// and whether the statement holds. Table, JSON, report, documents and tests iterate over the one list of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace adamant::lab {

/// How a measured number is held against the theory's.
enum class Check {
  near,      ///< at most `tolerance` away from it
  at_least,  ///< not below it: shown where it is at least `tolerance` above, refuted where it is that far below
  at_most,   ///< not above it, likewise
  none,      ///< told for its own sake; there is no theory
};

enum class Finding { shown, open, refuted };

/// One number that theory gives and the experiment measures.
struct Figure {
  std::string id{};    ///< within its claim: "0.9"; in documents it is then "noise.0.9"
  std::string what{};  ///< in words
  double theory = 0.0;
  double measured = 0.0;
  double tolerance = 0.0;  ///< absolute
  Check check = Check::near;
  bool beyond = false;          ///< measured where the condition of the claim is not met
  double standard_error = 0.0;  ///< of the measured number, where chance decides it

  [[nodiscard]] Finding finding() const;
};

/// How a line of a plot is drawn.
enum class Stroke {
  measured,
  theory,  ///< what was to be expected
  dots,    ///< measured, points alone
};

struct Series {
  std::string name{};
  Stroke stroke = Stroke::measured;
  std::vector<double> x{}, y{};

  void add(double at, double value) {
    x.push_back(at);
    y.push_back(value);
  }
};

struct Plot {
  std::string title{}, x{}, y{};  ///< of the axes, with units
  bool log_x = false, log_y = false;
  std::vector<Series> series{};
};

enum class Verdict { holds, holds_if, not_shown, does_not_hold };

struct Claim {
  std::string id{};
  std::string statement{};
  std::string formula{};          ///< of the first figure
  std::vector<Figure> figures{};  ///< the first speaks for the claim
  std::string condition{};        ///< what the figures beyond it lack: "holds if <condition>"
  std::string words{};            ///< a paragraph
  std::vector<Plot> plots{};
  std::vector<std::string> notes{};  ///< what was left out, and why

  /// does_not_hold where a figure refutes it, not_shown where one leaves it open, holds_if where one beyond the
  /// condition is not as the statement says, else holds.
  [[nodiscard]] Verdict verdict() const;
};

/// "holds", "holds if", "not shown", "does not hold".
[[nodiscard]] std::string_view name(Verdict verdict);
/// "near", "at least", "at most", "none".
[[nodiscard]] std::string_view name(Check check);

/// Thrown out of an experiment when `watch` says so.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// What experiments work with. No number they measure depends on `threads`.
struct Setup {
  int threads = 0;          ///< experiments at once; 0: one for each processor
  std::uint64_t seeds = 6;  ///< runs of a setting where chance decides
  std::string text{};       ///< path of the text for `words`; where empty, words are left out
  std::function<bool(std::size_t done, std::size_t total)> watch{};  ///< returns whether to go on

  /// Runs run(0) ... run(count-1), some at once. Throws what one of them threw, or Interrupted.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& run) const;
};

struct ClaimInfo {
  std::string_view id;
  Claim (*experiment)(const Setup&);
};

/// All claims, in the order in which they are told.
[[nodiscard]] std::span<const ClaimInfo> claims();

/// Makes the experiment. The result is a pure function of the claim and of `seeds` and `text`; where models are trained
/// (badly-scaled, sparse, generalise), as everywhere in the lab, its last digits also depend on the compiler.
[[nodiscard]] Claim measure(const ClaimInfo& claim, const Setup& setup);

}  // namespace adamant::lab
