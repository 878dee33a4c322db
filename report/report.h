// The report: one HTML file about runs, from their logs, and about claims. It needs no network and no other file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adamant::report {

/// How a line of a plot is drawn.
enum class Stroke : std::uint8_t {
  measured,  ///< solid, in a colour of its own
  theory,    ///< dashed, in the colour of text: what was to be expected
  dots,      ///< points alone
};

struct Line {
  std::string name{};
  std::vector<double> xs{}, ys{};  ///< of one length; where a number is not finite the line has a gap
  Stroke stroke = Stroke::measured;
};

/// A plot of a claim.
struct Plot {
  std::string title{};
  std::string x{}, y{};  ///< what the axes say
  bool log_x = false, log_y = false;
  std::vector<Line> lines{};
};

/// A statement and what an experiment said of it. All texts are plain, not HTML.
struct Claim {
  /// One more number that theory gives and the experiment measured.
  struct Figure {
    std::string what{}, theory{}, measured{}, tolerance{};
  };
  std::string id{};         ///< short and stable: "noise"
  std::string statement{};  ///< one sentence
  std::string theory{}, measured{}, tolerance{};
  std::string verdict{};  ///< "holds", "does not hold", or what else there is to say: "holds if ...", "not shown"
  std::string words{};    ///< what it means, in plain words; an empty line separates paragraphs
  std::vector<Figure> figures{};
  std::vector<Plot> plots{};
};

struct ReportInput {
  std::string title{};              ///< empty: named after the runs
  std::vector<std::string> runs{};  ///< paths of run logs
  std::vector<Claim> claims{};
};

/// The page. Reads every log once, from front to end, in memory that does not grow with the steps. Throws what
/// RunLogReader throws, and Error (invalid_argument) for a plot whose line has other xs than ys, and where there is
/// neither a run nor a claim.
[[nodiscard]] std::string report_html(const ReportInput& input);

}  // namespace adamant::report
