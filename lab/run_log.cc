#include "lab/run_log.h"

#include <adamant/rule.hpp>
#include <adamant/targets.hpp>
#include <adamant/version.hpp>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "lab/train.h"

namespace adamant::lab {
namespace {

using Json = nlohmann::ordered_json;

Json options_json(const Options& options) {
  Json json;
  const auto add = [&json](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  add("lr", options.lr);
  add("betas", options.betas);
  add("alpha", options.alpha);
  add("momentum", options.momentum);
  add("dampening", options.dampening);
  add("eps", options.eps);
  add("weight_decay", options.weight_decay);
  add("lr_decay", options.lr_decay);
  add("initial_accumulator_value", options.initial_accumulator_value);
  add("nesterov", options.nesterov);
  add("amsgrad", options.amsgrad);
  add("centered", options.centered);
  add("maximize", options.maximize);
  return json;
}

std::string version() {
  return std::to_string(ADAMANT_VERSION_MAJOR) + "." + std::to_string(ADAMANT_VERSION_MINOR) + "." +
         std::to_string(ADAMANT_VERSION_PATCH);
}

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::diverged:
      return "diverged";
    case Outcome::interrupted:
      return "interrupted";
  }
  return "";
}

RunLog::RunLog(std::string path, std::uint64_t log_every, const RunHeader& header, const RunConfig& config)
    : path_(std::move(path)), metric_(header.workload->metric), log_every_(log_every), file_(path_) {
  const Rule rule = config.rule.rule;
  Json json = {{"event", "run"},
               {"log", "adamant-run-1"},
               {"adamant", version()},
               {"target", current_target()},
               {"workload", header.workload->name},
               {"description", header.description},
               {"metric", metric_},
               {"target_loss", config.target_loss},
               {"parameters", header.parameters},
               {"rule", config.rule.name},
               {"optimizer", info(rule).name},
               {"options", options_json(merge(defaults(rule), options_of(config.rule, config.settings)))},
               {"schedule", "cosine"},
               {"state", config.memory.name},
               {"threads", config.threads},
               {"steps", config.steps},
               {"batch_size", header.batch_size},
               {"seeds", header.seeds},
               {"log_every", log_every_}};
  if (!header.text.empty()) {
    json["text"] = header.text;
    json["sparse_rows"] = header.sparse_rows;
  }
  file_ << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  check();
}

void RunLog::step(std::uint64_t seed, std::uint64_t step, bool last, double loss, double lr, double grad_norm) {
  if (step != 1 && !last && step % log_every_ != 0) return;
  const Json json = {{"event", "step"}, {"seed", seed}, {"step", step},
                     {"loss", loss},    {"lr", lr},     {"grad_norm", grad_norm}};
  file_ << json.dump() << '\n';
}

void RunLog::end(std::uint64_t seed, const RunResult& result) {
  Json json = {{"event", "end"}, {"seed", seed}, {"outcome", name(result.outcome)}, {"step", result.steps}};
  if (result.outcome == Outcome::finished) {
    json["loss"] = result.score.loss;
    json[metric_] = result.score.metric;
  }
  json["steps_to_target"] = result.steps_to_target ? Json(*result.steps_to_target) : Json();
  json["step_ns"] = result.step_ns;
  json["bytes_per_param"] = result.bytes_per_param;
  json["seconds"] = result.seconds;
  file_ << json.dump() << '\n';
  check();
}

void RunLog::check() {
  if (!file_.flush()) throw std::runtime_error("'" + path_ + "' cannot be written: " + std::strerror(errno));
}

}  // namespace adamant::lab
