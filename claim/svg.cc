// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "claim/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace adamant::claim {
namespace {

constexpr double kWidth = 640.0, kLeft = 72.0, kRight = 16.0, kTop = 44.0, kPlotHeight = 280.0;
constexpr double kBottom = kTop + kPlotHeight;
constexpr std::size_t kMostDots = 400;  // of a series; evenly thinned out beyond
// Those of Okabe & Ito, which the colour-blind tell apart, with a blue that shows on black.
constexpr std::array kColours = {"#2b8cd6", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
constexpr std::array kDashes = {"7 4", "2 3", "10 3 2 3"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

// One axis: from numbers to places on the page.
class Axis {
 public:
  Axis(const Plot& plot, std::vector<double> Series::* values, bool log, double begin, double end)
      : log_(log), begin_(begin), end_(end) {
    for (const Series& series : plot.series) {
      for (const double value : series.*values) {
        if (!shows(value)) continue;
        low_ = std::min(low_, scaled(value));
        high_ = std::max(high_, scaled(value));
      }
    }
    if (!(low_ <= high_)) low_ = 0.0, high_ = 1.0;
    if (low_ == high_) low_ -= 0.5, high_ += 0.5;
    const double margin = 0.03 * (high_ - low_);
    low_ -= margin;
    high_ += margin;
  }

  [[nodiscard]] bool shows(double value) const { return std::isfinite(value) && (!log_ || value > 0.0); }
  [[nodiscard]] double at(double value) const {
    return begin_ + (scaled(value) - low_) / (high_ - low_) * (end_ - begin_);
  }
  // Round numbers within the range.
  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> found;
    if (log_ && high_ - low_ > 2.0) {
      const int every = static_cast<int>(std::ceil((high_ - low_) / 8.0));
      for (int e = every * static_cast<int>(std::ceil(low_ / every)); e <= high_; e += every) {
        found.push_back(std::pow(10.0, e));
      }
      return found;
    }
    if (log_) {
      const std::vector<double> digits =
          high_ - low_ > 0.7 ? std::vector{1.0, 2.0, 5.0} : std::vector{1.0, 1.5, 2.0, 3.0, 5.0, 7.0};
      for (int e = static_cast<int>(std::floor(low_)); e <= high_; ++e) {
        for (const double digit : digits) {
          const double value = digit * std::pow(10.0, e);
          if (scaled(value) >= low_ && scaled(value) <= high_) found.push_back(value);
        }
      }
      return found;
    }
    const double power = std::pow(10.0, std::floor(std::log10((high_ - low_) / 4.0)));
    const double times = (high_ - low_) / 4.0 / power;
    const double step = power * (times < 1.5 ? 1.0 : times < 3.5 ? 2.0 : times < 7.5 ? 5.0 : 10.0);
    for (auto k = std::llround(std::ceil(low_ / step)); static_cast<double>(k) * step <= high_; ++k) {
      found.push_back(static_cast<double>(k) * step);
    }
    return found;
  }

 private:
  [[nodiscard]] double scaled(double value) const { return log_ ? std::log10(value) : value; }

  bool log_;
  double begin_, end_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

class Picture {
 public:
  explicit Picture(const Plot& plot)
      : plot_(plot),
        x_(plot, &Series::x, plot.log_x, kLeft, kWidth - kRight),
        y_(plot, &Series::y, plot.log_y, kBottom, kTop) {}

  std::string draw() {
    axes();
    std::size_t measured = 0, theories = 0;
    for (const Series& series : plot_.series) {
      const bool theory = series.stroke == Stroke::theory;
      std::size_t& count = theory ? theories : measured;
      // A line without a name goes on as the one before it.
      const std::size_t index = series.name.empty() && count > 0 ? count - 1 : count++;
      const std::string style =
          theory ? fmt::format("class=\"t\" stroke-dasharray=\"{}\"", kDashes[index % kDashes.size()])
                 : fmt::format("stroke=\"{0}\" fill=\"{0}\"", kColours[index % kColours.size()]);
      if (!series.name.empty()) legend(series, style);
      if (series.stroke == Stroke::dots) {
        dots(series, style);
      } else {
        line(series, style);
      }
    }
    const double height = legend_y_ + 14.0;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" height=\"{1:g}\" "
        "role=\"img\">\n"
        "<title>{2}</title>\n"
        "<style>text{{font:13px sans-serif;fill:#222}}.h{{font-weight:bold;font-size:15px}}.g{{stroke:#8884;fill:none}}"
        ".t{{stroke:#222;fill:none}}.l{{fill:none;stroke-width:2}}"
        "@media(prefers-color-scheme:dark){{text{{fill:#ddd}}.t{{stroke:#ddd}}}}</style>\n"
        "<text class=\"h\" x=\"{3:g}\" y=\"24\">{2}</text>\n{4}</svg>\n",
        kWidth, height, escaped(plot_.title), kLeft, body_);
  }

 private:
  void axes() {
    for (const double tick : x_.ticks()) {
      const double x = x_.at(tick);
      body_ += fmt::format(
          "<path class=\"g\" d=\"M{0:.1f} {1:g}V{2:g}\"/><text x=\"{0:.1f}\" y=\"{3:g}\" "
          "text-anchor=\"middle\">{4:g}</text>\n",
          x, kTop, kBottom, kBottom + 18.0, tick);
    }
    for (const double tick : y_.ticks()) {
      const double y = y_.at(tick);
      body_ += fmt::format(
          "<path class=\"g\" d=\"M{1:g} {0:.1f}H{2:g}\"/><text x=\"{3:g}\" y=\"{4:.1f}\" "
          "text-anchor=\"end\">{5:g}</text>\n",
          y, kLeft, kWidth - kRight, kLeft - 6.0, y + 4.5, tick);
    }
    body_ += fmt::format("<rect class=\"g\" x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\"/>\n", kLeft, kTop,
                         kWidth - kRight - kLeft, kPlotHeight);
    body_ += fmt::format("<text x=\"{:g}\" y=\"{:g}\" text-anchor=\"middle\">{}</text>\n",
                         (kLeft + kWidth - kRight) / 2.0, kBottom + 38.0, escaped(plot_.x));
    body_ += fmt::format("<text transform=\"translate(16 {:g})rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                         kTop + kPlotHeight / 2.0, escaped(plot_.y));
  }

  void line(const Series& series, const std::string& style) {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      const bool shown = x_.shows(series.x[i]) && y_.shows(series.y[i]);
      if (shown) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', x_.at(series.x[i]), y_.at(series.y[i]));
      pen_down = shown;
    }
    // The style comes first: a class given there is the line's.
    body_ += series.stroke == Stroke::theory
                 ? fmt::format("<path {} d=\"{}\"/>\n", style, path)
                 : fmt::format("<path class=\"l\" {} style=\"fill:none\" d=\"{}\"/>\n", style, path);
  }

  void dots(const Series& series, const std::string& style) {
    const std::size_t every = 1 + series.x.size() / kMostDots;
    const double radius = series.x.size() > 100 ? 1.5 : 3.0;
    body_ += fmt::format("<g {}>", style);
    for (std::size_t i = 0; i < series.x.size(); i += every) {
      if (!x_.shows(series.x[i]) || !y_.shows(series.y[i])) continue;
      body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:g}\"/>", x_.at(series.x[i]), y_.at(series.y[i]),
                           radius);
    }
    body_ += "</g>\n";
  }

  void legend(const Series& series, const std::string& style) {
    // Letters of 7.5 are a guess on the safe side.
    double letters = 0.0;
    for (const char c : series.name) letters += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1.0 : 0.0;
    const double width = 44.0 + 7.5 * letters;
    if (legend_x_ > kLeft && legend_x_ + width > kWidth - kRight) legend_x_ = kLeft, legend_y_ += 20.0;
    if (series.stroke == Stroke::dots) {
      body_ +=
          fmt::format("<circle {} cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", style, legend_x_ + 10.0, legend_y_ - 4.5);
    } else {
      body_ += fmt::format("<path {} stroke-width=\"2\" d=\"M{:.1f} {:.1f}h20\"/>", style, legend_x_, legend_y_ - 4.5);
    }
    body_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", legend_x_ + 26.0, legend_y_, escaped(series.name));
    legend_x_ += width;
  }

  const Plot& plot_;
  Axis x_, y_;
  std::string body_;
  double legend_x_ = kLeft, legend_y_ = kBottom + 62.0;
};

}  // namespace

std::string svg(const Plot& plot) { return Picture(plot).draw(); }

}  // namespace adamant::claim
