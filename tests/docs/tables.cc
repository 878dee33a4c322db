// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the documents must hold because the library's lists do, for tools/check_docs. A line "== PAGE KIND NAME" begins
//   table    the table between the marks of that name, which follows
//   row      a row of some table that begins with this name, and holds the words that follow
//   section  a heading that holds this name
#include <adamant/adamant.hpp>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "rule/variants.h"
#include "tests/support/buffers.h"

namespace adamant {
namespace {

constexpr const char* kReadmes[] = {"README.md", "README.zh.md"};

void begin(const char* page, const char* kind, std::string_view name) {
  std::printf("== %s %s %s\n", page, kind, std::string(name).c_str());
}

std::string code(std::string_view word) { return "`" + std::string(word) + "`"; }

void row(const std::vector<std::string>& cells) {
  std::printf("|");
  for (const std::string& cell : cells) std::printf(" %s |", cell.c_str());
  std::printf("\n");
}

void head(const std::vector<std::string>& cells) {
  row(cells);
  std::printf("|");
  for (std::size_t i = 0; i < cells.size(); ++i) std::printf("---|");
  std::printf("\n");
}

std::string states_of(const VariantInfo& variant) {
  if (variant.state_count == 0) return "none";
  return listed(variant.states(), [](std::string_view name) { return code(name); });
}

void rules_page() {
  for (const RuleInfo& rule : rules()) {
    begin("docs/rules.md", "table", "options-" + std::string(rule.name));
    head({"option", "default", "range"});
    for (const OptionInfo& option : rule.options) {
      row({code(option.name), to_text(option.default_value), std::string(option.range.text)});
    }
    begin("docs/rules.md", "table", "states-" + std::string(rule.name));
    head({"variant", "formula id", "states"});
    for (const VariantInfo& variant : kVariants) {
      if (variant.rule != rule.rule) continue;
      row({code(variant.name), code(variant.formula), states_of(variant)});
    }
    begin("docs/rules.md", "section", rule.title);
    for (const char* page : kReadmes) {
      begin(page, "row", rule.title);
      for (const OptionInfo& option : rule.options) {
        const bool common = option.name == "lr" || option.name == "weight_decay" || option.name == "maximize";
        if (!common) std::printf("%s\n", code(option.name).c_str());
      }
      for (const VariantInfo& variant : kVariants) {
        if (variant.rule != rule.rule) continue;
        for (const std::string_view name : variant.states()) std::printf("%s\n", code(name).c_str());
      }
    }
  }
}

std::string number(const char* format, double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

/// Bytes of a parameter and all that the optimizer keeps for it, in a tensor of a million elements.
double bytes_of(Rule rule, const Options& options, Format format, const Settings& settings) {
  constexpr std::size_t kSize = std::size_t{1} << 20;
  std::vector<double> memory(kSize);
  const Optimizer optimizer(rule, {{"w", Tensor(memory.data(), kSize, format)}}, options, settings);
  return optimizer.bytes_per_parameter();
}

void readmes() {
  for (const char* page : kReadmes) {
    for (const std::string_view name : presets()) {
      begin(page, "row", name);
      std::printf("| %.3g |\n", bytes_of(Rule::adamw, {}, Format::bf16, preset(name)));
    }
  }
}

struct Kept {
  std::vector<float> values;
  bool exponents = false;
};

/// All states after a step.
std::map<std::string, Kept> stepped(const testing::Form& form, const Settings& settings) {
  constexpr std::size_t kSize = 4096;
  testing::Buffer w = testing::Buffer(Format::f32, kSize).fill(1), g = testing::Buffer(Format::f32, kSize).fill(2);
  Optimizer optimizer(form.rule, {{"w", w.view(), g.view()}}, form.options, settings);
  optimizer.step();
  std::map<std::string, Kept> states;
  const StateDict dict = optimizer.state_dict();
  for (const auto& [name, state] : dict.tensors.at("w").states) {
    states[name] = {optimizer.export_state("w", name), !state.exponents.empty()};
  }
  return states;
}

/// How each state is kept in a compact format, as a step shows it: where there is a dither, another seed rounds
/// otherwise.
std::map<std::string, std::string> ways_of(StateFormat format) {
  std::map<std::string, std::string> ways;
  for (const testing::Form& form : testing::forms()) {
    const auto exact = stepped(form, {}), one = stepped(form, {.state = format, .seed = 1}),
               other = stepped(form, {.state = format, .seed = 2});
    for (const auto& [name, kept] : one) {
      bool negative = false, lower = false;
      for (std::size_t i = 0; i < kept.values.size(); ++i) {
        negative = negative || kept.values[i] < 0.0f;
        lower = lower || kept.values[i] < exact.at(name).values[i];
      }
      std::string way;
      if (format == StateFormat::q8) way = !kept.exponents ? "relative, " : negative ? "signed, " : "unsigned, ";
      way += kept.values != other.at(name).values ? "dithered" : lower ? "to nearest" : "rounded up";
      const auto [known, is_new] = ways.emplace(name, way);
      if (!is_new && known->second != way) known->second += " or " + way;
    }
  }
  return ways;
}

void formats_page() {
  constexpr const char* kPage = "docs/formats.md";
  begin(kPage, "table", "formats");
  head({"format", "bytes", "largest finite number", "smallest normal number"});
  for (const FormatInfo& format : formats()) {
    row({code(format.name), std::to_string(format.bytes), number("%.8g", format.max_finite),
         number("%.8g", format.smallest_normal)});
  }
  for (const StateFormatInfo& format : state_formats()) begin(kPage, "section", format.name);
  for (const WeightFormatInfo& format : weight_formats()) begin(kPage, "section", format.name);

  begin(kPage, "table", "states");
  head({"state", "in b16", "in q8", "relative to"});
  auto b16 = ways_of(StateFormat::b16), q8 = ways_of(StateFormat::q8);
  for (const StateInfo& state : kStateList) {
    const std::string name(state.name);
    row({code(name), b16[name], q8[name], state.companion.empty() ? "" : code(state.companion)});
  }

  begin(kPage, "table", "presets");
  head({"preset", "states", "weights", "AdamW, in all", "with amsgrad", "SGD with momentum", "Adagrad"});
  for (const std::string_view name : presets()) {
    const Settings settings = preset(name);
    const auto bytes = [&](Rule rule, const Options& options) {
      return number("%.2f", bytes_of(rule, options, Format::bf16, settings));
    };
    row({code(name), code(info(settings.state).name), code(info(settings.weights).name), bytes(Rule::adamw, {}),
         bytes(Rule::adamw, {.amsgrad = true}), bytes(Rule::sgd, {.momentum = 0.9}), bytes(Rule::adagrad, {})});
  }

  begin(kPage, "table", "bytes");
  std::vector<std::string> cells = {"AdamW"};
  for (const StateFormatInfo& format : state_formats()) cells.push_back("states " + code(format.name));
  head(cells);
  struct Weights {
    Format param;
    WeightFormat weights;
  };
  for (const auto& [param, weights] :
       {Weights{Format::f64, WeightFormat::plain}, Weights{Format::f32, WeightFormat::plain},
        Weights{Format::f16, WeightFormat::plain}, Weights{Format::bf16, WeightFormat::split16},
        Weights{Format::bf16, WeightFormat::split8}, Weights{Format::bf16, WeightFormat::dithered},
        Weights{Format::bf16, WeightFormat::plain}}) {
    cells = {code(info(param).name) + (param == Format::bf16 ? ", " + code(info(weights).name) : "")};
    for (const StateFormatInfo& format : state_formats()) {
      // f64 parameters have f64 states, and only they.
      const bool possible = (param == Format::f64) == (format.format == StateFormat::f64);
      const Settings settings = {.state = format.format, .weights = weights};
      cells.push_back(possible ? number("%.2f", bytes_of(Rule::adamw, {}, param, settings)) : "");
    }
    row(cells);
  }
}

// A | ends a cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

void run_log_page() {
  constexpr const char* kPage = "docs/run_log.md";
  const auto value = [](double x) { return std::isfinite(x) ? number("%.3g", x) : ""; };
  const MomentFloors floors = floors_of(Rule::adamw, defaults(Rule::adamw), 1000000, 1000000);
  begin(kPage, "table", "statistics");
  head({"name", "what it answers", "formula", "unit", "noise", "bound", "healthy"});
  for (const MomentInfo& info : moment_list()) {
    const Guides guides = info.guides(floors);
    std::string healthy;
    if (!std::isnan(guides.low)) {
      healthy =
          std::isfinite(guides.high) ? value(guides.low) + " to " + value(guides.high) : "from " + value(guides.low);
    }
    row({code(info.name), std::string(info.question), cell(info.formula), std::string(info.unit), value(guides.noise),
         value(guides.bound), healthy});
  }
  begin(kPage, "table", "readings");
  head({"name", ""});
  for (const MomentInfo& info : moment_list()) row({code(info.name), cell(info.reading)});

  begin(kPage, "table", "lights");
  head({"light", "cause", "what is measured", "yellow", "red", "what helps"});
  for (const CauseInfo& info : causes()) {
    const auto limit = [&](double limit, std::uint64_t steps) {
      if (std::isnan(limit)) return std::string();
      return (info.above ? "above " : "below ") + value(limit) +
             (steps > 1 ? ", " + std::to_string(steps) + " steps" : std::string());
    };
    row({code(lights()[static_cast<std::size_t>(info.light)].name), code(info.name), cell(info.measure),
         limit(info.yellow, info.yellow_steps), limit(info.red, info.red_steps), std::string(info.advice)});
  }
}

}  // namespace
}  // namespace adamant

int main() {
  adamant::run_log_page();
  adamant::readmes();
  adamant::rules_page();
  adamant::formats_page();
}
