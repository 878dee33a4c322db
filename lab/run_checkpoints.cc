// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "lab/run_checkpoints.h"

#include <adamant/error.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

namespace adamant::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSettings = "lab.settings";
constexpr const char* kRun = "lab.run";
constexpr const char* kLog = "lab.log";

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Numbers as text, for JSON has none that are not finite.
Json exact(double value) { return to_text(OptionValue(value)); }
double exact_from(const Json& json) {
  const auto& text = json.get_ref<const std::string&>();
  double value = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// All that a run depends on: what its log says of it, and the options of its groups.
std::string settings_text(const LogConfig& log, const RunConfig& run, const Optimizer& optimizer) {
  Json settings = Json::object();
  for (const auto& [name, note] : notes_of(log, run)) {
    std::visit([&](const auto& value) { settings[name] = value; }, note);
  }
  settings["log_every"] = log.every;
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
    for (const OptionInfo& option : info(optimizer.rule(group)).options) {
      const std::string of_group = optimizer.group_count() == 1 ? "" : " of group " + std::to_string(group);
      settings[std::string(option.name) + of_group] =
          to_text(get_option(optimizer.options(group), option.name).value());
    }
  }
  return text_of(settings);
}

// A setting in words. Notes are numbers of f64, most of them whole.
std::string shown(const Json& value) {
  constexpr double kExact = 0x1p53;
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::abs(number) <= kExact && number == std::trunc(number)) {
      return std::to_string(static_cast<std::int64_t>(number));
    }
  }
  return value.dump();
}

// "steps is 100 there, 200 here"; empty where nothing differs.
std::string difference(const Json& there, const Json& here) {
  const auto of = [](const Json& settings, const std::string& name) {
    return settings.contains(name) ? shown(settings[name]) : "missing";
  };
  for (const Json* settings : {&here, &there}) {
    for (const auto& [name, value] : settings->items()) {
      if (of(there, name) != of(here, name))
        return name + " is " + of(there, name) + " there, " + of(here, name) + " here";
    }
  }
  return "";
}

std::string state_text(const LoopState& state) {
  const RunResult& result = state.result;
  Json recent = Json::array();
  for (const double loss : state.losses.recent) recent.push_back(exact(loss));
  return text_of({{"done", state.done},
                  {"outcome", result.outcome},
                  {"steps", result.steps},
                  {"loss", exact(result.score.loss)},
                  {"metric", exact(result.score.metric)},
                  {"steps_to_target", result.steps_to_target ? Json(*result.steps_to_target) : Json()},
                  {"step_ns", result.step_ns},
                  {"bytes_per_param", result.bytes_per_param},
                  {"seconds", result.seconds},
                  {"first_loss", state.losses.first ? exact(*state.losses.first) : Json()},
                  {"latest_loss", exact(state.losses.latest)},
                  {"recent_losses", std::move(recent)},
                  {"losses", state.losses.count}});
}

LoopState state_from(const std::string& text) {
  const Json json = Json::parse(text);
  LoopState state;
  state.done = json.at("done").get<bool>();
  state.result.outcome = json.at("outcome").get<Outcome>();
  state.result.steps = json.at("steps").get<std::uint64_t>();
  state.result.score = {exact_from(json.at("loss")), exact_from(json.at("metric"))};
  if (!json.at("steps_to_target").is_null())
    state.result.steps_to_target = json["steps_to_target"].get<std::uint64_t>();
  state.result.step_ns = json.at("step_ns").get<double>();
  state.result.bytes_per_param = json.at("bytes_per_param").get<double>();
  state.result.seconds = json.at("seconds").get<double>();
  if (!json.at("first_loss").is_null()) state.losses.first = exact_from(json["first_loss"]);
  state.losses.latest = exact_from(json.at("latest_loss"));
  for (std::size_t i = 0; i < state.losses.recent.size(); ++i) {
    state.losses.recent[i] = exact_from(json.at("recent_losses").at(i));
  }
  state.losses.count = json.at("losses").get<std::uint64_t>();
  return state;
}

}  // namespace

RunCheckpoints::RunCheckpoints(const CheckpointConfig& config, const LogConfig& log, const RunConfig& run,
                               const Optimizer& optimizer)
    : config_(config),
      checkpoints_(config.folder, {.keep = 2, .params = true}),
      settings_(settings_text(log, run, optimizer)) {
  if (!config.resume) checkpoints_.clear();
}

std::optional<RunCheckpoints::Found> RunCheckpoints::load(Optimizer& optimizer) {
  const std::vector<Checkpoints::Item> all = checkpoints_.list();
  if (all.empty()) return {};
  const std::filesystem::path& path = all.back().path;
  const Metadata metadata = inspect(path).metadata;
  const auto refuse = [&](ErrorCode code, const std::string& why) {
    throw Error(code, "'" + path.string() + "' " + why);
  };
  for (const char* key : {kSettings, kRun, kLog}) {
    if (!metadata.contains(key))
      refuse(ErrorCode::mismatch, "is no checkpoint of the lab: it lacks " + std::string(key));
  }
  Found found;
  try {
    const std::string differs = difference(Json::parse(metadata.at(kSettings)), Json::parse(settings_));
    if (!differs.empty()) refuse(ErrorCode::mismatch, "is of a run with other settings: " + differs);
    found = {state_from(metadata.at(kRun)), metadata.at(kLog)};
  } catch (const nlohmann::json::exception& error) {
    refuse(ErrorCode::mismatch, std::string("is of another version of the lab: ") + error.what());
  }
  if (!found.state.done) adamant::load(optimizer, path, {.params = true});
  return found;
}

void RunCheckpoints::save(const Optimizer& optimizer, const LoopState& state, const std::string& log) {
  checkpoints_.save(optimizer, {{kSettings, settings_}, {kRun, state_text(state)}, {kLog, log}});
}

}  // namespace adamant::lab
