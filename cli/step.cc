// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// adamant step: one step on parameters, gradients and a state in files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <adamant/checkpoint.hpp>
#include <adamant/optimizer.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/checkpoint_planes.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/rule_options.h"
#include "cli/values.h"
#include "cli/words.h"

namespace adamant::cli {
namespace {

namespace fs = std::filesystem;

// As given; an empty text is an option that was not.
struct StepArguments {
  std::string params, grads, state, out_params, out_state, rule, grad_scale;
  std::map<std::string, std::string, std::less<>> options, settings;  // by the library's names
  bool round = false, json = false;
};

// "weight_decay" is --weight-decay.
std::string flag_of(std::string_view name) {
  // --state is the file.
  std::string flag = name == "state" ? "state-format" : std::string(name);
  std::ranges::replace(flag, '_', '-');
  return "--" + flag;
}

// A tensor in memory, as it is in a file.
struct Loaded {
  std::string type;  // "F32"
  std::vector<std::size_t> shape;
  std::optional<Format> format;  // none where no step can be taken with it
  std::vector<std::byte> bytes;

  [[nodiscard]] Tensor tensor() { return {bytes.data(), bytes.size() / info(*format).bytes, *format}; }
};
using LoadedTensors = std::map<std::string, Loaded>;

// "F32" is f32.
std::optional<Format> format_of(std::string_view type) {
  for (const FormatInfo& format : formats()) {
    const auto same = [](char lower, char upper) { return std::toupper(static_cast<unsigned char>(lower)) == upper; };
    if (std::ranges::equal(format.name, type, same)) return format.format;
  }
  return {};
}

Loaded allocated(const SafetensorsEntry& entry) {
  Loaded loaded{std::string(entry.type.name), entry.shape, format_of(entry.type.name), {}};
  loaded.bytes.reserve(1);  // memory of its own, even where it has no element
  loaded.bytes.resize(entry.bytes);
  return loaded;
}

struct ParamsFile {
  LoadedTensors tensors;
  Metadata metadata;
};

ParamsFile read_file(const char* option, const std::string& path) {
  SafetensorsFile file(path);
  if (is_checkpoint(file)) {
    throw UsageError(
        fmt::format("{}: '{}' is a checkpoint, must be a file of tensors; --state takes checkpoints", option, path));
  }
  ParamsFile read;
  for (const SafetensorsEntry& entry : file.entries()) {
    Loaded& loaded = read.tensors[entry.name] = allocated(entry);
    file.read(entry, 0, loaded.bytes);
  }
  read.metadata = file.metadata();
  return read;
}

class Step {
 public:
  explicit Step(const StepArguments& arguments) : arguments_(arguments) {}

  int run() {
    check_arguments();
    read_options();
    read_files();
    Optimizer optimizer = make_optimizer();
    point_at_grads(optimizer);
    const StepReport report = take(optimizer);
    write(optimizer);
    if (arguments_.json) {
      print_as_json(optimizer, report);
    } else {
      print(optimizer, report);
    }
    return kOk;
  }

 private:
  void check_arguments() const {
    if (arguments_.grads.empty()) throw UsageError("--grads: is missing: the file of the gradients");
    if (arguments_.params.empty() && arguments_.state.empty()) {
      throw UsageError("--params: is missing: the file of the parameters, or --state with a checkpoint that has them");
    }
    if (arguments_.out_params.empty() && arguments_.out_state.empty()) {
      throw UsageError("--out-state: is missing, and so is --out-params: nothing would be kept of the step");
    }
    if (arguments_.round && arguments_.state.empty()) {
      throw UsageError("--round: needs --state: there is nothing to convert");
    }
    if (!arguments_.state.empty() && arguments_.settings.contains("seed")) {
      throw UsageError("--seed: the checkpoint of --state has its own");
    }
    check_output("--out-state", arguments_.out_state, arguments_.state);
    check_output("--out-params", arguments_.out_params, arguments_.params);
    if (same_file(arguments_.out_params, arguments_.out_state)) {
      throw UsageError(fmt::format("--out-params: '{}' is --out-state, too", arguments_.out_params));
    }
  }

  static bool same_file(const std::string& a, const std::string& b) {
    std::error_code missing;
    return !a.empty() && !b.empty() &&
           (fs::equivalent(a, b, missing) || fs::absolute(a).lexically_normal() == fs::absolute(b).lexically_normal());
  }

  // An output may take the place of its own input, and of no other.
  void check_output(const char* option, const std::string& path, const std::string& own) const {
    if (path.empty()) return;
    check_writable(option, path);
    for (const std::string* input : {&arguments_.params, &arguments_.grads, &arguments_.state}) {
      if (input->empty() || *input == own || !same_file(path, *input)) continue;
      throw UsageError(fmt::format("{}: '{}' is an input of another kind: it would be lost", option, path));
    }
  }

  void read_options() {
    for (const auto& [name, text] : arguments_.options) {
      try {
        set_option(given_, name, text);
      } catch (const Error& error) {
        throw UsageError(fmt::format("{}: {}", flag_of(name), error.what()));
      }
    }
    settings_.report_norm = true;  // costs nothing beside reading files
    if (!arguments_.state.empty()) {
      checkpoint_ = inspect(arguments_.state);
      settings_.state = checkpoint_->state_format;
      settings_.weights = checkpoint_->weight_format;
    }
    for (const auto& [name, text] : arguments_.settings) {
      try {
        set_setting(settings_, name, text);
      } catch (const Error& error) {
        throw UsageError(fmt::format("{}: {}", flag_of(name), error.what()));
      }
    }
    if (!arguments_.grad_scale.empty()) grad_scale_ = read_number("--grad-scale", arguments_.grad_scale);
  }

  void read_files() {
    if (!arguments_.params.empty()) {
      params_ = read_file("--params", arguments_.params);
    } else if (!checkpoint_->params) {
      throw UsageError(
          fmt::format("--params: is missing, and the checkpoint '{}' has no parameters", arguments_.state));
    } else {
      const CheckpointPlanes planes(*checkpoint_);
      for (const auto& [name, entry] : checkpoint_->state.tensors) {
        params_.tensors[name] = allocated(planes.entry(name));
      }
    }
    grads_ = read_file("--grads", arguments_.grads).tensors;
  }

  [[nodiscard]] Optimizer make_optimizer() {
    Optimizer optimizer = checkpoint_ ? resumed() : fresh();
    // Options that no group's rule has would be ignored.
    for (const auto& [name, text] : arguments_.options) {
      bool known = false;
      for (std::size_t g = 0; g < optimizer.group_count(); ++g)
        known |= get_option(optimizer.options(g), name).has_value();
      if (!known) throw UsageError(fmt::format("{}: {} has no {}", flag_of(name), rules_text(optimizer), name));
    }
    return optimizer;
  }

  [[nodiscard]] static std::string rules_text(const Optimizer& optimizer) {
    std::vector<std::string_view> names;
    for (std::size_t g = 0; g < optimizer.group_count(); ++g) {
      const std::string_view name = info(optimizer.rule(g)).name;
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  [[nodiscard]] Param param(const std::string& name) {
    Loaded& loaded = params_.tensors.at(name);
    return {name, loaded.tensor(), {}, loaded.shape};
  }

  [[nodiscard]] Optimizer fresh() {
    const Rule rule = arguments_.rule.empty() ? Rule::adamw : rule_of_argument();
    std::vector<Param> all;
    for (const auto& [name, loaded] : params_.tensors) {
      if (loaded.format) all.push_back(param(name));
    }
    return {rule, std::move(all), known_to(rule, given_), settings_};
  }

  [[nodiscard]] Rule rule_of_argument() const {
    try {
      return rule_from_name(arguments_.rule);
    } catch (const Error& error) {
      throw UsageError(fmt::format("--rule: {}", error.what()));
    }
  }

  [[nodiscard]] Optimizer resumed() {
    std::vector<ParamGroup> groups;
    for (const StateDictGroup& its : checkpoint_->state.groups) {
      if (!arguments_.rule.empty() && its.rule != info(rule_of_argument()).name) {
        throw UsageError(fmt::format("--rule: '{}' is not the rule of --state, {}", arguments_.rule, its.rule));
      }
      ParamGroup& group = groups.emplace_back();
      group.rule = rule_from_name(its.rule);
      group.options = its.options;
      for (const std::string& name : its.params) {
        const auto found = params_.tensors.find(name);
        if (found == params_.tensors.end() || !found->second.format) {
          throw UsageError(
              fmt::format("--params: '{}' has no tensor {} of numbers that can be trained, which --state has",
                          arguments_.params, escaped(name)));
        }
        group.params.push_back(param(name));
      }
    }
    if (groups.empty()) throw UsageError(fmt::format("--state: '{}' has no parameter group", arguments_.state));
    const Rule rule = *groups.front().rule;
    Optimizer optimizer(rule, std::move(groups), {}, settings_);
    const bool own_params = arguments_.params.empty();
    if (!own_params && checkpoint_->params) compare_params();
    load(optimizer, arguments_.state, {.params = own_params, .round = arguments_.round});
    for (std::size_t g = 0; g < optimizer.group_count(); ++g) {
      optimizer.set_options(g, known_to(optimizer.rule(g), given_));
    }
    return optimizer;
  }

  // The parameters are there twice.
  void compare_params() {
    CheckpointPlanes planes(*checkpoint_);
    for (const auto& [name, entry] : checkpoint_->state.tensors) {
      Loaded its = allocated(planes.entry(name));
      planes.read(name, its.bytes);
      const Loaded& own = params_.tensors.at(name);
      if (own.type == its.type && own.bytes == its.bytes) continue;
      throw UsageError(fmt::format(
          "--params: tensor {} of '{}' is not that of the checkpoint '{}', which may be a step ahead, where a step was "
          "cut off. Without --params the step starts from the parameters of the checkpoint",
          escaped(name), arguments_.params, arguments_.state));
    }
  }

  void point_at_grads(Optimizer& optimizer) {
    for (auto& [name, grad] : grads_) {
      std::size_t index = 0;
      try {
        index = optimizer.tensor_index(name);
      } catch (const Error&) {
        throw UsageError(fmt::format("--grads: tensor {} of '{}' is not one of the parameters that are trained",
                                     escaped(name), arguments_.grads));
      }
      const Loaded& its = params_.tensors.at(name);
      if (!grad.format) {
        throw UsageError(fmt::format("--grads: tensor {} is {}: must be one of {}", escaped(name), grad.type,
                                     fmt::join(names_of(formats()), ", ")));
      }
      const auto extents = [](const std::vector<std::size_t>& shape) {
        return shape.empty() ? std::vector<std::size_t>{1} : shape;  // a single number
      };
      if (extents(grad.shape) != extents(its.shape)) {
        throw UsageError(fmt::format("--grads: tensor {} has shape [{}], must have that of the parameter, [{}]",
                                     escaped(name), fmt::join(grad.shape, ", "), fmt::join(its.shape, ", ")));
      }
      optimizer.set_grad(index, grad.tensor());
    }
    for (std::size_t i = 0; i < optimizer.tensor_count(); ++i) {
      const TensorInfo tensor = optimizer.tensor(i);
      parameters_ += tensor.size;
      if (!grads_.contains(tensor.name)) without_grad_.push_back(tensor.name);
    }
  }

  [[nodiscard]] StepReport take(Optimizer& optimizer) const {
    try {
      return optimizer.step({.grad_scale = grad_scale_});
    } catch (const Error& error) {
      if (error.code() == ErrorCode::non_finite) throw std::runtime_error(error.what());
      throw;
    }
  }

  // The state first, which has the parameters, too: it alone is a whole step.
  void write(const Optimizer& optimizer) {
    if (!arguments_.out_state.empty()) {
      Metadata metadata = params_.metadata;
      if (checkpoint_) {
        for (const auto& [key, value] : checkpoint_->metadata) metadata[key] = value;
      }
      save(optimizer, arguments_.out_state, {.params = true, .metadata = metadata});
    }
    if (arguments_.out_params.empty()) return;
    std::vector<SafetensorsTensor> tensors;
    for (const auto& [name, loaded] : params_.tensors)
      tensors.push_back({name, loaded.type, loaded.shape, loaded.bytes});
    const bool of_file = !arguments_.params.empty();
    save_safetensors(arguments_.out_params, tensors, of_file ? params_.metadata : checkpoint_->metadata);
  }

  void print(const Optimizer& optimizer, const StepReport& report) const {
    fmt::print("step {}: {}, {}, {}", optimizer.steps(), rules_text(optimizer),
               counted(optimizer.tensor_count(), "tensor"), counted(parameters_, "parameter"));
    if (report.grad_norm) fmt::print(", norm of the gradients {:.6g}", *report.grad_norm);
    if (report.clip_coefficient < 1.0) fmt::print(", clipped: multiplied by {:.6g}", report.clip_coefficient);
    fmt::print("\n");
    if (!report.applied) {
      fmt::print(
          "skipped, nothing but the number of steps has changed: {} of the gradients {} not finite, the first is "
          "element {} of {}\n",
          counted(report.nonfinite->count, "element"), report.nonfinite->count == 1 ? "is" : "are",
          report.nonfinite->index, escaped(report.nonfinite->tensor));
    }
    if (!without_grad_.empty()) {
      fmt::print("without a gradient, left alone: {}\n", escaped(fmt::format("{}", fmt::join(without_grad_, ", "))));
    }
    if (!arguments_.out_state.empty()) fmt::print("state and parameters: {}\n", arguments_.out_state);
    if (!arguments_.out_params.empty()) fmt::print("parameters: {}\n", arguments_.out_params);
  }

  void print_as_json(const Optimizer& optimizer, const StepReport& report) const {
    Json groups = Json::array(), nonfinite;
    for (std::size_t g = 0; g < optimizer.group_count(); ++g) {
      groups.push_back({{"rule", info(optimizer.rule(g)).name},
                        {"formula", optimizer.formula(g)},
                        {"options", options_json(optimizer.options(g))}});
    }
    if (report.nonfinite) {
      nonfinite = {{"tensor", report.nonfinite->tensor},
                   {"element", report.nonfinite->index},
                   {"count", report.nonfinite->count}};
    }
    const auto path = [](const std::string& given) { return given.empty() ? Json() : Json(given); };
    print_json({{"command", "step"},
                {"step", optimizer.steps()},
                {"applied", report.applied},
                {"grad_norm", report.grad_norm ? Json(*report.grad_norm) : Json()},
                {"clip_coefficient", report.clip_coefficient},
                {"nonfinite", std::move(nonfinite)},
                {"groups", std::move(groups)},
                {"tensors", optimizer.tensor_count()},
                {"parameters", parameters_},
                {"without_grad", without_grad_},
                {"out_state", path(arguments_.out_state)},
                {"out_params", path(arguments_.out_params)}});
  }

  const StepArguments& arguments_;
  Options given_;
  Settings settings_;
  double grad_scale_ = 1.0;
  std::optional<CheckpointInfo> checkpoint_;
  ParamsFile params_;
  LoadedTensors grads_;
  std::size_t parameters_ = 0;
  std::vector<std::string> without_grad_;
};

// "of adamw, adam: a finite f32 number >= 0"
std::string option_help(std::string_view name) {
  std::vector<std::string_view> having;
  std::string_view range;
  for (const RuleInfo& rule : rules()) {
    for (const OptionInfo& option : rule.options) {
      if (option.name != name) continue;
      having.push_back(rule.name);
      range = option.range.text;
    }
  }
  const std::string whose = having.size() == rules().size() ? "Every rule" : fmt::format("{}", fmt::join(having, ", "));
  return range.empty() ? whose : fmt::format("{}: {}", whose, range);
}

}  // namespace

Command add_step(CommandLine& line) {
  Subcommand options = line.add("step", "Take one step on parameters and gradients in safetensors files");
  auto arguments = std::make_shared<StepArguments>();
  options.option("--params", arguments->params, "FILE", "Parameters; default: those in --state");
  options.option("--grads", arguments->grads, "FILE", "Gradients, by the names of the parameters");
  options.option("--state", arguments->state, "FILE", "Checkpoint of the step before; without it this is the first");
  options.option("--out-state", arguments->out_state, "FILE", "Checkpoint to write, parameters included");
  options.option("--out-params", arguments->out_params, "FILE",
                 "File to write, with the parameters as --params has them");
  options.option("--rule", arguments->rule, "NAME",
                 fmt::format("Rule of the first step, of {} (adamw)", fmt::join(names_of(rules()), ", ")));
  for_each_option([&](const char* name, auto) {
    options.option(flag_of(name), arguments->options[name], "VALUE", option_help(name));
  });
  for (const SettingInfo& setting : setting_list()) {
    const std::string name(setting.name);
    options.option(flag_of(name), arguments->settings[name], "VALUE", fmt::format("Setting: {}", setting.range));
  }
  options.option("--grad-scale", arguments->grad_scale, "X", "The gradients are divided by this (1)");
  options.flag("--round", arguments->round, "Convert --state to other formats even where that rounds");
  options.flag("--json", arguments->json, "Print one JSON object");
  options.footer(
      "An output may be the file that its input is: each file is replaced as a whole. --out-state is written first, "
      "and\n"
      "has the parameters, too. If the program is killed between the two, --out-state is one step ahead of "
      "--out-params;\n"
      "a next step with both is refused, and goes on from --state without --params. 'adamant inspect' says which step "
      "a\n"
      "checkpoint is of.\n"
      "Options, formats and the seed that are not given are those of --state. Other settings, such as --max-norm, are\n"
      "not in it: give them each time.\n"
      "Exit status: 0 also where gradients that are not finite made the step change nothing; 1 where a file cannot be\n"
      "read or written, or is damaged; 2 for wrong usage, and nothing was done.");
  return {options, [arguments] {
            std::erase_if(arguments->options, [](const auto& option) { return option.second.empty(); });
            std::erase_if(arguments->settings, [](const auto& setting) { return setting.second.empty(); });
            return Step(*arguments).run();
          }};
}

}  // namespace adamant::cli
